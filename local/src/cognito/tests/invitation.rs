//! From the invitation to the first token: temporary passwords, the person's own, and what the triggers answer.

use std::sync::Mutex;

use super::*;

/// What the triggers were called with.
type Calls = Arc<Mutex<Vec<(Trigger, Value)>>>;

/// Puts everyone into numbers-team, as the function does, and keeps what it was sent.
fn trigger_that_assigns(calls: Calls) -> TriggerFn {
    trigger_with(move |trigger, mut event| {
        calls.lock().unwrap().push((trigger, event.clone()));
        if trigger == Trigger::PreTokenGeneration {
            event["response"] = json!({"claimsOverrideDetails": {"groupOverrideDetails": {
                "groupsToOverride": ["numbers-team"], "iamRolesToOverride": [], "preferredRole": null,
            }}});
        }
        Ok(event)
    })
}

async fn text(response: Response) -> String {
    response.text().await.unwrap()
}

/// Answers the page on which a person chooses a password.
async fn choose(pool: &TestPool, browser: &Client, page: &str, password: &str, again: &str) -> Response {
    let (session, username) = (hidden_field(page, "session"), hidden_field(page, "username"));
    let form = [
        ("session", session.as_str()),
        ("username", username.as_str()),
        ("password", password),
        ("again", again),
    ];
    pool.post(browser, "newPassword", &form).await
}

#[tokio::test]
async fn an_invited_person_chooses_a_password_and_has_the_team_in_the_first_token() {
    let calls = Calls::default();
    let pool = start_pool_with(trigger_that_assigns(calls.clone())).await;
    let temporary = pool.invite(INVITED).await;
    let mail = pool.mail_to(INVITED).remove(0);
    assert_eq!(mail.subject.as_deref(), Some("Your temporary password"));
    assert!(mail.text.contains(INVITED) && mail.html.is_some(), "{mail:?}");
    let browser = browser();
    let page = pool.log_in_as(&browser, "Ana@Example.ORG", &temporary).await;
    assert_eq!(page.status(), StatusCode::OK);
    let page = text(page).await;
    assert!(
        page.contains("Choose your own password") && page.contains("an upper-case letter"),
        "{page}"
    );

    let weak = text(choose(&pool, &browser, &page, "all lower-case", "all lower-case").await).await;
    assert!(
        weak.contains("an upper-case letter <strong>(missing)") && weak.contains("a digit <strong>(missing)")
    );
    let unlike = text(choose(&pool, &browser, &page, OWN, "Another 1").await).await;
    assert!(unlike.contains("not the same"), "{unlike}");
    let tokens = pool.redeem(&choose(&pool, &browser, &page, OWN, OWN).await).await;
    for token in ["id_token", "access_token"] {
        assert_eq!(
            pool.claims(&tokens[token]).await["cognito:groups"],
            json!(["numbers-team"]),
            "{token}"
        );
    }
    let calls: Vec<_> = std::mem::take(&mut *calls.lock().unwrap());
    let sources: Vec<_> = calls
        .iter()
        .map(|(_, event)| event["triggerSource"].as_str().unwrap())
        .collect();
    assert_eq!(
        sources,
        ["CustomMessage_AdminCreateUser", "TokenGeneration_Authentication"],
        "and no PostConfirmation: the person was invited"
    );
    let event = &calls[1].1;
    assert_eq!(event["version"], "1");
    assert_eq!(event["userPoolId"], POOL_ID);
    assert_eq!(event["callerContext"]["clientId"], CLIENT_ID);
    let attributes = &event["request"]["userAttributes"];
    assert_eq!(attributes["sub"], event["userName"]);
    assert_eq!(attributes["cognito:user_status"], "CONFIRMED");
    assert_eq!(
        (&attributes["email"], &attributes["email_verified"]),
        (&json!(INVITED), &json!("true"))
    );
    let groups = json!({"groupsToOverride": [], "iamRolesToOverride": [], "preferredRole": null});
    assert_eq!(event["request"]["groupConfiguration"], groups);

    let spent = pool.log_in_as(&super::browser(), INVITED, &temporary).await;
    assert_eq!(
        spent.status(),
        StatusCode::UNAUTHORIZED,
        "a temporary password is good once"
    );
    assert_eq!(
        pool.log_in_as(&super::browser(), INVITED, OWN).await.status(),
        StatusCode::SEE_OTHER
    );
}

