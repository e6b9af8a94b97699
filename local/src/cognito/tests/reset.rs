//! Forgotten passwords.

use std::sync::Mutex;

use super::*;
use crate::info::FirstWorker;

async fn forgot(pool: &TestPool, email: &str) -> String {
    let form = [("username", email)];
    let answer = pool.post(&browser(), "forgotPassword", &form).await;
    assert_eq!(answer.status(), StatusCode::OK);
    answer.text().await.unwrap()
}

async fn confirm(pool: &TestPool, email: &str, code: &str, password: &str) -> String {
    let form = [
        ("username", email),
        ("code", code),
        ("password", password),
        ("again", password),
    ];
    let answer = pool.post(&browser(), "confirmForgotPassword", &form).await;
    answer.text().await.unwrap()
}

fn another_code(code: &str) -> &'static str {
    if code == "000000" { "111111" } else { "000000" }
}

#[tokio::test]
async fn a_forgotten_password_is_replaced_with_a_code_from_the_mail_and_the_trigger_is_called() {
    let sources = Arc::new(Mutex::new(Vec::new()));
    let kept = sources.clone();
    let pool = start_pool_with(trigger_with(move |_, event| {
        kept.lock()
            .unwrap()
            .push(event["triggerSource"].as_str().unwrap().to_owned());
        Ok(event)
    }))
    .await;
    let before = initiate(&pool, EMAIL, PASSWORD).await.1["AuthenticationResult"].clone();
    assert!(forgot(&pool, EMAIL).await.contains("If there is an account"));
    let code = pool.wait_for_secret(EMAIL, 1).await;
    let wrong = another_code(&code);
    assert!(confirm(&pool, EMAIL, wrong, OWN).await.contains("Wrong code"));
    assert!(confirm(&pool, EMAIL, &code, "weak").await.contains("(missing)"));
    assert!(
        confirm(&pool, EMAIL, &code, OWN)
            .await
            .contains("Your password is set")
    );
    assert!(
        confirm(&pool, EMAIL, &code, OWN).await.contains("Wrong code"),
        "a code is good once"
    );
    assert_eq!(pool.log_in(&browser(), OWN).await.status(), StatusCode::SEE_OTHER);
    let (_, over) = call(&pool, "GetUser", json!({"AccessToken": before["AccessToken"]})).await;
    assert_eq!(
        over["__type"], "NotAuthorizedException",
        "earlier sign-ins end with the password"
    );
    let called = [
        "TokenGeneration_Authentication",
        "CustomMessage_ForgotPassword",
        "PostConfirmation_ConfirmForgotPassword",
        "TokenGeneration_Authentication",
    ];
    assert_eq!(*sources.lock().unwrap(), called);
}

#[tokio::test]
async fn a_code_is_void_after_five_tries_whatever_else_is_asked_for_meanwhile() {
    let pool = start_pool().await;
    forgot(&pool, EMAIL).await;
    let code = pool.wait_for_secret(EMAIL, 1).await;
    let wrong = another_code(&code);
    for _ in 0..5 {
        confirm(&pool, EMAIL, wrong, OWN).await;
    }
    // As many other names as are remembered push this one out.
    let now = pool.cognito.pool.time.instant() + Duration::from_secs(1);
    for n in 0..10_001 {
        let _counted = pool
            .cognito
            .pool
            .limits
            .codes
            .begin(&format!("{n}@example.org"), now);
    }
    let answer = confirm(&pool, EMAIL, &code, OWN).await;
    assert!(answer.contains("Wrong code"), "{answer}");
    assert_ne!(pool.log_in(&browser(), OWN).await.status(), StatusCode::SEE_OTHER);
    let hash = pool.cognito.user(EMAIL).unwrap().code.unwrap().hash;
    assert!(hash.len() == 64 && !hash.contains(&code), "an HMAC: {hash}");
}

#[tokio::test]
async fn a_password_that_was_kept_is_known_to_be_void_once_it_was_replaced() {
    let pool = start_pool().await;
    let kept = |password: &str| FirstWorker {
        email: EMAIL.to_owned(),
        password: password.to_owned(),
    };
    assert!(pool.cognito.is_password_of(&kept(PASSWORD)).await);
    forgot(&pool, EMAIL).await;
    let code = pool.wait_for_secret(EMAIL, 1).await;
    confirm(&pool, EMAIL, &code, OWN).await;
    assert!(!pool.cognito.is_password_of(&kept(PASSWORD)).await);
    assert!(pool.cognito.is_password_of(&kept(OWN)).await);
}

#[tokio::test]
async fn asking_for_a_code_does_not_show_who_has_an_account() {
    let pool = start_pool().await;
    pool.invite(INVITED).await;
    let known = forgot(&pool, EMAIL).await;
    for other in ["b@example.com", INVITED] {
        assert_eq!(forgot(&pool, other).await.replace(other, EMAIL), known, "{other}");
    }
    forgot(&pool, EMAIL).await;
    pool.wait_for_secret(EMAIL, 2).await;
    assert_eq!(
        pool.mail_to(INVITED).len(),
        1,
        "a person who has not accepted the invitation gets no code"
    );
}

#[tokio::test]
async fn codes_expire_and_guessing_them_is_limited() {
    let pool = start_pool().await;
    forgot(&pool, EMAIL).await;
    let code = pool.wait_for_secret(EMAIL, 1).await;
    pool.cognito.pool.time.advance(Duration::from_secs(3601));
    assert!(confirm(&pool, EMAIL, &code, OWN).await.contains("has expired"));
    forgot(&pool, EMAIL).await;
    let code = pool.wait_for_secret(EMAIL, 2).await;
    for _ in 0..5 {
        assert!(confirm(&pool, EMAIL, "abcdef", OWN).await.contains("Wrong code"));
    }
    assert!(confirm(&pool, EMAIL, &code, OWN).await.contains("Too many tries"));
}
