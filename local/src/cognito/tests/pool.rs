//! The pool and its clients: described, updated, and reset by what an update leaves out.

use super::*;

#[tokio::test]
async fn an_update_of_the_client_resets_what_it_does_not_repeat() {
    let hosted = hosted().await;
    let client = json!({"ClientId": CLIENT_ID});
    let (_, described) = api(&hosted, "DescribeUserPoolClient", client.clone()).await;
    let described = described["UserPoolClient"].clone();
    assert_eq!(described["CallbackURLs"], json!([hosted.redirect_uri()]));
    assert_eq!(described["PreventUserExistenceErrors"], "ENABLED");
    let other = "https://elsewhere.example/oauth2/idpresponse";
    let mut update = json!({
        "ClientId": CLIENT_ID, "CallbackURLs": [other], "AllowedOAuthFlows": ["code"],
        "AllowedOAuthScopes": ["openid"], "AllowedOAuthFlowsUserPoolClient": true,
    });
    let (status, answer) = api(&hosted, "UpdateUserPoolClient", update.clone()).await;
    assert_eq!(status, 200, "{answer}");
    let (_, after) = api(&hosted, "DescribeUserPoolClient", client).await;
    let after = &after["UserPoolClient"];
    assert!(
        after.get("LogoutURLs").is_none() && after.get("WriteAttributes").is_none(),
        "{after}"
    );
    assert_eq!(after["ClientName"], described["ClientName"]);
    assert_eq!(
        initiate(&hosted, EMAIL, PASSWORD).await.1["__type"],
        "InvalidParameterException",
        "flows are reset"
    );
    let ask = |uri: &str, scope: &str| {
        browser()
            .get(hosted.authorize(&[("redirect_uri", uri), ("scope", scope)]))
            .send()
    };
    let old = ask(&hosted.redirect_uri(), "openid").await.unwrap();
    assert_eq!(
        old.status(),
        StatusCode::BAD_REQUEST,
        "the hosted pages go by the client's addresses"
    );
    assert!(
        to(&ask(other, "openid").await.unwrap(), &hosted.issuer)
            .path()
            .ends_with("/login")
    );
    assert_eq!(
        field(&to(&ask(other, "email").await.unwrap(), &hosted.issuer), "error"),
        "invalid_scope"
    );
    update["CallbackURLs"] = json!(["http://elsewhere.example/"]);
    assert_eq!(
        refused(&hosted, "UpdateUserPoolClient", update).await,
        "InvalidParameterException"
    );
}

#[tokio::test]
async fn what_is_described_can_be_sent_back_as_an_update() {
    let hosted = hosted().await;
    let (_, described) = api(&hosted, "DescribeUserPoolClient", json!({"ClientId": CLIENT_ID})).await;
    let mut update = described["UserPoolClient"].clone();
    for read_only in ["ClientSecret", "CreationDate", "LastModifiedDate"] {
        update.as_object_mut().unwrap().remove(read_only);
    }
    let (status, answer) = api(&hosted, "UpdateUserPoolClient", update).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(
        hosted.log_in(&browser(), PASSWORD).await.status(),
        StatusCode::SEE_OTHER
    );
    assert_eq!(initiate(&hosted, EMAIL, PASSWORD).await.0, 200);
}

#[tokio::test]
async fn a_client_with_an_older_flow_name_may_refresh() {
    let hosted = hosted().await;
    let new = json!({"ClientName": "old", "ExplicitAuthFlows": ["ADMIN_NO_SRP_AUTH"]});
    let (_, made) = api(&hosted, "CreateUserPoolClient", new).await;
    let id = made["UserPoolClient"]["ClientId"].clone();
    let parameters = json!({"USERNAME": EMAIL, "PASSWORD": PASSWORD});
    let ask = json!({"ClientId": id, "AuthFlow": "ADMIN_NO_SRP_AUTH", "AuthParameters": parameters});
    let (_, answer) = api(&hosted, "AdminInitiateAuth", ask).await;
    let token = &answer["AuthenticationResult"]["RefreshToken"];
    let refresh =
        json!({"ClientId": id, "AuthFlow": "REFRESH_TOKEN_AUTH", "AuthParameters": {"REFRESH_TOKEN": token}});
    let (status, answer) = api(&hosted, "AdminInitiateAuth", refresh).await;
    assert_eq!(status, 200, "{answer}");
}

#[tokio::test]
async fn other_clients_come_and_go_but_not_the_portals() {
    let hosted = hosted().await;
    let new = json!({"ClientName": "cli", "GenerateSecret": false, "ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH"]});
    let (_, made) = api(&hosted, "CreateUserPoolClient", new).await;
    let id = made["UserPoolClient"]["ClientId"].clone();
    assert!(made["UserPoolClient"].get("ClientSecret").is_none());
    let parameters = json!({"USERNAME": EMAIL, "PASSWORD": PASSWORD});
    let ask = json!({"ClientId": id, "AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": parameters});
    assert_eq!(call(&hosted, "InitiateAuth", ask.clone()).await.0, 200);
    let mut unknown = ask.clone();
    unknown["AuthParameters"]["USERNAME"] = json!("b@example.com");
    assert_eq!(
        call(&hosted, "InitiateAuth", unknown).await.1["__type"],
        "UserNotFoundException",
        "LEGACY tells"
    );
    let (_, listed) = api(&hosted, "ListUserPoolClients", json!({"MaxResults": 60})).await;
    assert_eq!(listed["UserPoolClients"].as_array().unwrap().len(), 2);
    assert_eq!(
        api(&hosted, "DeleteUserPoolClient", json!({"ClientId": id}))
            .await
            .0,
        200
    );
    assert_eq!(
        call(&hosted, "InitiateAuth", ask).await.1["__type"],
        "ResourceNotFoundException"
    );
    let own = json!({"ClientId": CLIENT_ID});
    assert_eq!(
        refused(&hosted, "DeleteUserPoolClient", own).await,
        "UnsupportedOperationException"
    );
}

