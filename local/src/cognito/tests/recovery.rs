//! Forgotten passwords, and signing up where the pool allows it.

use std::sync::Mutex;

use super::*;
use crate::info::FirstWorker;

async fn forgot(hosted: &Hosted, email: &str) -> String {
    let form = [("username", email)];
    let answer = browser()
        .post(hosted.page("forgotPassword"))
        .form(&form)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    answer.text().await.unwrap()
}

async fn confirm(hosted: &Hosted, email: &str, code: &str, password: &str) -> String {
    let form = [
        ("username", email),
        ("code", code),
        ("password", password),
        ("again", password),
    ];
    let answer = browser()
        .post(hosted.page("confirmForgotPassword"))
        .form(&form)
        .send()
        .await
        .unwrap();
    answer.text().await.unwrap()
}

#[tokio::test]
async fn a_forgotten_password_is_replaced_by_a_code_from_the_mail_and_the_trigger_hears_of_it() {
    let sources = Arc::new(Mutex::new(Vec::new()));
    let kept = sources.clone();
    let hosted = hosted_with(answering(move |_, event| {
        kept.lock()
            .unwrap()
            .push(event["triggerSource"].as_str().unwrap().to_owned());
        Ok(event)
    }))
    .await;
    let before = initiate(&hosted, EMAIL, PASSWORD).await.1["AuthenticationResult"].clone();
    assert!(forgot(&hosted, EMAIL).await.contains("If there is an account"));
    let code = hosted.mailed(EMAIL, 1).await;
    let wrong = if code == "000000" { "111111" } else { "000000" };
    assert!(
        confirm(&hosted, EMAIL, wrong, OWN)
            .await
            .contains("The code is not right")
    );
    assert!(confirm(&hosted, EMAIL, &code, "weak").await.contains("(missing)"));
    assert!(
        confirm(&hosted, EMAIL, &code, OWN)
            .await
            .contains("Your password is set")
    );
    assert!(
        confirm(&hosted, EMAIL, &code, OWN)
            .await
            .contains("The code is not right"),
        "a code is good once"
    );
    assert_eq!(
        hosted.log_in(&browser(), OWN).await.status(),
        StatusCode::SEE_OTHER
    );
    let (_, over) = call(&hosted, "GetUser", json!({"AccessToken": before["AccessToken"]})).await;
    assert_eq!(
        over["__type"], "NotAuthorizedException",
        "earlier sign-ins end with the password"
    );
    let told = [
        "TokenGeneration_Authentication",
        "CustomMessage_ForgotPassword",
        "PostConfirmation_ConfirmForgotPassword",
        "TokenGeneration_Authentication",
    ];
    assert_eq!(*sources.lock().unwrap(), told);
}

#[tokio::test]
async fn a_code_is_void_after_five_tries_whatever_else_is_asked_for_meanwhile() {
    let hosted = hosted().await;
    forgot(&hosted, EMAIL).await;
    let code = hosted.mailed(EMAIL, 1).await;
    let wrong = if code == "000000" { "111111" } else { "000000" };
    for _ in 0..5 {
        confirm(&hosted, EMAIL, wrong, OWN).await;
    }
    // As many other names as are remembered push this one out.
    let now = hosted.sign_in.pool.time.instant() + Duration::from_secs(1);
    for n in 0..10_001 {
        let _counted = hosted
            .sign_in
            .pool
            .code_guessing
            .begin(&format!("{n}@example.org"), now);
    }
    let answer = confirm(&hosted, EMAIL, &code, OWN).await;
    assert!(answer.contains("The code is not right"), "{answer}");
    assert_ne!(
        hosted.log_in(&browser(), OWN).await.status(),
        StatusCode::SEE_OTHER
    );
    let kept = hosted
        .sign_in
        .pool
        .store
        .view()
        .unwrap()
        .find(EMAIL)
        .unwrap()
        .unwrap();
    let hash = kept.code.unwrap().hash;
    assert!(hash.len() == 64 && !hash.contains(&code), "an HMAC: {hash}");
}

#[tokio::test]
async fn a_password_that_was_kept_is_known_to_be_over_when_it_was_replaced() {
    let hosted = hosted().await;
    let kept = |password: &str| FirstWorker {
        email: EMAIL.to_owned(),
        password: password.to_owned(),
    };
    assert!(hosted.sign_in.is_password_of(&kept(PASSWORD)).await);
    forgot(&hosted, EMAIL).await;
    let code = hosted.mailed(EMAIL, 1).await;
    confirm(&hosted, EMAIL, &code, OWN).await;
    assert!(!hosted.sign_in.is_password_of(&kept(PASSWORD)).await);
    assert!(hosted.sign_in.is_password_of(&kept(OWN)).await);
}

