//! `groundcrew demo`: a dataset from dropped files to labels, in seconds and with the real parts. Example files are
//! dropped, three simulated workers (one of them careless) sign in and label, labels are consolidated, and the notice is
//! sent.

mod outcome;
pub(crate) mod sign_in;
mod watch;
pub(crate) mod worker;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use console::Reader;
use local::{Stack, StackConfig};

use crate::args::Demo;
use crate::example;
use crate::one_machine::console_config;
use crate::paint::{self, Paint};
use crate::services::Services;
use watch::ModelWatch;
use worker::{Worker, WorkerAnswer};

/// A demo that takes longer is broken.
const TIMEOUT: Duration = Duration::from_secs(120);

/// Three workers label each number, so that two can outvote the careless one. All files are dropped at once, so one second
/// of quiet is enough.
fn demo_spec(spec: &str) -> String {
    spec.replace("workers_per_item: 1 ", "workers_per_item: 3 ")
        .replace("quiet: 5s", "quiet: 1s")
}

pub(crate) async fn run(demo: Demo) -> anyhow::Result<ExitCode> {
    let folder = tempfile::tempdir().context("the demo needs a temporary folder")?;
    let config = StackConfig::on_free_ports(folder.path());
    let stack = Stack::start(config, |_, _| axum::Router::new()).await?;
    let output = tokio::select! {
        output = tokio::time::timeout(TIMEOUT, run_demo(&stack, &demo)) => {
            output.unwrap_or_else(|_| Err(anyhow::anyhow!("the demo was not done after {TIMEOUT:?}")))
        }
        _ = tokio::signal::ctrl_c() => Err(anyhow::anyhow!("interrupted")),
    };
    stack.shutdown().await;
    paint::print(&output?)
}

async fn run_demo(stack: &Stack, demo: &Demo) -> anyhow::Result<String> {
    let started = Instant::now();
    let config = console_config(stack.info())?;
    let reader = Reader::new(&config);
    let workers = sign_in_workers(stack).await?;
    let watch = ModelWatch::new(&reader);

    watch.say("Dropping ten numbers and a labeling.yaml into a folder");
    example::write(&stack.info().drop_folder, demo_spec)?;
    let job = watch.until_running().await?;
    watch.say("Three workers label; one is careless");
    let labeled = tokio::try_join!(
        watch.until_done(&job),
        futures::future::try_join_all(workers.iter().map(|worker| worker.label(&job)))
    );
    let (job, answers) = labeled?;
    watch.say("Waiting for the notice");
    let notice = watch.until_notice().await?;
    watch.finish();

    let answers: Vec<WorkerAnswer> = answers.into_iter().flatten().collect();
    let services = Services::new(&config);
    let labels = outcome::read_labels(&services, &job, &answers).await?;
    let outcome = outcome::Outcome {
        labels,
        notice,
        job,
        answers: answers.len(),
        seconds: started.elapsed().as_secs_f64(),
    };
    outcome.check()?;
    Ok(if demo.json {
        outcome.json()?
    } else {
        outcome.text(Paint::stdout())
    })
}

/// Ada and Grace are right; Max guesses wrong about a third of the time.
async fn sign_in_workers(stack: &Stack) -> anyhow::Result<Vec<Worker>> {
    let mut workers = Vec::new();
    for (name, careless) in [("ada", false), ("grace", false), ("max", true)] {
        let (email, password) = (format!("{name}@example.com"), format!("{name}-labels-numbers-7"));
        stack.add_worker(&email, &password, &[&stack.info().team]).await?;
        let signed_in = sign_in::sign_in(&stack.info().web_url, &email, &password);
        let client = signed_in
            .await
            .with_context(|| format!("{name} could not sign in"))?;
        workers.push(Worker::new(client, &stack.info().web_url, careless));
    }
    Ok(workers)
}

#[cfg(test)]
mod tests {
    use shared::spec::Spec;

    use super::*;

    #[test]
    fn the_demo_needs_three_workers_and_does_not_wait_long() {
        let (_, spec) = example::FILES[10];
        let spec = Spec::parse(demo_spec(spec).as_bytes()).unwrap();
        assert_eq!(
            (spec.workers_per_item, spec.batch.quiet),
            (3, Duration::from_secs(1))
        );
    }
}
