//! `groundcrew status`: the console's model, as text or JSON, once or on every change.

mod show;

use std::io::IsTerminal as _;
use std::process::ExitCode;
use std::time::Duration;

use console::Reader;
use console::model::Model;

use crate::args::Status;
use crate::endpoint::{console_config, running};
use crate::paint::{self, Paint};

const PAUSE: Duration = Duration::from_millis(500);
/// To the top left, and away with what was there.
const CLEAR: &str = "\u{1b}[H\u{1b}[2J\u{1b}[3J";

pub(crate) async fn run(status: Status) -> anyhow::Result<ExitCode> {
    let stack = running(&status.data.folder()).await?;
    let reader = Reader::new(&console_config(&stack)?);
    if !status.watch {
        let model = reader.load().await?;
        return paint::out(&one(&model, status.json)?);
    }
    tokio::select! {
        end = watch(&reader, status.json) => end,
        _ = tokio::signal::ctrl_c() => Ok(ExitCode::SUCCESS),
    }
}

fn one(model: &Model, json: bool) -> anyhow::Result<String> {
    Ok(if json {
        serde_json::to_string_pretty(model)? + "\n"
    } else {
        show::text(model, Paint::stdout())
    })
}

async fn watch(reader: &Reader, json: bool) -> anyhow::Result<ExitCode> {
    let screen = std::io::stdout().is_terminal();
    let mut before: Option<String> = None;
    loop {
        let model = reader.load().await?;
        let now = if json {
            serde_json::to_string(&model)? + "\n"
        } else {
            show::text(&model, Paint::stdout())
        };
        if before.as_ref() != Some(&now) {
            let clear = if screen && !json { CLEAR } else { "" };
            paint::out(&format!("{clear}{now}"))?;
            before = Some(now);
        }
        tokio::time::sleep(PAUSE).await;
    }
}
