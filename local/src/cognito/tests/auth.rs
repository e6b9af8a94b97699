//! Signing in and out through the API.

use super::*;

async fn respond(pool: &TestPool, session: &Value, more: Value) -> (u16, Value) {
    let mut responses = json!({"USERNAME": INVITED, "SECRET_HASH": secret_hash(pool, INVITED)});
    for (name, value) in more.as_object().unwrap() {
        responses[name] = value.clone();
    }
    let request = json!({
        "ClientId": CLIENT_ID, "ChallengeName": "NEW_PASSWORD_REQUIRED", "Session": session,
        "ChallengeResponses": responses,
    });
    call(pool, "RespondToAuthChallenge", request).await
}

#[tokio::test]
async fn the_new_password_challenge_is_met_once_and_writes_no_attribute() {
    let sources = Arc::new(std::sync::Mutex::new(Vec::new()));
    let kept = sources.clone();
    let pool = start_pool_with(trigger_with(move |_, event| {
        kept.lock().unwrap().push(event["triggerSource"].clone());
        Ok(event)
    }))
    .await;
    let temporary = pool.invite(INVITED).await;
    let (_, challenge) = initiate(&pool, INVITED, &temporary).await;
    assert_eq!(challenge["ChallengeName"], "NEW_PASSWORD_REQUIRED");
    let session = &challenge["Session"];
    let (_, weak) = respond(&pool, session, json!({"NEW_PASSWORD": "weak"})).await;
    assert_eq!(weak["__type"], "InvalidPasswordException");
    for name in ["name", "email", "custom:team"] {
        let grab = json!({"NEW_PASSWORD": OWN, format!("userAttributes.{name}"): "x"});
        assert_eq!(
            respond(&pool, session, grab).await.1["__type"],
            "NotAuthorizedException",
            "{name}"
        );
    }
    let (status, answer) = respond(&pool, session, json!({"NEW_PASSWORD": OWN})).await;
    assert_eq!(status, 200, "{answer}");
    let claims = pool.claims(&answer["AuthenticationResult"]["AccessToken"]).await;
    assert_eq!(claims["scope"], "aws.cognito.signin.user.admin");
    assert_eq!(
        respond(&pool, session, json!({"NEW_PASSWORD": OWN})).await.1["__type"],
        "NotAuthorizedException"
    );
    let called = [
        "CustomMessage_AdminCreateUser",
        "TokenGeneration_NewPasswordChallenge",
    ];
    assert_eq!(*sources.lock().unwrap(), called);
}

#[tokio::test]
async fn a_challenge_is_good_for_three_minutes() {
    let pool = start_pool().await;
    let temporary = pool.invite(INVITED).await;
    let (_, challenge) = initiate(&pool, INVITED, &temporary).await;
    pool.cognito.pool.time.advance(Duration::from_secs(181));
    let (_, late) = respond(&pool, &challenge["Session"], json!({"NEW_PASSWORD": OWN})).await;
    assert_eq!(
        late["message"],
        "Invalid session for the user, session is expired."
    );
}

#[tokio::test]
async fn wrong_and_unknown_look_alike_at_the_api_too_and_guessing_is_limited() {
    let pool = start_pool().await;
    let (_, wrong) = initiate(&pool, EMAIL, "Wrong passw0rd!").await;
    let (_, unknown) = initiate(&pool, "b@example.com", "Wrong passw0rd!").await;
    assert_eq!(wrong, unknown);
    assert_eq!(wrong["message"], "Incorrect username or password.");
    for _ in 0..4 {
        initiate(&pool, EMAIL, "Wrong passw0rd!").await;
    }
    let (_, locked) = initiate(&pool, EMAIL, PASSWORD).await;
    assert_eq!(locked["message"], "Password attempts exceeded");
    assert_eq!(
        pool.log_in(&browser(), PASSWORD).await.status(),
        StatusCode::TOO_MANY_REQUESTS,
        "one lock for the API and the pages"
    );
    pool.cognito.pool.time.advance(Duration::from_secs(2));
    assert_eq!(initiate(&pool, EMAIL, PASSWORD).await.0, 200);
}

#[tokio::test]
async fn a_client_with_a_secret_proves_it() {
    let pool = start_pool().await;
    let ask = |hash: Option<&str>| {
        let mut parameters = json!({"USERNAME": EMAIL, "PASSWORD": PASSWORD});
        if let Some(hash) = hash {
            parameters["SECRET_HASH"] = json!(hash);
        }
        json!({"ClientId": CLIENT_ID, "AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": parameters})
    };
    let (_, missing) = call(&pool, "InitiateAuth", ask(None)).await;
    assert!(
        missing["message"]
            .as_str()
            .unwrap()
            .ends_with("SECRET_HASH was not received"),
        "{missing}"
    );
    let (_, wrong) = call(&pool, "InitiateAuth", ask(Some("d3Jvbmc="))).await;
    assert!(
        wrong["message"]
            .as_str()
            .unwrap()
            .starts_with("Unable to verify secret hash"),
        "{wrong}"
    );
}

#[tokio::test]
async fn tokens_are_refreshed_used_and_ended() {
    let pool = start_pool().await;
    let (_, answer) = initiate(&pool, EMAIL, PASSWORD).await;
    let result = answer["AuthenticationResult"].clone();
    let refresh = json!({
        "ClientId": CLIENT_ID, "AuthFlow": "REFRESH_TOKEN_AUTH",
        "AuthParameters": {"REFRESH_TOKEN": result["RefreshToken"], "SECRET_HASH": secret_hash(&pool, EMAIL)},
    });
    let (_, fresh) = call(&pool, "InitiateAuth", refresh.clone()).await;
    let access = json!({"AccessToken": fresh["AuthenticationResult"]["AccessToken"]});
    let (_, user) = call(&pool, "GetUser", access.clone()).await;
    assert!(user["UserAttributes"].to_string().contains(EMAIL), "{user}");
    assert_eq!(call(&pool, "GlobalSignOut", access.clone()).await.0, 200);
    assert_eq!(
        call(&pool, "GetUser", access).await.1["__type"],
        "NotAuthorizedException"
    );
    assert_eq!(
        call(&pool, "InitiateAuth", refresh).await.1["message"],
        "Refresh Token has been revoked"
    );
}

#[tokio::test]
async fn tokens_of_the_hosted_pages_do_not_open_the_api() {
    let pool = start_pool().await;
    let tokens = pool.sign_in(&browser(), PASSWORD).await;
    let (_, answer) = call(&pool, "GetUser", json!({"AccessToken": tokens["access_token"]})).await;
    assert_eq!(answer["message"], "Access Token does not have required scopes");
    let (_, answer) = call(&pool, "GetUser", json!({"AccessToken": tokens["id_token"]})).await;
    assert_eq!(answer["__type"], "NotAuthorizedException");
}
