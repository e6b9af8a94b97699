//! `groundcrew status`: the console's model, as text or JSON, once or on every change.

mod crew;
mod show;

use std::io::IsTerminal as _;
use std::process::ExitCode;
use std::time::Duration;

use console::Reader;
use console::model::Model;
use shared::manifest::without_line_breaks;

use crate::args::{Place, Status};
use crate::endpoint::target;
use crate::paint::{self, Paint};

/// Time between two looks.
const HERE: Duration = Duration::from_millis(500);
/// A look is a dozen requests, which cost a little and count against quotas.
const ON_AWS: Duration = Duration::from_secs(10);
/// To the top left, and away with what was there; what the terminal showed earlier stays to scroll back to.
const CLEAR: &str = "\u{1b}[H\u{1b}[2J";

pub(crate) async fn run(status: Status) -> anyhow::Result<ExitCode> {
    let reader = reader(&status.place).await?;
    if !status.watch {
        let model = reader.load().await?;
        return paint::out(&one(&model, &status)?);
    }
    tokio::select! {
        end = watch(reader, &status) => end,
        _ = tokio::signal::ctrl_c() => Ok(ExitCode::SUCCESS),
    }
}

async fn reader(place: &Place) -> anyhow::Result<Reader> {
    Ok(Reader::new(&target(place).await?.config))
}

fn one(model: &Model, status: &Status) -> anyhow::Result<String> {
    Ok(if status.json {
        serde_json::to_string_pretty(model)? + "\n"
    } else {
        show::text(model, status.people, Paint::stdout())
    })
}

/// Until Ctrl-C; over a restart too, which may be at other ports.
async fn watch(mut reader: Reader, status: &Status) -> anyhow::Result<ExitCode> {
    let (json, place) = (status.json, &status.place);
    let pause = if place.stack.is_some() { ON_AWS } else { HERE };
    let screen = std::io::stdout().is_terminal() && !json;
    let mut before: Option<String> = None;
    loop {
        let now = match reader.load().await {
            Ok(model) if json => without_line_breaks(serde_json::to_string(&model)?) + "\n",
            Ok(model) => show::text(&model, status.people, Paint::stdout()),
            Err(error) => match self::reader(place).await {
                Ok(found) => {
                    reader = found;
                    format!("{error}\n")
                }
                Err(error) => gone(place, &error),
            },
        };
        // Lines of JSON are models and nothing else.
        let said = json && !now.starts_with('{');
        if before.as_ref() != Some(&now) && !said {
            let clear = if screen { CLEAR } else { "" };
            paint::out(&format!("{clear}{now}"))?;
            before = Some(now);
        }
        tokio::time::sleep(pause).await;
    }
}

/// Of a stack on AWS the reason counts: keys run out while one watches.
fn gone(place: &Place, error: &anyhow::Error) -> String {
    match &place.stack {
        Some(_) => format!("{error}\nLooking again.\n"),
        None => {
            let folder = place.data.folder();
            let folder = folder.display();
            format!("Groundcrew does not run with {folder} now. Waiting for it.\n")
        }
    }
}
