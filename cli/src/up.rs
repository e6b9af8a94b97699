//! `groundcrew up`: everything on this machine, until Ctrl-C.

mod banner;
mod exposure;

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use axum::Router;
use local::{Stack, StackConfig, StackInfo};

use self::banner::StartKind;
use crate::args::{DataFolder, Up};
use crate::example;
use crate::one_machine::{console_config, running_stack};
use crate::paint::{self, Paint};

pub(crate) async fn run(up: Up) -> anyhow::Result<ExitCode> {
    let data = up.data.folder();
    // On a later start the example is not written again: it may have been deleted on purpose.
    let first_start = !data.join("drop").exists();
    let config = StackConfig {
        data: data.clone(),
        aws: up.aws,
        web: up.web,
        public_url: up.public_url.clone(),
        record: up.record.clone(),
        trusted_proxies: up.trusted_proxies()?,
        links: up.links.clone(),
    };
    let mut console = Ok(());
    let stack = Stack::start(config, |info, outbox| mount(info, outbox, &mut console)).await?;
    console?;
    let outcome = serve(&up, &data, &stack, first_start).await;
    stack.shutdown().await;
    outcome
}

/// Links for browsers that are not signed in.
pub(crate) async fn link(data: DataFolder) -> anyhow::Result<ExitCode> {
    let info = running_stack(&data.folder()).await?;
    let links = [("Console", &info.console_url), ("Outbox", &info.outbox_url)];
    for (name, page) in links {
        paint::print(&format!("{name:<9}{}\n", banner::start_link(page, &info)))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn mount(info: &StackInfo, outbox: Router, problem: &mut anyhow::Result<()>) -> Router {
    match console_config(info) {
        Ok(config) => console::router_with_pages(config, outbox),
        Err(error) => {
            *problem = Err(error);
            Router::new()
        }
    }
}

async fn serve(up: &Up, data: &Path, stack: &Stack, first: bool) -> anyhow::Result<ExitCode> {
    let info = stack.info();
    let start = match (first, up.bare) {
        (true, false) => StartKind::WithExample,
        (true, true) => StartKind::Empty,
        (false, _) => StartKind::Later,
    };
    if start == StartKind::WithExample {
        example::write(&info.drop_folder, str::to_owned)
            .and_then(|()| example::write_team(&info.drop_folder))
            .context("the example could not be dropped")?;
    }
    let first_password = stack.first_password_is_unchanged().await;
    paint::print(&banner::text(info, start, first_password, Paint::stdout()))?;
    if up.web.ip().is_unspecified() && up.public_url.is_none() {
        let hint = "Only this machine can open the portal at this address. Name the one that others use, for example with";
        paint::print(&format!("  {hint}\n    --public-url http://192.168.1.5:8080\n\n"))?;
    }
    if let Some(warning) = exposure::warning(up.web.ip(), up.public_url.as_deref()) {
        paint::print(&warning)?;
    }
    wait_for_signal().await?;
    let _reader_is_gone = writeln!(
        std::io::stderr().lock(),
        "\nStopping. Everything is kept in {}",
        data.display()
    );
    Ok(ExitCode::SUCCESS)
}

/// Ctrl-C, or what a service manager sends.
async fn wait_for_signal() -> anyhow::Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => Ok(interrupted?),
        _ = terminate.recv() => Ok(()),
    }
}