#[tokio::test]
async fn a_trigger_that_fails_fails_the_sign_in_with_its_text_above_the_form() {
    let pool = start_pool_with(trigger_with(|_, _| Err("no room in <this> team".to_owned()))).await;
    let page = text(pool.log_in(&browser(), PASSWORD).await).await;
    let said = "PreTokenGeneration failed with error no room in &lt;this&gt; team.";
    assert!(
        page.contains(said) && page.contains("name=\"password\""),
        "{page}"
    );
    let (_, answer) = initiate(&pool, EMAIL, PASSWORD).await;
    assert_eq!(answer["__type"], "UserLambdaValidationException");
    assert_eq!(
        answer["message"],
        "PreTokenGeneration failed with error no room in <this> team."
    );
}

#[tokio::test]
async fn a_trigger_that_is_slow_or_answers_nonsense_fails_the_sign_in_by_its_own_type() {
    for (answer, kind) in [
        (json!("nonsense"), "InvalidLambdaResponseException"),
        (json!({"no": "response"}), "InvalidLambdaResponseException"),
        (
            json!({"response": {"claimsOverrideDetails": "x"}}),
            "InvalidLambdaResponseException",
        ),
        (
            json!({"response": {"claimsOverrideDetails": {"groupOverrideDetails": {"groupsToOverride": [1]}}}}),
            "InvalidLambdaResponseException",
        ),
    ] {
        let pool = start_pool_with(trigger_with(move |_, _| Ok(answer.clone()))).await;
        assert_eq!(initiate(&pool, EMAIL, PASSWORD).await.1["__type"], kind);
    }
    let pool = start_pool_with(Arc::new(|_, _| std::future::pending().boxed())).await;
    let began = std::time::Instant::now();
    let (_, slow) = initiate(&pool, EMAIL, PASSWORD).await;
    assert_eq!(slow["__type"], "UnexpectedLambdaException", "{slow}");
    let took = began.elapsed();
    assert!(
        took >= Duration::from_secs(5) && took < Duration::from_secs(15),
        "{took:?}"
    );
}

#[tokio::test]
async fn a_function_that_panics_is_that_invocations_failure_alone() {
    let pool = start_pool_with(Arc::new(|_, _| async { panic!("as a test wants it") }.boxed())).await;
    assert_eq!(
        initiate(&pool, EMAIL, PASSWORD).await.1["__type"],
        "UserLambdaValidationException"
    );
}

#[tokio::test]
async fn a_password_that_is_set_stays_set_when_the_trigger_fails_after_it() {
    let failing = trigger_with(|trigger, event| match trigger {
        Trigger::PreTokenGeneration => Err("later".to_owned()),
        _ => Ok(event),
    });
    let pool = start_pool_with(failing).await;
    let temporary = pool.invite(INVITED).await;
    let browser = browser();
    let page = text(pool.log_in_as(&browser, INVITED, &temporary).await).await;
    let failed = text(choose(&pool, &browser, &page, OWN, OWN).await).await;
    assert!(
        failed.contains("failed with error later") && failed.contains("Sign in to label"),
        "{failed}"
    );
    let (_, user) = api(&pool, "AdminGetUser", json!({"Username": INVITED})).await;
    assert_eq!(user["UserStatus"], "CONFIRMED");
}

#[tokio::test]
async fn a_temporary_password_expires_and_only_its_owner_learns_it() {
    let pool = start_pool().await;
    let temporary = pool.invite(INVITED).await;
    pool.cognito
        .pool
        .time
        .advance(Duration::from_secs(7 * 86_400 + 1));
    let wrong = text(pool.log_in_as(&browser(), INVITED, "Wrong passw0rd!").await).await;
    assert!(
        !wrong.contains("expired") && wrong.contains("Wrong e-mail"),
        "{wrong}"
    );
    let right = text(pool.log_in_as(&browser(), INVITED, &temporary).await).await;
    assert!(
        right.contains("has expired") && right.contains("newer invitation"),
        "{right}"
    );
    let (_, api_answer) = initiate(&pool, INVITED, &temporary).await;
    assert_eq!(api_answer["__type"], "NotAuthorizedException");
    assert!(
        api_answer["message"]
            .as_str()
            .unwrap()
            .starts_with("Temporary password has expired")
    );

    let again = json!({"Username": INVITED, "MessageAction": "RESEND", "DesiredDeliveryMediums": ["EMAIL"]});
    ok(&pool, "AdminCreateUser", again).await;
    let fresh = pool.wait_for_secret(INVITED, 2).await;
    assert_eq!(
        pool.log_in_as(&browser(), INVITED, &temporary).await.status(),
        StatusCode::UNAUTHORIZED
    );
    assert!(
        text(pool.log_in_as(&browser(), INVITED, &fresh).await)
            .await
            .contains("Choose your own")
    );
}

