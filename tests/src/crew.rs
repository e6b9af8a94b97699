//! People as they come to a team: a file is dropped, a mail arrives, a password is chosen.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::app::App;
use crate::wait;
use crate::worker::Worker;

/// A sweep at the start, a file noticed on disk, an event, an invitation: seconds, on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// What an invitation says.
#[derive(Clone, Debug)]
pub struct Invitation {
    pub portal: String,
    pub password: String,
    pub mail: Value,
}

/// Drops `teams/<team>.yaml`; the same name again replaces it.
pub fn drop_team(app: &App, team: &str, text: &str) -> Result<()> {
    let folder = app.drop_folder().join("teams");
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join(format!("{team}.yaml")), text)?;
    Ok(())
}

/// A team file for these people.
pub fn team_file(workers: &[&str]) -> String {
    format!(
        "organization: Example Lab\ncontact: labels@example.org\ndescription: People who label numbers\nworkers: [{}]\n",
        workers.join(", ")
    )
}

/// Everything that was mailed to this address, oldest first.
pub async fn mails(app: &App, to: &str) -> Result<Vec<Value>> {
    let outbox = app.outbox(to).await?;
    let all = outbox["messages"].as_array().cloned().unwrap_or_default();
    let mut mine: Vec<Value> = all.into_iter().filter(|mail| mail["to"] == to).collect();
    mine.sort_by_key(|mail| mail["at"].as_str().unwrap_or_default().to_owned());
    Ok(mine)
}

/// The `nth` mail to this address, from 1.
pub async fn mail(app: &App, to: &str, nth: usize) -> Value {
    wait::until(&format!("mail {nth} to {to}"), PATIENCE, || async {
        let mails = mails(app, to).await.map_err(|e| e.to_string())?;
        let subjects: Vec<String> = mails.iter().map(|m| m["subject"].to_string()).collect();
        mails.into_iter().nth(nth - 1).ok_or(format!("{subjects:?}"))
    })
    .await
}

/// The first invitation to this address.
pub async fn invitation(app: &App, to: &str) -> Result<Invitation> {
    let mail = mail(app, to, 1).await;
    let text = mail["text"].as_str().context("a mail has a text")?;
    // Each is alone on its line.
    let portal = text
        .lines()
        .find(|line| line.starts_with("http"))
        .map(str::to_owned)
        .with_context(|| format!("no address in {text}"))?;
    let password = between(text, "temporary password:\n", |c| c == '\n')
        .map(str::to_owned)
        .with_context(|| format!("no password in {text}"))?;
    Ok(Invitation {
        portal,
        password,
        mail,
    })
}

fn between<'a>(text: &'a str, before: &str, end: impl Fn(char) -> bool) -> Option<&'a str> {
    let rest = text.split_once(before)?.1;
    Some(rest.split(end).next().unwrap_or(rest))
}

/// Signs in with the temporary password and chooses their own, as the pages ask; the worker is signed in then.
pub async fn accept(app: &App, invitation: &Invitation, email: &str, password: &str) -> Result<Worker> {
    let worker = Worker::new(email, password)?;
    let form = worker.open(&format!("{}/login", app.text("web_url"))).await?;
    let address = form.url().clone();
    let fields = [("username", email), ("password", invitation.password.as_str())];
    let page = worker.submit(address.clone(), &fields).await?;
    let text = page.text().await?;
    let session = between(&text, "name=\"session\" value=\"", |c| c == '"')
        .with_context(|| format!("asked for no new password: {text}"))?;
    let mut onward = address.join("newPassword")?;
    onward.set_query(address.query());
    let chosen = [
        ("session", session),
        ("username", email),
        ("password", password),
        ("again", password),
    ];
    let page = worker.submit(onward, &chosen).await?;
    ensure!(
        page.status().is_success() && page.url().path() == "/",
        "after the new password: {} {}",
        page.status(),
        page.url()
    );
    Ok(worker)
}

/// People of a team in this state (`joined`, `left`, ...), as `groundcrew status --json` counts them.
pub async fn people_in_state(app: &App, team: &str, state: &str, people: u64) -> Value {
    let what = format!("{people} {state} in the team {team}");
    wait::until(&what, PATIENCE, || async {
        let status = app.status().map_err(|e| format!("{e:#}"))?;
        let teams = status["crew"]["teams"].as_array().cloned().unwrap_or_default();
        let found = teams.into_iter().find(|known| known["name"] == team);
        let found = found.ok_or_else(|| status["crew"].to_string())?;
        if found["counts"][state] == people {
            Ok(found)
        } else {
            Err(status["crew"].to_string())
        }
    })
    .await
}
