//! What all parts of one engine share: its stores, its settings, and what it keeps in memory of jobs, teams and workforce.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::clock::Clock;
use crate::config::{GroupDirectory, ReadablePrefix};
use crate::event_sink::EventSink;
use crate::running_job::RunningJobs;
use crate::state::{Documents, JobList, ObjectStore};
use crate::work_teams::CurrentTeams;
use crate::workforce::CurrentWorkforce;

pub(crate) struct Core {
    pub(crate) objects: Arc<dyn ObjectStore>,
    pub(crate) documents: Documents,
    pub(crate) clock: Clock,
    pub(crate) events: Arc<dyn EventSink>,
    pub(crate) location: Location,
    pub(crate) timing: Timing,
    pub(crate) operator: OperatorRules,
    pub(crate) job_list: JobList,
    pub(crate) running_jobs: RunningJobs,
    pub(crate) teams: CurrentTeams,
    /// The portal follows it.
    pub(crate) workforce: CurrentWorkforce,
    /// Jobs that have a keeper here, by name in lower case.
    pub(crate) keepers: Mutex<HashSet<String>>,
    /// Wakes the supervisor: something was changed here.
    pub(crate) supervisor_wake: Notify,
    pub(crate) stop: CancellationToken,
    pub(crate) tasks: TaskTracker,
}

/// Where the engine says it is.
#[derive(Clone, Debug)]
pub(crate) struct Location {
    pub(crate) region: String,
    pub(crate) account: String,
    pub(crate) portal_url: String,
}

impl Location {
    pub(crate) fn arn(&self, resource: &str) -> String {
        format!("arn:aws:sagemaker:{}:{}:{resource}", self.region, self.account)
    }
}

/// What the operator allows.
pub(crate) struct OperatorRules {
    pub(crate) max_running_jobs: usize,
    pub(crate) readable: Vec<ReadablePrefix>,
    pub(crate) groups: Option<Arc<dyn GroupDirectory>>,
}

/// How often the engine looks for what no event reports.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timing {
    /// A running job: its own document, expired leases.
    pub(crate) tick: Duration,
    /// What other engines on the same store did.
    pub(crate) refresh: Duration,
    /// Between two snapshots of a running job's manifest.
    pub(crate) snapshot: Duration,
    /// How long another engine that ended a job has to announce it.
    pub(crate) grace: Duration,
    /// How many more items must be finished before the list of finished items is written again. A start reads as many item
    /// documents in a second or two.
    pub(crate) finished_items: u32,
}

pub(crate) const TIMING: Timing = Timing {
    tick: Duration::from_secs(1),
    refresh: Duration::from_secs(10),
    snapshot: Duration::from_secs(60),
    grace: Duration::from_secs(5),
    finished_items: 1_000,
};

impl Core {
    pub(crate) fn new(
        objects: Arc<dyn ObjectStore>,
        state_bucket: String,
        location: Location,
        operator: OperatorRules,
        events: Arc<dyn EventSink>,
        (clock, timing): (Clock, Timing),
    ) -> Core {
        let documents = Documents::new(objects.clone(), state_bucket);
        Core {
            job_list: JobList::new(documents.clone()),
            documents,
            objects,
            clock,
            events,
            location,
            timing,
            operator,
            running_jobs: RunningJobs::default(),
            teams: CurrentTeams::default(),
            workforce: CurrentWorkforce::default(),
            keepers: Mutex::default(),
            supervisor_wake: Notify::new(),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
        }
    }
}
