//! `groundcrew up`: everything on this machine, until Ctrl-C.

mod banner;
mod exposure;

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use axum::Router;
use local::{Stack, StackConfig, StackInfo};

use self::banner::Before;
use crate::args::{Data, Up};
use crate::endpoint::{console_config, running};
use crate::example;
use crate::paint::{self, Paint};

pub(crate) async fn run(up: Up) -> anyhow::Result<ExitCode> {
    let data = up.data.folder();
    // Whatever was kept makes it a second start: an example somebody has deleted does not come back.
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

/// Links for browsers that are not signed in, or not any more.
pub(crate) async fn link(data: Data) -> anyhow::Result<ExitCode> {
    let info = running(&data.folder()).await?;
    let links = [("Console", &info.console_url), ("Outbox", &info.outbox_url)];
    for (name, page) in links {
        paint::out(&format!("{name:<9}{}\n", banner::start_link(page, &info)))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn mount(info: &StackInfo, outbox: Router, problem: &mut anyhow::Result<()>) -> Router {
    match console_config(info) {
        Ok(config) => console::router_beside(config, outbox),
        Err(error) => {
            *problem = Err(error);
            Router::new()
        }
    }
}

async fn serve(up: &Up, data: &Path, stack: &Stack, first: bool) -> anyhow::Result<ExitCode> {
    let info = stack.info();
    let before = match (first, up.bare) {
        (true, false) => Before::Example,
        (true, true) => Before::Nothing,
        (false, _) => Before::Something,
    };
    if before == Before::Example {
        example::write(&info.drop_folder, str::to_owned)
            .and_then(|()| example::write_team(&info.drop_folder))
            .context("the example could not be dropped")?;
    }
    let first_password = stack.first_password_holds().await;
    paint::out(&banner::text(info, before, first_password, Paint::stdout()))?;
    if up.web.ip().is_unspecified() && up.public_url.is_none() {
        let hint =
            "Only this machine can open the portal so. Name the address that others use, for example with";
        paint::out(&format!("  {hint}\n    --public-url http://192.168.1.5:8080\n\n"))?;
    }
    if let Some(warning) = exposure::warning(up.web.ip(), up.public_url.as_deref()) {
        paint::out(&warning)?;
    }
    wait_for_end().await?;
    let _nobody_listens = writeln!(
        std::io::stderr().lock(),
        "\nStopping. Everything is kept in {}",
        data.display()
    );
    Ok(ExitCode::SUCCESS)
}

/// Ctrl-C, or what a service manager sends.
async fn wait_for_end() -> anyhow::Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => Ok(interrupted?),
        _ = terminate.recv() => Ok(()),
    }
}
