//! `groundcrew`: the command. Parses the command line, calls the module for it, and prints the error if there is one.

mod adopt;
mod args;
mod aws_stack;
mod check;
mod demo;
mod example;
mod locate;
mod one_machine;
mod paint;
mod progress;
mod serve_console;
mod services;
mod smoke;
mod status;
mod target;
mod up;

use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::Parser as _;
use tracing_subscriber::EnvFilter;

use crate::args::{Args, Command, Schema};

fn main() -> ExitCode {
    make_new_files_private();
    let args = Args::parse();
    start_log();
    let outcome = match args.into_command() {
        Command::Up(up) => block_on(up::run(up)),
        Command::Demo(demo) => block_on(demo::run(demo)),
        Command::Status(status) => block_on(status::run(status)),
        Command::Link(data) => block_on(up::link(data)),
        Command::Console(console) => block_on(serve_console::run(console)),
        Command::Adopt(adopt) => block_on(adopt::run(adopt)),
        Command::Smoke(smoke) => block_on(smoke::run(smoke)),
        Command::Check(check) => block_on(check::run(check)),
        Command::Schema(schema) => paint::print(&format!("{:#}\n", json_schema(&schema))),
    };
    outcome.unwrap_or_else(|error| {
        paint::print_error(&error);
        ExitCode::FAILURE
    })
}

/// Files hold answers, addresses or keys, also those that libraries make, such as databases.
fn make_new_files_private() {
    let _umask_before = rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
}

fn json_schema(schema: &Schema) -> serde_json::Value {
    if schema.team {
        shared::crew::TeamFile::json_schema()
    } else {
        shared::spec::Spec::json_schema()
    }
}

fn block_on(work: impl Future<Output = anyhow::Result<ExitCode>>) -> anyhow::Result<ExitCode> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(work)
}

/// `s3s` is off, because it logs every faulty request of a client as an error; the client gets that error, and failures of
/// the store are logged by the store. `aws_config` is off, because it logs at length how it found no Region and no
/// credentials; the command that needs them says so, and what to do.
const DEFAULT_FILTER: &str = "warn,s3s=off,aws_config=off";

/// Warnings and errors go to stderr; `RUST_LOG` changes the filter.
fn start_log() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(DEFAULT_FILTER));
    let logger = tracing_subscriber::fmt()
        .with_env_filter(filter)
        // On a full disk the logger would otherwise try to log its own failure, and panic.
        .log_internal_errors(false)
        .with_writer(std::io::stderr);
    logger.with_ansi(std::io::stderr().is_terminal()).init();
}