#[tokio::test]
async fn an_update_of_the_pool_resets_what_it_does_not_repeat() {
    let hosted = hosted_with(answering(|_, _| Err("called".to_owned()))).await;
    let (_, pool) = api(&hosted, "DescribeUserPool", json!({})).await;
    assert_eq!(
        pool["UserPool"]["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"],
        true
    );
    assert_eq!(
        pool["UserPool"]["Policies"]["PasswordPolicy"]["RequireSymbols"],
        true
    );
    let arn = pool["UserPool"]["LambdaConfig"]["PreTokenGeneration"]
        .as_str()
        .unwrap();
    assert!(arn.ends_with(":function:assign-worker"), "{arn}");
    let policy =
        json!({"Policies": {"PasswordPolicy": {"MinimumLength": 6, "TemporaryPasswordValidityDays": 2}}});
    assert_eq!(api(&hosted, "UpdateUserPool", policy).await.0, 200);
    let (_, pool) = api(&hosted, "DescribeUserPool", json!({})).await;
    assert_eq!(pool["UserPool"]["LambdaConfig"], json!({}));
    assert_eq!(
        pool["UserPool"]["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"],
        false
    );
    assert_eq!(
        initiate(&hosted, EMAIL, PASSWORD).await.0,
        200,
        "no trigger is set, and none is called"
    );
    let short = json!({"Username": EMAIL, "Password": "sixsix", "Permanent": true});
    assert_eq!(api(&hosted, "AdminSetUserPassword", short).await.0, 200);
}

#[tokio::test]
async fn triggers_that_would_never_be_called_are_refused_by_name() {
    let hosted = hosted().await;
    let (_, pool) = api(&hosted, "DescribeUserPool", json!({})).await;
    let arn = &pool["UserPool"]["LambdaConfig"]["PreTokenGeneration"];
    for (config, named) in [
        (json!({"PreSignUp": arn}), "PreSignUp"),
        (
            json!({"PreTokenGeneration": "arn:aws:lambda:us-east-1:000000000000:function:other"}),
            "function:other",
        ),
        (
            json!({"PreTokenGenerationConfig": {"LambdaVersion": "V2_0", "LambdaArn": arn}}),
            "V2_0",
        ),
    ] {
        let (_, answer) = api(&hosted, "UpdateUserPool", json!({"LambdaConfig": config})).await;
        assert_eq!(answer["__type"], "UnsupportedOperationException", "{answer}");
        assert!(answer["message"].as_str().unwrap().contains(named), "{answer}");
    }
    let versioned = json!({"PreTokenGenerationConfig": {"LambdaVersion": "V1_0", "LambdaArn": arn}});
    assert_eq!(
        api(&hosted, "UpdateUserPool", json!({"LambdaConfig": versioned}))
            .await
            .0,
        200
    );
    let factor = json!({"MfaConfiguration": "ON"});
    assert_eq!(
        refused(&hosted, "UpdateUserPool", factor).await,
        "UnsupportedOperationException"
    );
}

#[tokio::test]
async fn the_pool_has_one_domain() {
    let hosted = hosted().await;
    let (_, described) = call(&hosted, "DescribeUserPoolDomain", json!({"Domain": "groundcrew"})).await;
    assert_eq!(described["DomainDescription"]["UserPoolId"], POOL_ID);
    let second = json!({"Domain": "second"});
    assert_eq!(
        refused(&hosted, "CreateUserPoolDomain", second.clone()).await,
        "InvalidParameterException"
    );
    assert_eq!(
        api(&hosted, "DeleteUserPoolDomain", json!({"Domain": "groundcrew"}))
            .await
            .0,
        200
    );
    assert_eq!(api(&hosted, "CreateUserPoolDomain", second).await.0, 200);
    assert_eq!(
        api(&hosted, "DescribeUserPool", json!({})).await.1["UserPool"]["Domain"],
        "second"
    );
}

#[tokio::test]
async fn the_portal_is_followed_when_it_moves_to_another_address() {
    let hosted = hosted().await;
    let data = DataDir::open(&hosted.folder.path().join("elsewhere")).unwrap();
    for origin in ["http://127.0.0.1:1", "http://127.0.0.1:2"] {
        let sign_in = SignIn::open(&data, origin, hosted.outbox.clone()).await.unwrap();
        let client = sign_in.client(CLIENT_ID).unwrap();
        assert_eq!(
            client.settings.callback_urls,
            [format!("{origin}/oauth2/idpresponse")]
        );
        assert_eq!(client.settings.logout_urls, [format!("{origin}/logout")]);
    }
}
