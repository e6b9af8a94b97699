//! `groundcrew`: the command. Reads what was asked, hands it to the one module that does it, and says what went
//! wrong.

mod args;
mod check;
mod cloud;
mod demo;
mod deployed;
mod endpoint;
mod example;
mod paint;
mod progress;
mod serve_console;
mod smoke;
mod status;
mod up;

use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::Parser as _;
use tracing_subscriber::EnvFilter;

use crate::args::{Args, Command, Schema};

fn main() -> ExitCode {
    close_files_to_others();
    let args = Args::parse();
    log();
    let outcome = match args.chosen() {
        Command::Up(up) => wait(up::run(up)),
        Command::Demo(demo) => wait(demo::run(demo)),
        Command::Status(status) => wait(status::run(status)),
        Command::Link(data) => wait(up::link(data)),
        Command::Console(console) => wait(serve_console::run(console)),
        Command::Smoke(smoke) => wait(smoke::run(smoke)),
        Command::Check(check) => wait(check::run(check)),
        Command::Schema(schema) => paint::out(&format!("{:#}\n", of_file(&schema))),
    };
    outcome.unwrap_or_else(|error| {
        paint::complain(&error);
        ExitCode::FAILURE
    })
}

/// Whatever is written holds answers, addresses or keys: databases and drafts too, which others make.
fn close_files_to_others() {
    let _theirs_before = rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
}

fn of_file(schema: &Schema) -> serde_json::Value {
    if schema.team {
        shared::crew::TeamFile::json_schema()
    } else {
        shared::spec::Spec::json_schema()
    }
}

fn wait(work: impl Future<Output = anyhow::Result<ExitCode>>) -> anyhow::Result<ExitCode> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(work)
}

/// Not what `s3s` calls errors: every request that a client got wrong, which the client is told. What goes wrong with
/// the store is logged by the store. Nor how the SDK looked in vain for a Region and for credentials, page after page:
/// whoever needs them says that there are none, and what to do.
const LOGGED: &str = "warn,s3s=off,aws_config=off";

/// What goes wrong inside, on stderr; `RUST_LOG` asks for more.
fn log() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(LOGGED));
    let logger = tracing_subscriber::fmt()
        .with_env_filter(filter)
        // A log on a full disk would otherwise be complained of on that very log, which panics.
        .log_internal_errors(false)
        .with_writer(std::io::stderr);
    logger.with_ansi(std::io::stderr().is_terminal()).init();
}
