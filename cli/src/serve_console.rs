//! `groundcrew console`: serves the console of a stack on AWS, to this machine alone. A person who opens it acts with the
//! AWS credentials of this command.

use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use console::ConsoleConfig;
use tokio::net::TcpListener;

use crate::args::Console;
use crate::aws_stack;
use crate::paint::{self, Paint, Style};

pub(crate) async fn run(args: Console) -> anyhow::Result<ExitCode> {
    ensure!(
        args.web.ip().is_loopback(),
        "the console would lend your AWS credentials to everyone who can reach {}: give --web a loopback address, such as \
         127.0.0.1:8090",
        args.web
    );
    let mut config = aws_stack::find(&args.stack, args.region.as_deref()).await?.config;
    let listener = TcpListener::bind(args.web)
        .await
        .with_context(|| format!("the console cannot be served at {}", args.web))?;
    config.public_url = format!("http://{}", listener.local_addr()?);
    config.secret = new_secret()?;
    paint::print(&start_message(&args.stack, &config, Paint::stdout()))?;
    let served = axum::serve(listener, console::router(config));
    tokio::select! {
        ended = served => ended?,
        interrupted = tokio::signal::ctrl_c() => interrupted?,
    }
    Ok(ExitCode::SUCCESS)
}

fn start_message(stack: &str, config: &ConsoleConfig, paint: Paint) -> String {
    let token = console::link_token(&config.secret);
    let link = format!("{}/console?token={token}", config.public_url);
    let (title, link) = (
        paint.word(Style::Strong, "Console"),
        paint.word(Style::Place, &link),
    );
    let note = paint.word(
        Style::Dim,
        "The link works once. The console acts with your AWS credentials; Ctrl-C stops it, and changes nothing on AWS.",
    );
    format!("\n  {title} of the stack {stack}: {link}\n  {note}\n\n")
}

/// A new one at every start.
fn new_secret() -> anyhow::Result<String> {
    let mut bytes = [0u8; 32];
    getrandom::fill(&mut bytes).context("this machine provides no random numbers")?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
