//! What the portal needs from the engine behind it. `Work` is one desk; the portal's tests bring another.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::worker::Worker;

/// Hands out tasks and takes answers.
#[async_trait]
pub(crate) trait Desk: Send + Sync {
    /// The running jobs of the worker's teams: jobs with work for this worker first, then the oldest.
    async fn jobs(&self, worker: &Worker) -> Vec<PortalJob>;

    /// Names of the work teams the worker is in.
    async fn teams(&self, worker: &Worker) -> Vec<String>;

    /// The task the worker already holds in this job, else the next one. `None`: no task for this worker now.
    async fn lease(&self, worker: &Worker, job: &str) -> Result<Option<Lease>, WorkError>;

    /// What to show for a task; an error unless this worker holds it.
    async fn held_task(&self, worker: &Worker, token: &str) -> Result<HeldTask, WorkError>;

    /// Takes an answer, `{"<element name>": {…}}`. `Ok` means stored. Submitting the same task again is `Ok` too.
    ///
    /// A person who was removed from the team cannot submit any more, not even a task taken before: the answers may be
    /// the reason for the removal. The task goes to another worker when its time is over.
    async fn submit(&self, worker: &Worker, token: &str, answer: Value) -> Result<(), WorkError>;

    /// The worker declines the item: it goes to another worker.
    async fn decline(&self, worker: &Worker, token: &str) -> Result<(), WorkError>;

    /// Gives the item back undone; the worker may get it again.
    async fn release(&self, worker: &Worker, token: &str) -> Result<(), WorkError>;

    /// A short-lived URL for an object (`s3://…` or a plain S3 HTTPS URL), or a sentence that says why not.
    async fn presign(&self, uri: &str) -> Result<String, String>;
}

/// A running job as one worker sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct PortalJob {
    pub(crate) name: String,
    /// The work team whose job it is.
    pub(crate) team: String,
    pub(crate) title: String,
    pub(crate) description: String,
    /// Items in the job.
    pub(crate) total: u64,
    /// Items that need no more answers.
    pub(crate) done: u64,
    /// Items this worker has answered.
    pub(crate) done_by_you: u64,
    /// Items this worker could be given now.
    pub(crate) available: u64,
    /// The worker has a task of this job open.
    pub(crate) held: bool,
    /// Time limit of one task.
    pub(crate) seconds_per_task: u32,
    pub(crate) created: Timestamp,
}

impl PortalJob {
    /// The job has no task for this worker now.
    pub(crate) fn is_idle(&self) -> bool {
        self.available == 0 && !self.held
    }
}

/// The right to answer one item, for a limited time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lease {
    /// `<job>.<index>`; opaque to the portal.
    pub(crate) token: String,
    pub(crate) job: String,
    pub(crate) index: u32,
    pub(crate) title: String,
    pub(crate) expires: Timestamp,
    pub(crate) seconds_left: u32,
}

/// A task the worker holds, ready to be rendered.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct HeldTask {
    pub(crate) job: String,
    /// The job's worker template: HTML with Liquid.
    pub(crate) template: Arc<str>,
    /// `{"taskObject": …, "labels": […], "manifestLine": {…}}`: what the template sees as `task.input`.
    pub(crate) task_input: Value,
    pub(crate) title: String,
    pub(crate) seconds_left: u32,
}

/// The messages are for the worker.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WorkError {
    /// No such job, or the worker is in no group of its work team. The answer is the same, so that names cannot be probed.
    #[error("There is no job with this name for you.")]
    NoSuchJob,
    /// Never held, given back, or its time is over.
    #[error(
        "You do not hold this task any more: its time limit passed, or you gave it back. Take the next task."
    )]
    NotHeld,
    /// Completed, stopped or failed meanwhile.
    #[error("This job has ended. It takes no more answers. Thank you for your work!")]
    JobOver,
    /// Says what is wrong with the answer.
    #[error("This answer cannot be used: {0}.")]
    BadAnswer(String),
    /// The store did not answer. Nothing is lost, and the call can be repeated.
    #[error("Your answer could not be saved. Please try again.")]
    Unavailable,
}
