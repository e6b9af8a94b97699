//! The hosted pages and the OpenID Connect endpoints, as a browser and a client go through them.

use super::*;

#[tokio::test]
async fn a_person_signs_in_and_the_client_learns_who_and_which_groups() {
    let hosted = hosted().await;
    let browser = browser();
    let back = to(&hosted.log_in(&browser, PASSWORD).await, &hosted.issuer);
    assert!(back.as_str().starts_with(&hosted.redirect_uri()), "{back}");
    assert_eq!(field(&back, "state"), "s&1");
    let code = field(&back, "code");
    let tokens: Value = hosted
        .exchange(&code, VERIFIER)
        .await
        .error_for_status()
        .unwrap()
        .json()
        .await
        .unwrap();

    let claims = hosted.claims(&tokens["id_token"]).await;
    assert_eq!(claims["aud"], CLIENT_ID);
    assert_eq!(claims["email"], EMAIL);
    assert_eq!(claims["nonce"], "n1");
    assert_eq!(claims["token_use"], "id");
    assert_eq!(claims["cognito:groups"], json!(["numbers-team"]));

    assert_eq!(
        hosted.exchange(&code, VERIFIER).await.status(),
        StatusCode::BAD_REQUEST,
        "a code is good once"
    );
    let again = browser.get(hosted.authorize(&[])).send().await.unwrap();
    assert!(
        to(&again, &hosted.issuer).as_str().contains("code="),
        "the sign-in is remembered"
    );
    browser
        .get(format!("{}/logout", hosted.issuer))
        .send()
        .await
        .unwrap();
    let after = browser.get(hosted.authorize(&[])).send().await.unwrap();
    assert!(
        to(&after, &hosted.issuer).path().ends_with("/login"),
        "and forgotten on signing out"
    );
}

