//! The pool pages and the OpenID Connect endpoints, as a browser and a client go through them.

use super::*;

#[tokio::test]
async fn a_person_signs_in_and_the_client_learns_who_and_which_groups() {
    let pool = start_pool().await;
    let browser = browser();
    let back = to(&pool.log_in(&browser, PASSWORD).await, &pool.issuer);
    assert!(back.as_str().starts_with(&pool.redirect_uri()), "{back}");
    assert_eq!(field(&back, "state"), "s&1");
    let code = field(&back, "code");
    let tokens = read(pool.exchange(&code, VERIFIER).await).await;

    let claims = pool.claims(&tokens["id_token"]).await;
    assert_eq!(claims["aud"], CLIENT_ID);
    assert_eq!(claims["email"], EMAIL);
    assert_eq!(claims["nonce"], "n1");
    assert_eq!(claims["token_use"], "id");
    assert_eq!(claims["cognito:groups"], json!(["numbers-team"]));

    assert_eq!(
        pool.exchange(&code, VERIFIER).await.status(),
        StatusCode::BAD_REQUEST,
        "a code is good once"
    );
    assert!(
        pool.ask(&browser, &[]).await.as_str().contains("code="),
        "the sign-in is remembered"
    );
    browser
        .get(format!("{}/logout", pool.issuer))
        .send()
        .await
        .unwrap();
    assert!(
        pool.ask(&browser, &[]).await.path().ends_with("/login"),
        "and forgotten on signing out"
    );
}

