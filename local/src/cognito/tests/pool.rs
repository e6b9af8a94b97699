//! The pool and its client: described, updated, and reset by what an update leaves out.

use super::*;

async fn client(pool: &TestPool) -> Value {
    let described = ok(pool, "DescribeUserPoolClient", json!({"ClientId": CLIENT_ID})).await;
    described["UserPoolClient"].clone()
}

#[tokio::test]
async fn an_update_of_the_client_resets_what_it_does_not_repeat() {
    let pool = start_pool().await;
    let before = client(&pool).await;
    assert_eq!(before["CallbackURLs"], json!([pool.redirect_uri()]));
    assert_eq!(before["PreventUserExistenceErrors"], "ENABLED");
    let other = "https://elsewhere.example/oauth2/idpresponse";
    let mut update = json!({
        "ClientId": CLIENT_ID, "CallbackURLs": [other], "AllowedOAuthFlows": ["code"],
        "AllowedOAuthScopes": ["openid"], "AllowedOAuthFlowsUserPoolClient": true,
    });
    ok(&pool, "UpdateUserPoolClient", update.clone()).await;
    let after = client(&pool).await;
    assert!(
        after.get("LogoutURLs").is_none() && after.get("WriteAttributes").is_none(),
        "{after}"
    );
    assert_eq!(after["ClientName"], before["ClientName"]);
    assert_eq!(
        initiate(&pool, EMAIL, PASSWORD).await.1["__type"],
        "InvalidParameterException",
        "flows are reset"
    );
    let browser = browser();
    let old = [("redirect_uri", pool.redirect_uri())];
    let old = old.each_ref().map(|(name, uri)| (*name, uri.as_str()));
    assert_eq!(
        pool.ask_raw(&browser, &old).await.status(),
        StatusCode::BAD_REQUEST,
        "the pool pages follow the client's addresses"
    );
    let ask = |scope: &'static str| {
        let (pool, browser) = (&pool, &browser);
        async move {
            pool.ask(browser, &[("redirect_uri", other), ("scope", scope)])
                .await
        }
    };
    assert!(ask("openid").await.path().ends_with("/login"));
    assert_eq!(field(&ask("email").await, "error"), "invalid_scope");
    for (member, value) in [
        ("CallbackURLs", json!(["http://elsewhere.example/"])),
        ("PreventUserExistenceErrors", json!("SOMETIMES")),
        ("AuthSessionValidity", json!(16)),
        ("AccessTokenValidity", json!(25)),
        ("ExplicitAuthFlows", json!(["ALLOW_EVERYTHING"])),
    ] {
        let mut bad = update.clone();
        bad[member] = value;
        assert_eq!(
            error_kind(&pool, "UpdateUserPoolClient", bad).await,
            "InvalidParameterException",
            "{member}"
        );
    }
    update["SupportedIdentityProviders"] = json!(["Google"]);
    assert_eq!(
        error_kind(&pool, "UpdateUserPoolClient", update).await,
        "UnsupportedOperationException"
    );
}

#[tokio::test]
async fn what_is_described_can_be_sent_back_as_an_update() {
    let pool = start_pool().await;
    let mut update = client(&pool).await;
    for read_only in ["ClientSecret", "CreationDate", "LastModifiedDate"] {
        update.as_object_mut().unwrap().remove(read_only);
    }
    ok(&pool, "UpdateUserPoolClient", update).await;
    assert_eq!(
        pool.log_in(&browser(), PASSWORD).await.status(),
        StatusCode::SEE_OTHER
    );
    assert_eq!(initiate(&pool, EMAIL, PASSWORD).await.0, 200);
}

#[tokio::test]
async fn a_client_with_an_older_flow_name_may_refresh() {
    let pool = start_pool().await;
    let update = json!({"ClientId": CLIENT_ID, "ExplicitAuthFlows": ["USER_PASSWORD_AUTH"]});
    ok(&pool, "UpdateUserPoolClient", update).await;
    let (_, answer) = initiate(&pool, EMAIL, PASSWORD).await;
    let token = &answer["AuthenticationResult"]["RefreshToken"];
    let parameters = json!({"REFRESH_TOKEN": token, "SECRET_HASH": pool.cognito.client_secret()});
    let refresh =
        json!({"ClientId": CLIENT_ID, "AuthFlow": "REFRESH_TOKEN_AUTH", "AuthParameters": parameters});
    let (status, answer) = call(&pool, "InitiateAuth", refresh).await;
    assert_eq!(status, 200, "{answer}");
}

#[tokio::test]
async fn a_client_that_is_set_so_learns_that_there_is_no_such_account() {
    let pool = start_pool().await;
    let update = json!({"ClientId": CLIENT_ID, "ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH"]});
    ok(&pool, "UpdateUserPoolClient", update).await;
    for (email, kind) in [
        ("b@example.com", "UserNotFoundException"),
        (EMAIL, "NotAuthorizedException"),
    ] {
        let (_, answer) = initiate(&pool, email, "Wrong passw0rd!").await;
        assert_eq!(answer["__type"], kind, "{email}");
    }
}

#[tokio::test]
async fn the_pool_is_described_as_the_template_makes_one() {
    let pool = start_pool().await;
    let described = ok(&pool, "DescribeUserPool", json!({})).await;
    let described = &described["UserPool"];
    assert_eq!(
        described["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"],
        true
    );
    assert_eq!(
        described["Policies"]["PasswordPolicy"]["TemporaryPasswordValidityDays"],
        7
    );
    for (trigger, function) in [
        ("PreTokenGeneration", "assign-worker"),
        ("PostConfirmation", "assign-worker"),
        ("CustomMessage", "invite-message"),
    ] {
        let arn = described["LambdaConfig"][trigger].as_str().unwrap();
        assert!(arn.ends_with(&format!(":function:{function}")), "{arn}");
    }
    let (_, pools) = call(&pool, "ListUserPools", json!({"MaxResults": 10})).await;
    assert_eq!(pools["UserPools"][0]["Id"], POOL_ID);
    let clients = ok(&pool, "ListUserPoolClients", json!({"MaxResults": 60})).await;
    assert_eq!(clients["UserPoolClients"][0]["ClientId"], CLIENT_ID);
}

#[tokio::test]
async fn the_client_follows_the_portal_to_another_address() {
    let pool = start_pool().await;
    let data = DataDir::open(&pool.folder.path().join("elsewhere")).unwrap();
    for origin in ["http://127.0.0.1:1", "http://127.0.0.1:2"] {
        let cognito = Cognito::open(&data, origin, pool.outbox.clone()).await.unwrap();
        let client = cognito.client(CLIENT_ID).unwrap();
        assert_eq!(
            client.settings.callback_urls,
            [format!("{origin}/oauth2/idpresponse")]
        );
        assert_eq!(client.settings.logout_urls, [format!("{origin}/logout")]);
    }
}
