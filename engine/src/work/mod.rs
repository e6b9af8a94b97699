//! Handing items to workers and taking their answers: leases with the task's time limit, as many different people
//! an item as the job asks for, declining, giving back, expiry.

mod types;

pub use types::{HeldTask, Lease, PortalJob, WorkError, Worker};

use serde_json::Value;

/// The service the portal calls; cheap to clone.
#[derive(Clone)]
pub struct Work {}

impl Work {
    /// The running jobs of the worker's teams, oldest first.
    pub async fn jobs_for(&self, worker: &Worker) -> Vec<PortalJob> {
        let _ = worker;
        Vec::new()
    }

    /// The task the worker already holds in this job, else the next one; `None` when there is nothing for this worker now.
    pub async fn lease(&self, worker: &Worker, job: &str) -> Result<Option<Lease>, WorkError> {
        let _ = (worker, job);
        Err(WorkError::NoSuchJob)
    }

    /// What to show for a task; an error unless this worker holds it.
    pub async fn held(&self, worker: &Worker, token: &str) -> Result<HeldTask, WorkError> {
        let _ = (worker, token);
        Err(WorkError::NotHeld)
    }

    /// Takes `{"<element name>": {…}}`. `Ok` means stored for good; handing in the same task again is `Ok` too.
    pub async fn submit(&self, worker: &Worker, token: &str, content: Value) -> Result<(), WorkError> {
        let _ = (worker, token, content);
        Err(WorkError::NotHeld)
    }

    /// The worker will not do this item: it goes to somebody else.
    pub async fn decline(&self, worker: &Worker, token: &str) -> Result<(), WorkError> {
        let _ = (worker, token);
        Err(WorkError::NotHeld)
    }

    /// Gives the item back undone; the worker may get it again.
    pub async fn release(&self, worker: &Worker, token: &str) -> Result<(), WorkError> {
        let _ = (worker, token);
        Err(WorkError::NotHeld)
    }

    /// A short-lived HTTPS URL for an object (`s3://…` or a plain S3 HTTPS URL); the text itself if it is neither.
    pub async fn presign(&self, s3uri: &str) -> String {
        s3uri.to_owned()
    }
}
