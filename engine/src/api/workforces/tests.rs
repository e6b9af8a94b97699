//! Workforces: who may sign in, from where, and what no reply contains.

use serde_json::{Value, json};

use crate::api::tests::kind;
use crate::testing::{TestWorld, ready};

fn oidc_config() -> Value {
    let at = |path: &str| format!("https://idp.example.org/{path}");
    json!({
        "ClientId": "portal", "ClientSecret": "keep-me-quiet", "Issuer": at(""), "AuthorizationEndpoint": at("authorize"),
        "TokenEndpoint": at("token"), "UserInfoEndpoint": at("me"), "LogoutEndpoint": at("bye"), "JwksUri": at("keys"),
        "Scope": "openid groups", "AuthenticationRequestExtraParams": {"audience": "labels"},
    })
}

#[tokio::test]
async fn no_reply_contains_a_client_secret() {
    let world = TestWorld::default();
    let engine = world.engine().await;
    let request = json!({"WorkforceName": "own", "OidcConfig": oidc_config()});
    engine.call("CreateWorkforce", request).await.unwrap();
    let mut expected = oidc_config();
    expected.as_object_mut().unwrap().shift_remove("ClientSecret");
    let described = engine
        .call("DescribeWorkforce", json!({"WorkforceName": "own"}))
        .await
        .unwrap();
    assert_eq!(described["Workforce"]["OidcConfig"], expected);
    let listed = engine.call("ListWorkforces", json!({})).await.unwrap();
    assert!(!listed.to_string().contains("keep-me-quiet"), "{listed}");
    let mut wrong = oidc_config();
    wrong["ClientSecret"] = json!("keep-me-quiet\u{e9}");
    let error = engine
        .call(
            "UpdateWorkforce",
            json!({"WorkforceName": "own", "OidcConfig": wrong}),
        )
        .await;
    let error = error.unwrap_err().to_string();
    assert!(
        error.contains("clientSecret") && !error.contains("keep-me-quiet"),
        "{error}"
    );
    assert!(!format!("{:?}", engine.core.workforce.get()).contains("keep-me-quiet"));
}

#[tokio::test]
async fn the_provider_of_a_workforce_changes_only_while_it_has_no_teams() {
    let (_, engine) = ready(1).await;
    let own = json!({"WorkforceName": "default", "OidcConfig": oidc_config()});
    let error = engine.call("UpdateWorkforce", own).await.unwrap_err();
    assert_eq!(kind(&error), "ValidationException");
    assert!(
        error["message"]
            .as_str()
            .unwrap()
            .contains("was made with Cognito"),
        "{error}"
    );
    engine
        .call("DeleteWorkteam", json!({"WorkteamName": "crew"}))
        .await
        .unwrap();
    engine
        .call("DeleteWorkforce", json!({"WorkforceName": "default"}))
        .await
        .unwrap();
    let own = json!({"WorkforceName": "own", "OidcConfig": oidc_config()});
    engine.call("CreateWorkforce", own.clone()).await.unwrap();
    assert_eq!(
        kind(&engine.call("CreateWorkforce", own.clone()).await.unwrap_err()),
        "ValidationException"
    );
    let mut moved = own.clone();
    moved["OidcConfig"]["ClientId"] = json!("other");
    let updated = engine.call("UpdateWorkforce", moved).await.unwrap();
    assert_eq!(updated["Workforce"]["OidcConfig"]["ClientId"], "other");
    let team =
        |member: Value| json!({"WorkteamName": "crew", "Description": "x", "MemberDefinitions": [member]});
    let cognito = json!({"CognitoMemberDefinition": {"UserPool": "us-east-1_abc", "UserGroup": "crew", "ClientId": "c"}});
    let error = engine
        .call("CreateWorkteam", team(cognito.clone()))
        .await
        .unwrap_err();
    assert!(
        error["message"].as_str().unwrap().contains("signs in with Oidc"),
        "{error}"
    );
    let groups = json!({"OidcMemberDefinition": {"Groups": ["crew", "more"]}});
    engine.call("CreateWorkteam", team(groups)).await.unwrap();
    let change = json!({"WorkteamName": "crew", "MemberDefinitions": [cognito]});
    assert_eq!(
        kind(&engine.call("UpdateWorkteam", change).await.unwrap_err()),
        "ValidationException"
    );
    assert_eq!(
        kind(&engine.call("UpdateWorkforce", own).await.unwrap_err()),
        "ConflictException"
    );
}

