//! `groundcrew smoke`: three texts through the whole of a stack, each step looked at through the AWS APIs, and away
//! again. What can be taken back is, however it ends.

mod cleaning;
mod dataset;
mod narrator;
mod steps;
mod team;

use std::process::ExitCode;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use anyhow::{anyhow, ensure};
use console::Reader;
use shared::name::{BatchNumber, DatasetName, JobName};
use shared::shell;

use self::narrator::Narrator;
use self::team::SignIn;
use crate::args::{self, Place};
use crate::cloud::Cloud;
use crate::endpoint::{Target, target};

/// Time between two looks at a stack on this machine.
const HERE: Duration = Duration::from_millis(200);
const ON_AWS: Duration = Duration::from_secs(5);

/// One run.
struct Smoke {
    cloud: Cloud,
    reader: Reader,
    target: Target,
    team: String,
    /// `None`: the job is stopped once it runs.
    worker: Option<SignIn>,
    dataset: DatasetName,
    /// The dataset is new, so that its batch is the first.
    job: JobName,
    /// There is something to clean up.
    dropped: AtomicBool,
    pause: Duration,
    patience: Duration,
}

pub(crate) async fn run(args: args::Smoke) -> anyhow::Result<ExitCode> {
    let smoke = Smoke::prepare(&args).await?;
    let say = Narrator::new();
    let started = Instant::now();
    say.head(&format!(
        "Smoke test: dataset {}, team {}, job {}",
        smoke.dataset, smoke.team, smoke.job
    ))?;
    let outcome = tokio::select! {
        outcome = steps::all(&smoke, &say) => outcome,
        _ = tokio::signal::ctrl_c() => Err(anyhow!("interrupted")),
    };
    let cleaned = cleaning::up(&smoke, &say).await;
    say.verdict(&outcome.and(cleaned), started.elapsed(), &look(&args.place))
}

/// The command that shows more.
fn look(place: &Place) -> String {
    match (&place.stack, &place.region) {
        (Some(name), Some(region)) => format!(
            "groundcrew status --stack {} --region {}",
            shell::word(name),
            shell::word(region)
        ),
        (Some(name), None) => format!("groundcrew status --stack {}", shell::word(name)),
        (None, _) => {
            let folder = place.data.folder().display().to_string();
            format!("groundcrew status --data {}", shell::path(&folder))
        }
    }
}

impl Smoke {
    async fn prepare(args: &args::Smoke) -> anyhow::Result<Self> {
        let target = target(&args.place).await?;
        let cloud = Cloud::new(&target.config);
        let team = match &args.team {
            Some(team) => team.clone(),
            None => team::only(&cloud, target.config.hints.team.as_deref()).await?,
        };
        let worker = team::worker(args, &target, &team)?;
        let dataset = DatasetName::new(&dataset::name(jiff::Timestamp::now()))?;
        let here = args.place.stack.is_none() || target.config.sdk.endpoint_url().is_some();
        ensure!(
            worker.is_none() || target.engine,
            "only a Groundcrew engine takes labels from a program; Ground Truth's portal is for people: leave out \
             --worker, and the job is stopped once it runs"
        );
        Ok(Self {
            reader: Reader::new(&target.config),
            job: JobName::new(&target.config.job_prefix, &dataset, BatchNumber::FIRST),
            pause: if here { HERE } else { ON_AWS },
            patience: args.patience,
            dropped: AtomicBool::new(false),
            cloud,
            team,
            worker,
            dataset,
            target,
        })
    }

    /// Looks until there is what is looked for, or patience is over.
    async fn until<T>(
        &self,
        say: &Narrator,
        look: impl AsyncFn() -> anyhow::Result<Look<T>>,
    ) -> anyhow::Result<T> {
        let end = Instant::now() + self.patience;
        loop {
            let last = match look().await? {
                Look::There(found) => return Ok(found),
                Look::NotYet(state) => state,
            };
            say.state(&last);
            let minutes = self.patience.as_secs() / 60;
            ensure!(Instant::now() < end, "{last}, still after {minutes} minutes");
            tokio::time::sleep(self.pause).await;
        }
    }
}

/// What one look found.
enum Look<T> {
    There(T),
    /// What there is instead.
    NotYet(String),
}
