//! One smoke test: the stack it runs against, its dataset and job, and waiting for what a step needs.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use console::Reader;
use shared::name::{BatchNumber, DatasetName, JobName};
use shared::port::crew::WorkTeamDescription;

use super::dataset;
use super::printer::Printer;
use super::team::{self, WorkerSignIn};
use crate::args;
use crate::locate;
use crate::services::Services;
use crate::target::Target;

/// The dataset is new, so its batch is the first.
pub(super) const BATCH: BatchNumber = BatchNumber::FIRST;
/// Time between two reads of a stack on this machine.
const LOCAL_PAUSE: Duration = Duration::from_millis(200);
const AWS_PAUSE: Duration = Duration::from_secs(5);

/// The value of a step, and what is printed of it.
pub(super) type Step<T> = anyhow::Result<(T, String)>;

pub(super) struct SmokeRun {
    pub(super) services: Services,
    pub(super) reader: Reader,
    pub(super) target: Target,
    pub(super) team: String,
    /// `None`: the job is stopped once it runs.
    pub(super) worker: Option<WorkerSignIn>,
    pub(super) dataset: DatasetName,
    pub(super) job: JobName,
    /// Files were dropped, so there is something to clean up.
    pub(super) has_dropped: AtomicBool,
    pause: Duration,
    pub(super) step_timeout: Duration,
}

/// The stack before anything was dropped.
pub(super) struct StateBefore {
    pub(super) team: WorkTeamDescription,
    /// Number of messages by queue.
    pub(super) dead_letters: BTreeMap<String, u64>,
}

/// Whether what is waited for is there.
pub(super) enum Progress<T> {
    Done(T),
    /// The current state, for people.
    Pending(String),
}

impl SmokeRun {
    pub(super) async fn prepare(args: &args::Smoke) -> anyhow::Result<Self> {
        let target = locate::find(&args.location).await?;
        let services = Services::new(&target.config);
        let team = match &args.team {
            Some(team) => team.clone(),
            None => team::only_team(&services, target.config.hints.team.as_deref()).await?,
        };
        let worker = team::worker(args, &target, &team)?;
        ensure!(
            worker.is_none() || target.is_engine,
            "only a Groundcrew engine takes labels from a program; Ground Truth's portal is for people: leave out \
             --worker, and the job is stopped once it runs"
        );
        let dataset = DatasetName::new(&dataset::name(jiff::Timestamp::now()))?;
        let is_local = args.location.stack.is_none() || target.sdk.endpoint_url().is_some();
        Ok(Self {
            reader: Reader::new(&target.config),
            job: JobName::new(&target.config.job_prefix, &dataset, BATCH),
            pause: if is_local { LOCAL_PAUSE } else { AWS_PAUSE },
            step_timeout: args.patience,
            has_dropped: AtomicBool::new(false),
            services,
            team,
            worker,
            dataset,
            target,
        })
    }

    pub(super) async fn work_team(&self) -> anyhow::Result<WorkTeamDescription> {
        let team = self.services.work_team(&self.team).await?;
        team.with_context(|| format!("the labeling service has no work team `{}`", self.team))
    }

    /// Reads until what is waited for is there, or the step has taken too long.
    pub(super) async fn until<T>(
        &self,
        printer: &Printer,
        read: impl AsyncFn() -> anyhow::Result<Progress<T>>,
    ) -> anyhow::Result<T> {
        let end = Instant::now() + self.step_timeout;
        loop {
            let state = match read().await? {
                Progress::Done(value) => return Ok(value),
                Progress::Pending(state) => state,
            };
            printer.state(&state);
            let minutes = self.step_timeout.as_secs() / 60;
            ensure!(Instant::now() < end, "{state}, still after {minutes} minutes");
            tokio::time::sleep(self.pause).await;
        }
    }
}
