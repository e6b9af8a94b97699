//! Guessing passwords: at one address, at one address spelled many ways, at many addresses.

use std::collections::BTreeSet;

use anyhow::Result;
use reqwest::StatusCode;
use tests::app::App;
use tests::aws::Aws;
use tests::sign_in;

const COLLEAGUE: (&str, &str) = ("grace@example.com", "Grace-labels-numbers-7");

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
    let mut said = Vec::new();
    for spelling in &spellings {
        said.push(guess(&app, spelling, "not the password").await?.0);
    }
    assert!(said.contains(&StatusCode::TOO_MANY_REQUESTS), "{said:?}");
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
    for _ in 0..6 {
        for (address, answers) in [(email, &mut known), ("nobody@example.com", &mut unknown)] {
            let answer = sign_in::pass(&form, (address, "not the password")).await?;
            answers.insert((answer.status(), answer.text().await?.replace(address, "")));
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