#[tokio::test]
async fn a_code_is_worth_nothing_without_its_verifier_and_the_client_secret() {
    let pool = start_pool().await;
    let code = || async {
        field(
            &to(&pool.log_in(&browser(), PASSWORD).await, &pool.issuer),
            "code",
        )
    };
    assert_eq!(
        pool.exchange(&code().await, "another").await.status(),
        StatusCode::BAD_REQUEST
    );
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", &code().await),
        ("client_id", CLIENT_ID),
    ];
    let bare = Client::new()
        .post(format!("{}/oauth2/token", pool.issuer))
        .form(&fields)
        .send()
        .await
        .unwrap();
    assert_eq!(bare.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn strangers_who_guess_do_not_lock_a_browser_somebody_works_in() {
    let pool = start_pool().await;
    let mine = browser();
    assert_eq!(pool.log_in(&mine, PASSWORD).await.status(), StatusCode::SEE_OTHER);
    for _ in 0..8 {
        pool.log_in(&browser(), "Wrong passw0rd!").await;
    }
    let stranger = pool.log_in(&browser(), PASSWORD).await;
    assert_eq!(stranger.status(), StatusCode::TOO_MANY_REQUESTS);
    let form = [("username", EMAIL), ("password", PASSWORD)];
    let again = pool.post(&mine, "login", &form).await;
    assert_eq!(again.status(), StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_form_larger_than_any_is_refused_before_it_is_read() {
    let pool = start_pool().await;
    let long = "x".repeat(20_000);
    for page in ["login", "newPassword", "forgotPassword", "confirmForgotPassword"] {
        let form = [
            ("username", long.as_str()),
            ("password", ""),
            ("again", ""),
            ("session", ""),
            ("code", ""),
        ];
        let answer = pool.post(&browser(), page, &form).await;
        assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE, "{page}");
    }
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_look_alike_and_guessing_is_limited() {
    let pool = start_pool().await;
    let wrong = pool.log_in(&browser(), "wrong password").await;
    assert_eq!(wrong.status(), StatusCode::UNAUTHORIZED);
    let wrong = wrong.text().await.unwrap();
    let form = [("username", "b@example.com"), ("password", "wrong password")];
    let unknown = pool.post(&browser(), "login", &form).await;
    let unknown = unknown.text().await.unwrap();
    assert_eq!(wrong, unknown.replace("b@example.com", EMAIL));
    for _ in 0..4 {
        pool.log_in(&browser(), "wrong password").await;
    }
    assert_eq!(
        pool.log_in(&browser(), PASSWORD).await.status(),
        StatusCode::TOO_MANY_REQUESTS
    );
}

#[tokio::test]
async fn nobody_is_sent_to_an_address_the_client_does_not_have() {
    let pool = start_pool().await;
    let exact = pool.redirect_uri();
    for uri in [
        "https://evil.example/oauth2/idpresponse",
        &format!("{exact}/"),
        &format!("{exact}?x=1"),
    ] {
        let answer = pool.ask_raw(&browser(), &[("redirect_uri", uri)]).await;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{uri}");
    }
    for (name, value, error) in [
        ("response_type", "token", "unsupported_response_type"),
        ("code_challenge_method", "plain", "invalid_request"),
        ("scope", "openid aws.cognito.signin.user.admin", "invalid_scope"),
    ] {
        let answer = pool.ask(&browser(), &[(name, value)]).await;
        assert_eq!(field(&answer, "error"), error);
    }
    let form = [("username", EMAIL), ("password", PASSWORD)];
    let foreign = browser()
        .post(pool.page("login"))
        .header("origin", "https://evil.example")
        .form(&form)
        .send()
        .await
        .unwrap();
    assert_eq!(foreign.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn what_was_typed_into_the_form_comes_back_as_text() {
    let pool = start_pool().await;
    let form = [("username", "\"><script>x</script>"), ("password", "whatever")];
    let text = pool.post(&browser(), "login", &form).await.text().await.unwrap();
    assert!(!text.contains("<script>"), "{text}");
}

#[tokio::test]
async fn a_sign_in_lasts_by_its_refresh_token_with_the_groups_as_they_are() {
    let pool = start_pool().await;
    let tokens = pool.sign_in(&browser(), PASSWORD).await;
    let refresh = tokens["refresh_token"].as_str().unwrap();
    ok(&pool, "CreateGroup", json!({"GroupName": "second-team"})).await;
    let member = json!({"Username": EMAIL, "GroupName": "second-team"});
    ok(&pool, "AdminAddUserToGroup", member).await;
    let grant = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
    let fresh = read(pool.tokens(&grant).await).await;
    assert!(fresh.get("refresh_token").is_none(), "it does not rotate");
    let claims = pool.claims(&fresh["id_token"]).await;
    assert_eq!(claims["cognito:groups"], json!(["numbers-team", "second-team"]));
    let info = |token: &Value| {
        let request = Client::new().get(format!("{}/oauth2/userInfo", pool.issuer));
        request.bearer_auth(token.as_str().unwrap()).send()
    };
    let known = read(info(&fresh["access_token"]).await.unwrap()).await;
    assert_eq!(known["email"], EMAIL);
    let file = std::fs::read(pool.folder.path().join("data/people.redb")).unwrap();
    let secret = URL_SAFE_NO_PAD.decode(refresh).unwrap();
    let secret = secret.rsplit(|byte| *byte == b'.').next().unwrap();
    assert!(
        !file.windows(secret.len()).any(|part| part == secret),
        "the token is on disk"
    );

    let revoke = Client::new()
        .post(format!("{}/oauth2/revoke", pool.issuer))
        .form(&[("token", refresh)])
        .basic_auth(CLIENT_ID, Some(pool.cognito.client_secret()));
    assert_eq!(revoke.send().await.unwrap().status(), StatusCode::OK);
    assert_eq!(pool.tokens(&grant).await.status(), StatusCode::BAD_REQUEST);
    assert_eq!(
        info(&fresh["access_token"]).await.unwrap().status(),
        StatusCode::UNAUTHORIZED,
        "tokens of a revoked sign-in are void"
    );
}

#[tokio::test]
async fn refresh_tokens_expire_and_end_with_the_account() {
    let pool = start_pool().await;
    let refresh = || async {
        let tokens = pool.sign_in(&browser(), PASSWORD).await;
        tokens["refresh_token"].as_str().unwrap().to_owned()
    };
    let fresh = |token: String| {
        let pool = &pool;
        async move {
            let grant = [("grant_type", "refresh_token"), ("refresh_token", token.as_str())];
            pool.tokens(&grant).await.status()
        }
    };
    let (old, other) = (refresh().await, refresh().await);
    pool.cognito.pool.time.advance(Duration::from_secs(29 * 86_400));
    assert_eq!(fresh(old.clone()).await, StatusCode::OK);
    pool.cognito.pool.time.advance(Duration::from_secs(2 * 86_400));
    assert_eq!(fresh(old).await, StatusCode::BAD_REQUEST);
    assert_eq!(fresh(other).await, StatusCode::BAD_REQUEST);
    let third = refresh().await;
    ok(&pool, "AdminDeleteUser", json!({"Username": EMAIL})).await;
    assert_eq!(fresh(third).await, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn signing_out_leads_only_to_where_the_client_may_and_ends_with_a_page_elsewhere() {
    let pool = start_pool().await;
    let origin = pool.redirect_uri().replace("/oauth2/idpresponse", "");
    let out = |uri: String| {
        let fields = [("client_id", CLIENT_ID), ("logout_uri", uri.as_str())];
        browser()
            .get(Url::parse_with_params(&format!("{}/logout", pool.issuer), fields).unwrap())
            .send()
    };
    let back = format!("{origin}/logout");
    let sent = out(back.clone()).await.unwrap();
    assert_eq!(sent.headers()["location"].to_str().unwrap(), back);
    for elsewhere in [
        &format!("{origin}/"),
        "https://evil.example/",
        "//evil.example",
        &format!("{origin}.evil.example/"),
    ] {
        let page = out(elsewhere.to_owned()).await.unwrap();
        assert_eq!(page.status(), StatusCode::OK, "{elsewhere}");
        assert!(page.headers().get("location").is_none());
    }
}

#[tokio::test]
async fn a_remembered_sign_in_ends_once_the_person_is_signed_out_everywhere() {
    let pool = start_pool().await;
    let browser = browser();
    pool.log_in(&browser, PASSWORD).await;
    assert!(pool.ask(&browser, &[]).await.as_str().contains("code="));
    let (_, answer) = initiate(&pool, EMAIL, PASSWORD).await;
    let token = &answer["AuthenticationResult"]["AccessToken"];
    let signed_out = call(&pool, "GlobalSignOut", json!({"AccessToken": token}));
    assert_eq!(signed_out.await.0, 200);
    assert!(pool.ask(&browser, &[]).await.path().ends_with("/login"));
}
