//! `groundcrew status`: the console's model, as text or JSON, once or on every change.

mod crew;
mod show;

use std::io::IsTerminal as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use console::Reader;
use console::model::Model;

use crate::args::Status;
use crate::endpoint::{console_config, running};
use crate::paint::{self, Paint};

const PAUSE: Duration = Duration::from_millis(500);
/// To the top left, and away with what was there; what the terminal showed earlier stays to scroll back to.
const CLEAR: &str = "\u{1b}[H\u{1b}[2J";

pub(crate) async fn run(status: Status) -> anyhow::Result<ExitCode> {
    let data = status.data.folder();
    let reader = reader(&data).await?;
    if !status.watch {
        let model = reader.load().await?;
        return paint::out(&one(&model, &status)?);
    }
    tokio::select! {
        end = watch(reader, &data, &status) => end,
        _ = tokio::signal::ctrl_c() => Ok(ExitCode::SUCCESS),
    }
}

async fn reader(data: &Path) -> anyhow::Result<Reader> {
    Ok(Reader::new(&console_config(&running(data).await?)?))
}

fn one(model: &Model, status: &Status) -> anyhow::Result<String> {
    Ok(if status.json {
        serde_json::to_string_pretty(model)? + "\n"
    } else {
        show::text(model, status.people, Paint::stdout())
    })
}

/// Until Ctrl-C; over a restart too, which may be at other ports.
async fn watch(mut reader: Reader, data: &Path, status: &Status) -> anyhow::Result<ExitCode> {
    let json = status.json;
    let screen = std::io::stdout().is_terminal() && !json;
    let mut before: Option<String> = None;
    loop {
        let now = match reader.load().await {
            Ok(model) if json => serde_json::to_string(&model)? + "\n",
            Ok(model) => show::text(&model, status.people, Paint::stdout()),
            Err(error) => match self::reader(data).await {
                Ok(found) => {
                    reader = found;
                    format!("{error}\n")
                }
                Err(_) => format!(
                    "Groundcrew does not run with {} now. Waiting for it.\n",
                    data.display()
                ),
            },
        };
        // Lines of JSON are models and nothing else.
        let said = json && !now.starts_with('{');
        if before.as_ref() != Some(&now) && !said {
            let clear = if screen { CLEAR } else { "" };
            paint::out(&format!("{clear}{now}"))?;
            before = Some(now);
        }
        tokio::time::sleep(PAUSE).await;
    }
}
