//! A person is invited, opens the mail, signs in with the temporary password, chooses their own, and labels: in one
//! sitting, in a real Chromium. The admin sees it happen.

use anyhow::Result;
use tests::app::App;
use tests::browser::{Browser, key};
use tests::crew::{self, drop_team, invitation, mails, people_in_state, team_file};
use tests::wait;

const EVE: &str = "eve@example.org";
const PASSWORD: &str = "Eve-labels-7-numbers";
const SPEC: &str = "task: text-classification
labels: [Even, Odd]
team: newcomers
title: Even or odd?
workers_per_item: 1
batch: {quiet: 1s}
";

fn drop_a_number(app: &App) -> Result<()> {
    let folder = app.drop_folder().join("parity");
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join("labeling.yaml"), SPEC)?;
    std::fs::write(folder.join("42.txt"), "42")?;
    Ok(())
}

async fn read_the_mail(browser: &Browser, app: &App) -> Result<()> {
    browser.open(&app.outbox_url()).await?;
    let mail = browser
        .find("main a[href*='/outbox/']:not([href*='/api'])")
        .await?;
    browser.click(&mail).await?;
    browser.wait_for_text("Example Lab").await?;
    browser.screenshot("invitation").await
}

async fn fill(browser: &Browser, name: &str, text: &str) -> Result<()> {
    let field = browser.find(&format!("input[name={name}]")).await?;
    browser
        .run("document.activeElement.blur()", serde_json::json!([]))
        .await?;
    browser.type_into(&field, text).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invited_person_labels_in_the_session_in_which_the_password_is_set() -> Result<()> {
    let Some(browser) = Browser::start().await? else {
        return Ok(());
    };
    let app = App::start_bare().await?;
    drop_a_number(&app)?;
    drop_team(&app, "newcomers", &team_file(&[EVE]))?;
    let invitation = invitation(&app, EVE).await?;
    read_the_mail(&browser, &app).await?;

    browser.open(&invitation.portal).await?;
    let way = browser.find("#jobs a").await?;
    browser.click(&way).await?;
    fill(&browser, "username", EVE).await?;
    fill(
        &browser,
        "password",
        &format!("{}{}", invitation.password, key::ENTER),
    )
    .await?;
    browser.wait_for_text("Choose your own password").await?;
    fill(&browser, "password", "short").await?;
    fill(&browser, "again", &format!("short{}", key::ENTER)).await?;
    browser.wait_for_text("missing").await?;
    browser.screenshot("new-password").await?;
    fill(&browser, "password", PASSWORD).await?;
    fill(&browser, "again", &format!("{PASSWORD}{}", key::ENTER)).await?;

    browser.wait_for_text("Even or odd?").await?;
    browser.screenshot("first-session").await?;
    let start = browser.find("#jobs a").await?;
    browser.click(&start).await?;
    answer(&browser).await?;
    people_in_state(&app, "newcomers", "joined", 1).await;
    joining_is_announced(&app).await;

    browser.open(&format!("{}#people", app.console_url())).await?;
    browser.wait_for_text(EVE).await?;
    browser.find("team-card[data-name=newcomers]").await?;
    browser.screenshot("console-people").await
}

/// The number is even, by the keyboard, and nothing is left then.
async fn answer(browser: &Browser) -> Result<()> {
    let frame = browser.find("iframe").await?;
    browser.enter_frame(&frame).await?;
    browser.wait_for_text("42").await?;
    browser.leave_frame().await?;
    browser.press("1").await?;
    browser.press(key::ENTER).await?;
    browser.wait_for_text("All done").await
}

/// The admin gets a notice that a person has joined.
async fn joining_is_announced(app: &App) {
    wait::until("a notice that eve joined", crew::PATIENCE, || async {
        let mails = mails(app, "admin@example.com").await.map_err(|e| e.to_string())?;
        let joined = mails
            .iter()
            .any(|mail| mail["subject"].as_str().is_some_and(|s| s.contains("new member")));
        if joined { Ok(()) } else { Err(format!("{mails:?}")) }
    })
    .await;
}
