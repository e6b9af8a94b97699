//! Guessing passwords: at one address, at one address spelled many ways, at many addresses.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context, Result};
use reqwest::StatusCode;
use tests::app::App;
use tests::aws::Aws;
use tests::{sign_in, wait};

const COLLEAGUE: (&str, &str) = ("grace@example.com", "Grace-labels-numbers-7");

const PATIENCE: Duration = Duration::from_secs(30);

async fn guess(app: &App, address: &str, password: &str) -> Result<(StatusCode, String)> {
    let begun = sign_in::begin(app.text("web_url")).await?;
    let answer = sign_in::pass(&begun.form, (address, password)).await?;
    Ok((answer.status(), answer.text().await?))
}

#[tokio::test(flavor = "multi_thread")]
async fn guesses_at_one_person_are_counted_together_however_the_address_is_spelled() -> Result<()> {
    let app = App::start_bare().await?;
    let aws = Aws::of(&app);
    aws.hire(&app, COLLEAGUE).await?;
    let (email, password) = app.worker();
    let sub = aws.sub(&app, email).await?;
    let spellings = [
        email.to_owned(),
        email.to_uppercase(),
        format!("  {email}"),
        format!("{email}\t"),
        format!("\u{a0}{email}\u{2003}"),
        sub,
        email.replace("w", "W"),
        email.to_owned(),
    ];
    // The eighth that counts locks for eight seconds: long enough for what follows, however slow the machine is.
    let (mut said, mut counted) = (Vec::new(), 0);
    for spelling in spellings.iter().cycle().take(1_000) {
        said.push(guess(&app, spelling, "not the password").await?.0);
        counted += usize::from(said.last() != Some(&StatusCode::TOO_MANY_REQUESTS));
        if counted == 8 {
            break;
        }
    }
    assert!(
        counted == 8 && said.contains(&StatusCode::TOO_MANY_REQUESTS),
        "{said:?}"
    );
    let by_name = guess(&app, &spellings[5], "not the password").await?;
    assert_eq!(
        by_name.0,
        StatusCode::TOO_MANY_REQUESTS,
        "the user name is no way round"
    );
    let right = guess(&app, email, password).await?;
    assert_eq!(
        right.0,
        StatusCode::TOO_MANY_REQUESTS,
        "locked even for the right one: {}",
        right.1
    );
    assert!(
        guess(&app, COLLEAGUE.0, COLLEAGUE.1).await?.0.is_redirection(),
        "others are not locked"
    );
    Ok(())
}