#[tokio::test]
async fn a_code_is_worth_nothing_without_its_verifier_and_the_client_secret() {
    let hosted = hosted().await;
    let code = || async {
        field(
            &to(&hosted.log_in(&browser(), PASSWORD).await, &hosted.issuer),
            "code",
        )
    };
    assert_eq!(
        hosted.exchange(&code().await, "another").await.status(),
        StatusCode::BAD_REQUEST
    );
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", &code().await),
        ("client_id", CLIENT_ID),
    ];
    let bare = Client::new()
        .post(format!("{}/oauth2/token", hosted.issuer))
        .form(&fields)
        .send()
        .await
        .unwrap();
    assert_eq!(bare.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn strangers_who_guess_do_not_lock_a_browser_somebody_works_in() {
    let hosted = hosted().await;
    let mine = browser();
    assert_eq!(
        hosted.log_in(&mine, PASSWORD).await.status(),
        StatusCode::SEE_OTHER
    );
    for _ in 0..8 {
        hosted.log_in(&browser(), "Wrong passw0rd!").await;
    }
    let stranger = hosted.log_in(&browser(), PASSWORD).await;
    assert_eq!(stranger.status(), StatusCode::TOO_MANY_REQUESTS);
    let form = [("username", EMAIL), ("password", PASSWORD)];
    let again = mine.post(hosted.page("login")).form(&form).send().await.unwrap();
    assert_eq!(again.status(), StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_form_larger_than_any_is_refused_before_it_is_read() {
    let hosted = hosted().await;
    let long = "x".repeat(20_000);
    for page in ["login", "newPassword", "forgotPassword", "confirmForgotPassword"] {
        let form = [
            ("username", long.as_str()),
            ("password", ""),
            ("again", ""),
            ("session", ""),
            ("code", ""),
        ];
        let answer = browser()
            .post(hosted.page(page))
            .form(&form)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE, "{page}");
    }
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_look_alike_and_guessing_is_slowed() {
    let hosted = hosted().await;
    let wrong = hosted.log_in(&browser(), "wrong password").await;
    assert_eq!(wrong.status(), StatusCode::UNAUTHORIZED);
    let wrong = wrong.text().await.unwrap();
    let page = to(
        &browser().get(hosted.authorize(&[])).send().await.unwrap(),
        &hosted.issuer,
    );
    let unknown = browser()
        .post(page)
        .form(&[("username", "b@example.com"), ("password", "wrong password")]);
    let unknown = unknown.send().await.unwrap().text().await.unwrap();
    assert_eq!(wrong, unknown.replace("b@example.com", EMAIL));
    for _ in 0..4 {
        hosted.log_in(&browser(), "wrong password").await;
    }
    assert_eq!(
        hosted.log_in(&browser(), PASSWORD).await.status(),
        StatusCode::TOO_MANY_REQUESTS
    );
}

#[tokio::test]
async fn nobody_is_sent_to_an_address_the_client_does_not_have() {
    let hosted = hosted().await;
    let exact = hosted.redirect_uri();
    for uri in [
        "https://evil.example/oauth2/idpresponse",
        &format!("{exact}/"),
        &format!("{exact}?x=1"),
    ] {
        let answer = browser()
            .get(hosted.authorize(&[("redirect_uri", uri)]))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{uri}");
    }
    for (name, value, error) in [
        ("response_type", "token", "unsupported_response_type"),
        ("code_challenge_method", "plain", "invalid_request"),
        ("scope", "openid aws.cognito.signin.user.admin", "invalid_scope"),
    ] {
        let answer = browser()
            .get(hosted.authorize(&[(name, value)]))
            .send()
            .await
            .unwrap();
        assert_eq!(field(&to(&answer, &hosted.issuer), "error"), error);
    }
    let page = hosted
        .authorize(&[])
        .as_str()
        .replace("/oauth2/authorize", "/login");
    let form = [("username", EMAIL), ("password", PASSWORD)];
    let foreign = browser()
        .post(page)
        .header("origin", "https://evil.example")
        .form(&form)
        .send()
        .await
        .unwrap();
    assert_eq!(foreign.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn what_was_typed_into_the_form_comes_back_as_text() {
    let hosted = hosted().await;
    let page = hosted
        .authorize(&[])
        .as_str()
        .replace("/oauth2/authorize", "/login");
    let form = [("username", "\"><script>x</script>"), ("password", "whatever")];
    let text = browser()
        .post(page)
        .form(&form)
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(!text.contains("<script>"), "{text}");
}

#[tokio::test]
async fn a_sign_in_lasts_by_its_refresh_token_with_the_groups_as_they_are() {
    let hosted = hosted().await;
    let back = to(&hosted.log_in(&browser(), PASSWORD).await, &hosted.issuer);
    let tokens: Value = hosted
        .exchange(&field(&back, "code"), VERIFIER)
        .await
        .json()
        .await
        .unwrap();
    let refresh = tokens["refresh_token"].as_str().unwrap();
    api(&hosted, "CreateGroup", json!({"GroupName": "second-team"})).await;
    let member = json!({"Username": EMAIL, "GroupName": "second-team"});
    assert_eq!(api(&hosted, "AdminAddUserToGroup", member).await.0, 200);
    let grant = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
    let fresh: Value = hosted
        .tokens(&grant)
        .await
        .error_for_status()
        .unwrap()
        .json()
        .await
        .unwrap();
    assert!(fresh.get("refresh_token").is_none(), "it does not rotate");
    let claims = hosted.claims(&fresh["id_token"]).await;
    assert_eq!(claims["cognito:groups"], json!(["numbers-team", "second-team"]));
    let info = |token: &Value| {
        let request = Client::new().get(format!("{}/oauth2/userInfo", hosted.issuer));
        request.bearer_auth(token.as_str().unwrap()).send()
    };
    let told: Value = info(&fresh["access_token"]).await.unwrap().json().await.unwrap();
    assert_eq!(told["email"], EMAIL);
    let file = std::fs::read(hosted.folder.path().join("data/people.redb")).unwrap();
    let secret = URL_SAFE_NO_PAD.decode(refresh).unwrap();
    let secret = secret.rsplit(|byte| *byte == b'.').next().unwrap();
    assert!(
        !file.windows(secret.len()).any(|part| part == secret),
        "the token lies on disk"
    );

    let revoke = Client::new()
        .post(format!("{}/oauth2/revoke", hosted.issuer))
        .form(&[("token", refresh)])
        .basic_auth(CLIENT_ID, Some(hosted.sign_in.client_secret()));
    assert_eq!(revoke.send().await.unwrap().status(), StatusCode::OK);
    assert_eq!(hosted.tokens(&grant).await.status(), StatusCode::BAD_REQUEST);
    assert_eq!(
        info(&fresh["access_token"]).await.unwrap().status(),
        StatusCode::UNAUTHORIZED,
        "what was made by a revoked sign-in is worth nothing here"
    );
}

#[tokio::test]
async fn refresh_tokens_run_out_and_end_with_the_account() {
    let hosted = hosted().await;
    let refresh = || async {
        let back = to(&hosted.log_in(&browser(), PASSWORD).await, &hosted.issuer);
        let tokens: Value = hosted
            .exchange(&field(&back, "code"), VERIFIER)
            .await
            .json()
            .await
            .unwrap();
        tokens["refresh_token"].as_str().unwrap().to_owned()
    };
    let fresh = |token: String| {
        let hosted = &hosted;
        async move {
            let grant = [("grant_type", "refresh_token"), ("refresh_token", token.as_str())];
            hosted.tokens(&grant).await.status()
        }
    };
    let (old, other) = (refresh().await, refresh().await);
    hosted.sign_in.pool.time.pass(Duration::from_secs(29 * 86_400));
    assert_eq!(fresh(old.clone()).await, StatusCode::OK);
    hosted.sign_in.pool.time.pass(Duration::from_secs(2 * 86_400));
    assert_eq!(fresh(old).await, StatusCode::BAD_REQUEST);
    assert_eq!(fresh(other).await, StatusCode::BAD_REQUEST);
    let (third, user) = (refresh().await, json!({"Username": EMAIL}));
    assert_eq!(api(&hosted, "AdminDisableUser", user.clone()).await.0, 200);
    assert_eq!(fresh(third.clone()).await, StatusCode::BAD_REQUEST);
    assert_eq!(api(&hosted, "AdminEnableUser", user).await.0, 200);
    assert_eq!(
        fresh(third).await,
        StatusCode::BAD_REQUEST,
        "what was ended stays ended"
    );
}

#[tokio::test]
async fn signing_out_leads_only_to_where_the_client_may_and_ends_with_a_page_elsewhere() {
    let hosted = hosted().await;
    let origin = hosted.redirect_uri().replace("/oauth2/idpresponse", "");
    let out = |uri: String| {
        let fields = [("client_id", CLIENT_ID), ("logout_uri", uri.as_str())];
        browser()
            .get(Url::parse_with_params(&format!("{}/logout", hosted.issuer), fields).unwrap())
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
async fn a_remembered_sign_in_is_over_once_the_person_is_signed_out_everywhere() {
    let hosted = hosted().await;
    let browser = browser();
    hosted.log_in(&browser, PASSWORD).await;
    let again = || async {
        to(
            &browser.get(hosted.authorize(&[])).send().await.unwrap(),
            &hosted.issuer,
        )
    };
    assert!(again().await.as_str().contains("code="));
    api(&hosted, "AdminUserGlobalSignOut", json!({"Username": EMAIL})).await;
    assert!(again().await.path().ends_with("/login"));
}
