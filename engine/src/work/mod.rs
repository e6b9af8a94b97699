//! Handing items to workers and taking their answers: leases with the task's time limit, as many different people
//! an item as the job asks for, declining, giving back, expiry.

mod answers;
mod index;
mod item;
mod observed;
mod running;
mod settled;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_of_answers;
#[cfg(test)]
mod turmoil;
mod turns;
mod types;

use std::sync::Arc;

use serde_json::Value;
use tokio_util::sync::DropGuard;

pub(crate) use answers::Answer;
pub(crate) use index::Outcome;
pub(crate) use running::{Inputs, Running};
pub(crate) use turns::Turns;
pub use types::{HeldTask, IdentityProvider, Lease, PortalJob, WorkError, Worker};

use crate::core::Core;
use crate::state::{JobRecord, TeamRecord, keys};
use item::ItemRecord;

/// The service the portal calls; cheap to clone.
#[derive(Clone)]
pub struct Work {
    core: Arc<Core>,
    /// The engine runs as long as somebody may call it.
    _alive: Arc<DropGuard>,
}

impl Work {
    pub(crate) fn new(core: Arc<Core>, alive: Arc<DropGuard>) -> Work {
        Work { core, _alive: alive }
    }

    /// The running jobs of the worker's teams: those with something for this worker first, and of both the oldest first.
    pub async fn jobs_for(&self, worker: &Worker) -> Vec<PortalJob> {
        let running = self.core.all_running();
        let theirs = running
            .iter()
            .filter(|job| self.is_member(worker, &job.spec.team));
        let mut jobs: Vec<PortalJob> = theirs.map(|job| job.portal_job(worker)).collect();
        jobs.sort_by(|a, b| (a.is_idle(), a.created, &a.name).cmp(&(b.is_idle(), b.created, &b.name)));
        jobs
    }

    /// The task the worker already holds in this job, else the next one; `None` when there is nothing for this worker now.
    pub async fn lease(&self, worker: &Worker, job: &str) -> Result<Option<Lease>, WorkError> {
        let running = self.running(worker, job).await?;
        let worker = worker.clone();
        whole(async move { running.lease(&worker).await }).await
    }

    /// What to show for a task; an error unless this worker holds it.
    pub async fn held(&self, worker: &Worker, token: &str) -> Result<HeldTask, WorkError> {
        let (job, index) = parse(token)?;
        self.running(worker, job).await?.held(worker, index).await
    }

    /// Takes `{"<element name>": {…}}`. `Ok` means stored for good; handing in the same task again is `Ok` too.
    ///
    /// Whoever was taken out of the team hands in nothing more, not even a task taken before: a person may have been taken
    /// out because of the answers. The task goes to somebody else when its time is over.
    pub async fn submit(&self, worker: &Worker, token: &str, content: Value) -> Result<(), WorkError> {
        let (job, index) = parse(token)?;
        if self.core.running(job).is_none() {
            return self.submitted_before(worker, job, index).await;
        }
        let running = self.running(worker, job).await?;
        let worker = worker.clone();
        whole(async move { running.submit(&worker, index, &content).await }).await
    }

    /// The worker will not do this item: it goes to somebody else.
    pub async fn decline(&self, worker: &Worker, token: &str) -> Result<(), WorkError> {
        let (job, index) = parse(token)?;
        let running = self.running(worker, job).await?;
        let worker = worker.clone();
        whole(async move { running.decline(&worker, index).await }).await
    }

    /// Gives the item back undone; the worker may get it again.
    pub async fn release(&self, worker: &Worker, token: &str) -> Result<(), WorkError> {
        let (job, index) = parse(token)?;
        let running = self.running(worker, job).await?;
        let worker = worker.clone();
        whole(async move { running.release(&worker, index).await }).await
    }

    /// A short-lived URL for an object (`s3://…` or a plain S3 HTTPS URL); else a sentence that says why not.
    pub async fn presign(&self, s3uri: &str) -> Result<String, String> {
        self.core.grant_read_access(s3uri).await
    }

    async fn running(&self, worker: &Worker, job: &str) -> Result<Arc<Running>, WorkError> {
        match self.core.running(job) {
            Some(running) if self.is_member(worker, &running.spec.team) => Ok(running),
            Some(_) => Err(WorkError::NoSuchJob),
            None => Err(self.absent(worker, job).await),
        }
    }

    /// What to say about a job that is not in work here: an engine that has just started may not have read it yet, and
    /// what a worker has in hand must not be thrown away for that.
    async fn absent(&self, worker: &Worker, job: &str) -> WorkError {
        if !is_job_name(job) {
            return WorkError::NoSuchJob;
        }
        match self.core.documents.load::<JobRecord>(&keys::job(job)).await {
            Ok(Some(found)) if found.value.is_open() && self.is_member(worker, found.value.team()) => {
                WorkError::Unavailable
            }
            Ok(_) => WorkError::NoSuchJob,
            Err(_) => WorkError::Unavailable,
        }
    }

    fn is_member(&self, worker: &Worker, team: &str) -> bool {
        let team = self.core.team(team);
        team.is_some_and(|team| has(&team, worker))
    }

    /// Names of the work teams the worker is in.
    pub async fn teams_of(&self, worker: &Worker) -> Vec<String> {
        let teams = self.core.known_teams();
        let theirs = teams.iter().filter(|team| has(team, worker));
        let mut names: Vec<String> = theirs.map(|team| team.name.clone()).collect();
        names.sort();
        names
    }

    /// The answer that ended the job may be handed in again, if the first "stored" got lost on the way.
    async fn submitted_before(&self, worker: &Worker, job: &str, index: u32) -> Result<(), WorkError> {
        let item = self
            .core
            .documents
            .load::<ItemRecord>(&keys::item(job, index))
            .await;
        match item.map_err(|_| WorkError::Unavailable)? {
            Some(item) if item.value.answers.iter().any(|answer| answer.worker == worker.id) => Ok(()),
            Some(_) => Err(match self.absent(worker, job).await {
                WorkError::Unavailable => WorkError::Unavailable,
                _ => WorkError::JobOver,
            }),
            None => Err(self.absent(worker, job).await),
        }
    }
}

fn has(team: &TeamRecord, worker: &Worker) -> bool {
    team.groups(worker.provider)
        .any(|group| worker.groups.iter().any(|theirs| theirs == group))
}

/// `<job>.<index>`; job names have no dot.
fn parse(token: &str) -> Result<(&str, u32), WorkError> {
    let (job, index) = token.split_once('.').ok_or(WorkError::NotHeld)?;
    if !is_job_name(job) {
        return Err(WorkError::NotHeld);
    }
    Ok((job, index.parse().map_err(|_| WorkError::NotHeld)?))
}

/// `LabelingJobName` in the labeling API; a longer one would be no key in the state's bucket either.
const LONGEST_JOB_NAME: usize = 63;

fn is_job_name(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    (1..=LONGEST_JOB_NAME).contains(&text.len()) && text.bytes().all(is_plain)
}

/// Runs to its end even if the caller goes away (a closed browser drops the request), so that what was stored is also
/// remembered.
async fn whole<T: Send + 'static>(
    work: impl Future<Output = Result<T, WorkError>> + Send + 'static,
) -> Result<T, WorkError> {
    tokio::spawn(work).await.unwrap_or(Err(WorkError::Unavailable))
}