#[tokio::test]
async fn invalid_networks_and_parameters_and_unsupported_members_are_refused() {
    let (_, engine) = ready(1).await;
    let with = |member: &str, value: Value| json!({"WorkforceName": "default", member: value});
    for (request, said) in [
        (
            with("SourceIpConfig", json!({"Cidrs": ["203.0.113.0/33"]})),
            "is not a network",
        ),
        (
            with("SourceIpConfig", json!({"Cidrs": vec!["10.0.0.0/8"; 11]})),
            "less than or equal to 10",
        ),
        (
            with("WorkforceVpcConfig", json!({"VpcId": "vpc-1"})),
            "WorkforceVpcConfig is not supported",
        ),
        (
            with("IpAddressType", json!("dualstack")),
            "IpAddressType is not supported",
        ),
    ] {
        let error = engine.call("UpdateWorkforce", request).await.unwrap_err();
        assert!(error["message"].as_str().unwrap().contains(said), "{error}");
    }
    let mut request = json!({"WorkforceName": "own", "OidcConfig": oidc_config()});
    request["OidcConfig"]["AuthenticationRequestExtraParams"] = json!({"state": "x"});
    let error = engine.call("CreateWorkforce", request.clone()).await.unwrap_err();
    assert!(
        error["message"].as_str().unwrap().contains("sets itself"),
        "{error}"
    );
    request["OidcConfig"]["AuthenticationRequestExtraParams"] = json!({"audience": 1});
    assert_eq!(
        kind(&engine.call("CreateWorkforce", request).await.unwrap_err()),
        "SerializationException"
    );
    let access = json!({"WorkteamName": "crew", "WorkerAccessConfiguration": {"S3Presign": {}}});
    let error = engine.call("UpdateWorkteam", access).await.unwrap_err();
    assert!(
        error["message"]
            .as_str()
            .unwrap()
            .contains("WorkerAccessConfiguration is not supported"),
        "{error}"
    );
}

#[tokio::test]
async fn two_engines_that_create_a_workforce_at_once_make_one() {
    let world = TestWorld::default();
    let (one, other) = (world.engine().await, world.engine().await);
    let own = |name: &str| json!({"WorkforceName": name, "OidcConfig": oidc_config()});
    let made = tokio::join!(
        one.call("CreateWorkforce", own("b")),
        other.call("CreateWorkforce", own("a"))
    );
    assert!(made.0.is_ok() != made.1.is_ok(), "{made:?}");
    let listed = one.call("ListWorkforces", json!({})).await.unwrap();
    assert_eq!(listed["Workforces"].as_array().unwrap().len(), 1, "{listed}");
}

#[tokio::test]
async fn no_workforce_is_made_beside_an_unreadable_one() {
    let (world, engine) = ready(1).await;
    world.store.put_text("s3://state/workforces/default.json", "{");
    let member =
        json!({"CognitoMemberDefinition": {"UserPool": "us-east-1_abc", "UserGroup": "g", "ClientId": "c"}});
    let team = json!({"WorkteamName": "others", "Description": "x", "MemberDefinitions": [member]});
    assert_eq!(
        kind(&engine.call("CreateWorkteam", team).await.unwrap_err()),
        "InternalFailure"
    );
    let own = json!({"WorkforceName": "own", "OidcConfig": oidc_config()});
    assert_eq!(
        kind(&engine.call("CreateWorkforce", own).await.unwrap_err()),
        "InternalFailure"
    );
}
