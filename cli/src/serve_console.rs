//! `groundcrew console`: the console of a stack on AWS, on this machine alone. Whoever opens it acts with the
//! credentials this command was started with.

use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use console::ConsoleConfig;
use tokio::net::TcpListener;

use crate::args::Console;
use crate::deployed;
use crate::paint::{self, Look, Paint};

pub(crate) async fn run(args: Console) -> anyhow::Result<ExitCode> {
    ensure!(
        args.web.ip().is_loopback(),
        "the console would lend your AWS credentials to everybody who reaches {}: give --web an address of this \
         machine alone, such as 127.0.0.1:8090",
        args.web
    );
    let mut config = deployed::find(&args.stack, args.region.as_deref()).await?.config;
    let listener = TcpListener::bind(args.web)
        .await
        .with_context(|| format!("the console cannot be served at {}", args.web))?;
    config.public_url = format!("http://{}", listener.local_addr()?);
    config.secret = secret()?;
    paint::out(&greeting(&args.stack, &config, Paint::stdout()))?;
    let served = axum::serve(listener, console::router(config));
    tokio::select! {
        ended = served => ended?,
        interrupted = tokio::signal::ctrl_c() => interrupted?,
    }
    Ok(ExitCode::SUCCESS)
}

fn greeting(stack: &str, config: &ConsoleConfig, paint: Paint) -> String {
    let token = console::link_token(&config.secret);
    let link = format!("{}/console?token={token}", config.public_url);
    let (head, link) = (
        paint.word(Look::Strong, "Console"),
        paint.word(Look::Place, &link),
    );
    let last = paint.word(
        Look::Dim,
        "The link works once. The console acts with your AWS credentials; Ctrl-C ends it, and nothing on AWS changes by that.",
    );
    format!("\n  {head} of the stack {stack}: {link}\n  {last}\n\n")
}

/// New at every start.
fn secret() -> anyhow::Result<String> {
    let mut bytes = [0u8; 32];
    getrandom::fill(&mut bytes).context("this machine gives no random numbers")?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