#[tokio::test]
async fn asking_for_a_code_tells_nobody_who_has_an_account() {
    let hosted = hosted().await;
    hosted.invite(INVITED).await;
    let known = forgot(&hosted, EMAIL).await;
    for other in ["b@example.com", INVITED] {
        assert_eq!(
            forgot(&hosted, other).await.replace(other, EMAIL),
            known,
            "{other}"
        );
    }
    let ask = |name: &str| json!({"ClientId": CLIENT_ID, "Username": name, "SecretHash": secret_hash(&hosted, name)});
    let (_, known) = call(&hosted, "ForgotPassword", ask(EMAIL)).await;
    assert_eq!(known["CodeDeliveryDetails"]["Destination"], "a***@e***");
    let (_, unknown) = call(&hosted, "ForgotPassword", ask("another@else.com")).await;
    assert_eq!(known, unknown);
    hosted.mailed(EMAIL, 2).await;
    assert_eq!(
        hosted.mail_to(INVITED).len(),
        1,
        "whoever has not accepted the invitation gets no code"
    );
    let mut confirm = ask("another@else.com");
    confirm["ConfirmationCode"] = json!("123456");
    confirm["Password"] = json!(OWN);
    assert_eq!(
        call(&hosted, "ConfirmForgotPassword", confirm).await.1["__type"],
        "CodeMismatchException"
    );
}

#[tokio::test]
async fn codes_run_out_and_guessing_them_is_slowed() {
    let hosted = hosted().await;
    forgot(&hosted, EMAIL).await;
    let code = hosted.mailed(EMAIL, 1).await;
    hosted.sign_in.pool.time.pass(Duration::from_secs(3601));
    assert!(confirm(&hosted, EMAIL, &code, OWN).await.contains("has run out"));
    forgot(&hosted, EMAIL).await;
    let code = hosted.mailed(EMAIL, 2).await;
    for _ in 0..5 {
        assert!(
            confirm(&hosted, EMAIL, "abcdef", OWN)
                .await
                .contains("is not right")
        );
    }
    assert!(
        confirm(&hosted, EMAIL, &code, OWN)
            .await
            .contains("Too many tries")
    );
}

#[tokio::test]
async fn after_an_administrators_reset_only_the_code_gets_in() {
    let hosted = hosted().await;
    assert_eq!(
        api(&hosted, "AdminResetUserPassword", json!({"Username": EMAIL}))
            .await
            .0,
        200
    );
    assert_eq!(
        initiate(&hosted, EMAIL, PASSWORD).await.1["__type"],
        "PasswordResetRequiredException"
    );
    assert_eq!(
        initiate(&hosted, EMAIL, "Wrong passw0rd!").await.1["__type"],
        "NotAuthorizedException"
    );
    let code = hosted.mailed(EMAIL, 1).await;
    assert!(
        confirm(&hosted, EMAIL, &code, OWN)
            .await
            .contains("Your password is set")
    );
    assert_eq!(initiate(&hosted, EMAIL, OWN).await.0, 200);
}

#[tokio::test]
async fn nobody_signs_up_unless_the_pool_says_so_and_then_the_address_is_confirmed_by_a_code() {
    let confirmed = Arc::new(Mutex::new(0));
    let counts = confirmed.clone();
    let hosted = hosted_with(answering(move |trigger, event| {
        *counts.lock().unwrap() += usize::from(trigger == Trigger::PostConfirmation);
        Ok(event)
    }))
    .await;
    let hash = secret_hash(&hosted, INVITED);
    let sign_up = json!({"ClientId": CLIENT_ID, "Username": INVITED, "Password": OWN, "SecretHash": hash});
    let (_, closed) = call(&hosted, "SignUp", sign_up.clone()).await;
    assert_eq!(closed["message"], "SignUp is not permitted for this user pool");
    let (_, pool) = api(&hosted, "DescribeUserPool", json!({})).await;
    let open = json!({"LambdaConfig": pool["UserPool"]["LambdaConfig"]});
    assert_eq!(
        api(&hosted, "UpdateUserPool", open).await.0,
        200,
        "what is not repeated is reset: sign-up is open"
    );
    let (status, answer) = call(&hosted, "SignUp", sign_up).await;
    assert_eq!(
        (status, &answer["UserConfirmed"]),
        (200, &json!(false)),
        "{answer}"
    );
    assert_eq!(
        initiate(&hosted, INVITED, OWN).await.1["__type"],
        "UserNotConfirmedException"
    );
    let code = hosted.mailed(INVITED, 1).await;
    let confirm =
        json!({"ClientId": CLIENT_ID, "Username": INVITED, "ConfirmationCode": code, "SecretHash": hash});
    assert_eq!(call(&hosted, "ConfirmSignUp", confirm).await.0, 200);
    assert_eq!(*confirmed.lock().unwrap(), 1);
    assert_eq!(initiate(&hosted, INVITED, OWN).await.0, 200);
}
