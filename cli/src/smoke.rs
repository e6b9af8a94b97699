//! `groundcrew smoke`: three texts go through every step of a stack, each step is checked through the AWS APIs, and
//! everything that can be deleted is deleted again, however the test ends.

mod cleanup;
mod dataset;
mod printer;
mod run;
mod steps;
mod team;

use std::process::ExitCode;
use std::time::Instant;

use anyhow::anyhow;
use shared::shell;

use self::printer::Printer;
use self::run::SmokeRun;
use crate::args::{self, Location};

pub(crate) async fn run(args: args::Smoke) -> anyhow::Result<ExitCode> {
    let smoke = SmokeRun::prepare(&args).await?;
    let printer = Printer::new();
    let started = Instant::now();
    printer.heading(&format!(
        "Smoke test: dataset {}, team {}, job {}",
        smoke.dataset, smoke.team, smoke.job
    ))?;
    let outcome = tokio::select! {
        outcome = steps::run_all(&smoke, &printer) => outcome,
        _ = tokio::signal::ctrl_c() => Err(anyhow!("interrupted")),
    };
    let cleaned = cleanup::clean_up(&smoke, &printer).await;
    let outcome = outcome.and(cleaned);
    printer.verdict(&outcome, started.elapsed(), &status_command(&args.location))
}

/// The command that shows more.
fn status_command(location: &Location) -> String {
    match (&location.stack, &location.region) {
        (Some(name), Some(region)) => format!(
            "groundcrew status --stack {} --region {}",
            shell::word(name),
            shell::word(region)
        ),
        (Some(name), None) => format!("groundcrew status --stack {}", shell::word(name)),
        (None, _) => {
            let folder = location.data.folder().display().to_string();
            format!("groundcrew status --data {}", shell::path(&folder))
        }
    }
}