/// Six digits are a million guesses, were they let through.
#[tokio::test(flavor = "multi_thread")]
async fn the_code_of_a_forgotten_password_cannot_be_guessed() -> Result<()> {
    let app = App::start_bare().await?;
    let (email, password) = app.worker();
    let form = sign_in::begin(app.text("web_url")).await?.form;
    let post = async |page: &str, fields: &[(&str, &str)]| {
        let mut address = form.clone();
        address.set_path(&form.path().replace("/login", page));
        let answer = sign_in::client()?.post(address).form(fields).send().await?;
        anyhow::Ok((answer.status(), answer.text().await?))
    };
    post("/forgotPassword", &[("username", email)]).await?;
    let mut said = String::new();
    for number in 0..12 {
        let code = format!("{number:06}");
        let fields = [
            ("username", email),
            ("code", code.as_str()),
            ("password", "Chosen-by-mallory-7"),
            ("again", "Chosen-by-mallory-7"),
        ];
        let (status, page) = post("/confirmForgotPassword", &fields).await?;
        assert!(status.is_client_error(), "{status} {page}");
        said.push_str(&page);
    }
    assert!(said.contains("Too many tries"), "{said}");
    assert!(
        guess(&app, email, password).await?.0.is_redirection(),
        "the password is as it was"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn guesses_sent_at_once_gain_nothing() -> Result<()> {
    let app = App::start_bare().await?;
    let form = sign_in::begin(app.text("web_url")).await?.form;
    let email = app.worker().0.to_owned();
    let mut guesses = tokio::task::JoinSet::new();
    for number in 0..40 {
        let (form, email) = (form.clone(), email.clone());
        guesses.spawn(async move {
            let answer = sign_in::pass(&form, (&email, &format!("guess {number}"))).await;
            answer.map(|answer| answer.status())
        });
    }
    let mut tried = 0;
    while let Some(status) = guesses.join_next().await {
        tried += usize::from(status?? == StatusCode::UNAUTHORIZED);
    }
    assert!(tried <= 6, "{tried} of 40 guesses were compared");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guess_does_not_tell_who_has_an_account() -> Result<()> {
    let app = App::start_bare().await?;
    let (email, _) = app.worker();
    let mut known = BTreeSet::new();
    let mut unknown = BTreeSet::new();
    let form = sign_in::begin(app.text("web_url")).await?.form;
    for (address, answers) in [(email, &mut known), ("unknown@example.com", &mut unknown)] {
        // On a busy machine the first waits are over before the next guess is made; they double.
        for _ in 0..12 {
            let answer = sign_in::pass(&form, (address, "not the password")).await?;
            let status = answer.status();
            answers.insert((status, answer.text().await?.replace(address, "")));
            if status == StatusCode::TOO_MANY_REQUESTS {
                break;
            }
        }
    }
    let statuses = |answers: &BTreeSet<(StatusCode, String)>| {
        let all: BTreeSet<_> = answers.iter().map(|(status, _)| *status).collect();
        all
    };
    assert_eq!(statuses(&known), statuses(&unknown));
    let wrong = |answers: &BTreeSet<(StatusCode, String)>| {
        let page = answers
            .iter()
            .find(|(status, _)| *status == StatusCode::UNAUTHORIZED);
        page.map(|(_, page)| page.clone())
    };
    assert_eq!(wrong(&known), wrong(&unknown));
    Ok(())
}

/// Those whose own count never fills up: each address is tried once.
#[tokio::test(flavor = "multi_thread")]
async fn one_password_tried_at_many_addresses_is_slowed_and_locks_nobody_out_of_their_browser() -> Result<()>
{
    let app = App::start_bare().await?;
    let aws = Aws::of(&app);
    aws.hire(&app, COLLEAGUE).await?;
    let portal = app.text("web_url");
    let form = sign_in::begin(portal).await?.form;
    let entered = sign_in::pass(&form, COLLEAGUE).await?;
    assert!(entered.status().is_redirection(), "{entered:?}");
    let known = sign_in::cookie(&entered, "groundcrew_known").context("the browser is known")?;

    let mut guesses = tokio::task::JoinSet::new();
    for number in 0..60 {
        let form = form.clone();
        guesses.spawn(async move {
            let address = format!("person{number}@example.com");
            anyhow::Ok(sign_in::pass(&form, (&address, "Summer-of-2026")).await?.status())
        });
    }
    let mut compared = 0;
    while let Some(status) = guesses.join_next().await {
        compared += usize::from(status?? == StatusCode::UNAUTHORIZED);
    }
    // Thirty, the few that were compared at once, and one every two seconds: the 60 take some on a busy machine.
    assert!((30..50).contains(&compared), "{compared} of 60 were compared");

    let at_work = sign_in::client()?.post(form.clone());
    let at_work = at_work.header("cookie", format!("groundcrew_known={known}"));
    let fields = [("username", COLLEAGUE.0), ("password", COLLEAGUE.1)];
    let status = at_work.form(&fields).send().await?.status();
    assert!(status.is_redirection(), "a browser that is known: {status}");
    let stolen = sign_in::client()?.post(form.clone());
    let stolen = stolen.header("cookie", format!("groundcrew_known={known}"));
    let fields = [("username", app.worker().0), ("password", "Summer-of-2026")];
    let status = stolen.form(&fields).send().await?.status();
    assert!(status.is_client_error(), "{status}");
    wait::until("a browser that is new is let in", PATIENCE, || async {
        let entered = sign_in::pass(&form, app.worker())
            .await
            .map_err(|e| e.to_string())?;
        if entered.status().is_redirection() {
            Ok(())
        } else {
            Err(entered.status().to_string())
        }
    })
    .await;
    Ok(())
}