#[tokio::test]
async fn a_page_to_choose_a_password_on_is_void_once_the_invitation_was_sent_again() {
    let pool = start_pool().await;
    let temporary = pool.invite(INVITED).await;
    let browser = browser();
    let page = text(pool.log_in_as(&browser, INVITED, &temporary).await).await;
    let again = json!({"Username": INVITED, "MessageAction": "RESEND", "DesiredDeliveryMediums": ["EMAIL"]});
    ok(&pool, "AdminCreateUser", again).await;
    let late = choose(&pool, &browser, &page, OWN, OWN).await;
    assert_eq!(late.status(), StatusCode::FORBIDDEN);
    assert!(text(late).await.contains("newest invitation"));
}

#[tokio::test]
async fn an_invitation_has_the_words_the_function_gives_it() {
    let pool = start_pool_with(trigger_with(|trigger, mut event| {
        if trigger == Trigger::CustomMessage {
            let team = event["request"]["clientMetadata"]["team"]
                .as_str()
                .unwrap_or("no team")
                .to_owned();
            event["response"]["emailSubject"] = json!(format!("Join {team}"));
            event["response"]["emailMessage"] = json!("<p>Hi {username},</p><p>use <b>{####}</b></p>");
        }
        Ok(event)
    }))
    .await;
    let request = json!({
        "Username": INVITED, "DesiredDeliveryMediums": ["EMAIL"], "TemporaryPassword": "Te<mp>&1rary",
        "ClientMetadata": {"team": "numbers-team"},
    });
    ok(&pool, "AdminCreateUser", request).await;
    let mail = pool.mail_to(INVITED).remove(0);
    assert_eq!(mail.subject.as_deref(), Some("Join numbers-team"));
    assert_eq!(mail.text, format!("Hi {INVITED},\n\nuse Te<mp>&1rary"));
    let html = format!("<p>Hi {INVITED},</p><p>use <b>Te&lt;mp&gt;&amp;1rary</b></p>");
    assert_eq!(mail.html.unwrap(), html);
}

#[tokio::test]
async fn words_without_their_placeholders_stay_unsent_and_too_many_are_refused() {
    for (message, goes_out) in [
        ("no password in it".to_owned(), true),
        ("{username}{####}".repeat(2_000), false),
    ] {
        let pool = start_pool_with(trigger_with(move |_, mut event| {
            event["response"]["emailMessage"] = json!(message);
            Ok(event)
        }))
        .await;
        let request = json!({"Username": INVITED, "DesiredDeliveryMediums": ["EMAIL"]});
        let (status, answer) = api(&pool, "AdminCreateUser", request).await;
        if goes_out {
            assert_eq!(status, 200, "{answer}");
            assert!(
                pool.mail_to(INVITED)[0]
                    .text
                    .starts_with("Your username is:\n\nana@example.org\n\n")
            );
        } else {
            assert_eq!(answer["__type"], "InvalidLambdaResponseException");
        }
    }
}

#[tokio::test]
async fn a_first_sign_in_costs_little_beside_the_hashing() {
    let pool = start_pool().await;
    let mut took = Vec::new();
    for _ in 0..5 {
        let browser = browser();
        let began = std::time::Instant::now();
        let form = [("username", EMAIL), ("password", PASSWORD)];
        pool.redeem(&pool.post(&browser, "login", &form).await).await;
        took.push(began.elapsed());
    }
    took.sort();
    println!("sign-in with trigger and tokens, median of 5: {:?}", took[2]);
}

/// As a process leaves it that was killed between the account and the mail, or between the mail and saying so.
#[tokio::test]
async fn an_invitation_that_was_not_mailed_is_mailed_at_the_next_start_and_one_that_was_is_not() {
    let pool = start_pool().await;
    let due = |name: &'static str| {
        pool.cognito.change_user(name, |user| {
            user.mail_due = Some(serde_json::Map::new());
            Ok(())
        })
    };
    pool.invite(INVITED).await;
    assert!(pool.cognito.user(INVITED).unwrap().mail_due.is_none());
    let unmailed = "bo@example.org";
    pool.invite(unmailed).await;
    due(unmailed).await.unwrap();
    pool.cognito.mail_unsent_invitations().await;
    assert_eq!(
        pool.mail_to(unmailed).len(),
        2,
        "the first was before the account was marked"
    );
    assert_eq!(pool.mail_to(INVITED).len(), 1);
    pool.cognito.mail_unsent_invitations().await;
    assert_eq!(pool.mail_to(unmailed).len(), 2);
    let (browser, temporary) = (browser(), pool.wait_for_secret(unmailed, 2).await);
    let page = pool.log_in_as(&browser, unmailed, &temporary).await;
    assert_eq!(
        page.status(),
        StatusCode::OK,
        "the newest password is the good one"
    );
}
