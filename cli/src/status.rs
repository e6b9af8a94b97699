//! `groundcrew status`: prints the console's model as text or JSON, once or at every change.

mod crew;
mod mark;
mod show;

use std::io::IsTerminal as _;
use std::process::ExitCode;
use std::time::Duration;

use console::Reader;
use console::model::Model;
use shared::manifest::without_line_breaks;

use crate::args::{Location, Status};
use crate::locate;
use crate::paint::{self, Paint};

/// Time between two reads.
const LOCAL_PAUSE: Duration = Duration::from_millis(500);
/// A read is a dozen requests, which cost a little and count against quotas.
const AWS_PAUSE: Duration = Duration::from_secs(10);
/// Clears the screen; what the terminal showed earlier can still be scrolled back to.
const CLEAR: &str = "\u{1b}[H\u{1b}[2J";

pub(crate) async fn run(status: Status) -> anyhow::Result<ExitCode> {
    let reader = reader(&status.location).await?;
    if !status.watch {
        let model = reader.load().await?;
        return paint::print(&render(&model, &status)?);
    }
    tokio::select! {
        end = watch(reader, &status) => end,
        _ = tokio::signal::ctrl_c() => Ok(ExitCode::SUCCESS),
    }
}

async fn reader(location: &Location) -> anyhow::Result<Reader> {
    Ok(Reader::new(&locate::find(location).await?.config))
}

fn render(model: &Model, status: &Status) -> anyhow::Result<String> {
    Ok(if status.json {
        serde_json::to_string_pretty(model)? + "\n"
    } else {
        show::text(model, status.people, Paint::stdout())
    })
}

/// Runs until Ctrl-C, also over a restart of Groundcrew, which may use other ports.
async fn watch(mut reader: Reader, status: &Status) -> anyhow::Result<ExitCode> {
    let (json, location) = (status.json, &status.location);
    let pause = if location.stack.is_some() {
        AWS_PAUSE
    } else {
        LOCAL_PAUSE
    };
    let screen = std::io::stdout().is_terminal() && !json;
    let mut before: Option<String> = None;
    loop {
        let now = match reader.load().await {
            Ok(model) if json => without_line_breaks(serde_json::to_string(&model)?) + "\n",
            Ok(model) => show::text(&model, status.people, Paint::stdout()),
            Err(error) => match self::reader(location).await {
                Ok(new) => {
                    reader = new;
                    format!("{error}\n")
                }
                Err(error) => unavailable(location, &error),
            },
        };
        // With --json every line is a model, and nothing else.
        let is_message = json && !now.starts_with('{');
        if before.as_ref() != Some(&now) && !is_message {
            let clear = if screen { CLEAR } else { "" };
            paint::print(&format!("{clear}{now}"))?;
            before = Some(now);
        }
        tokio::time::sleep(pause).await;
    }
}

/// For a stack on AWS the error is shown: credentials may have expired.
fn unavailable(location: &Location, error: &anyhow::Error) -> String {
    match &location.stack {
        Some(_) => format!("{error}\nTrying again.\n"),
        None => {
            let folder = location.data.folder();
            let folder = folder.display();
            format!("Groundcrew does not run with {folder} now. Waiting until it starts.\n")
        }
    }
}
