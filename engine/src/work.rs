//! The portal's desk over the jobs that run in this engine.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;
use tokio_util::sync::DropGuard;

use crate::core::Core;
use crate::desk::{Desk, HeldTask, Lease, PortalJob, WorkError};
use crate::read_access;
use crate::running_job::{ItemRecord, RunningJob};
use crate::state::{JobRecord, keys};
use crate::worker::Worker;

/// `LabelingJobName` in the labeling API; a longer one would be no key in the state's bucket either.
const MAX_JOB_NAME: usize = 63;

/// Cheap to clone.
#[derive(Clone)]
pub(crate) struct Work {
    core: Arc<Core>,
    /// The engine runs as long as a desk exists.
    _alive: Arc<DropGuard>,
}

#[async_trait]
impl Desk for Work {
    async fn jobs(&self, worker: &Worker) -> Vec<PortalJob> {
        let running = self.core.running_jobs.list();
        let of_worker = running
            .iter()
            .filter(|job| self.core.teams.is_member(worker, &job.spec.team));
        let mut jobs: Vec<PortalJob> = of_worker.map(|job| job.portal_job(worker)).collect();
        jobs.sort_by(|a, b| (a.is_idle(), a.created, &a.name).cmp(&(b.is_idle(), b.created, &b.name)));
        jobs
    }

    async fn teams(&self, worker: &Worker) -> Vec<String> {
        self.core.teams.names_of(worker)
    }

    async fn lease(&self, worker: &Worker, job: &str) -> Result<Option<Lease>, WorkError> {
        let running = self.running_job(worker, job).await?;
        let worker = worker.clone();
        run_to_end(async move { running.lease(&worker).await }).await
    }

    async fn held_task(&self, worker: &Worker, token: &str) -> Result<HeldTask, WorkError> {
        let (job, index) = parse_token(token)?;
        self.running_job(worker, job)
            .await?
            .held_task(worker, index)
            .await
    }

    async fn submit(&self, worker: &Worker, token: &str, answer: Value) -> Result<(), WorkError> {
        let (job, index) = parse_token(token)?;
        if self.core.running_jobs.get(job).is_none() {
            return self.submitted_before(worker, job, index).await;
        }
        let running = self.running_job(worker, job).await?;
        let worker = worker.clone();
        run_to_end(async move { running.submit(&worker, index, &answer).await }).await
    }

    async fn decline(&self, worker: &Worker, token: &str) -> Result<(), WorkError> {
        let (job, index) = parse_token(token)?;
        let running = self.running_job(worker, job).await?;
        let worker = worker.clone();
        run_to_end(async move { running.decline(&worker, index).await }).await
    }

    async fn release(&self, worker: &Worker, token: &str) -> Result<(), WorkError> {
        let (job, index) = parse_token(token)?;
        let running = self.running_job(worker, job).await?;
        let worker = worker.clone();
        run_to_end(async move { running.release(&worker, index).await }).await
    }

    async fn presign(&self, uri: &str) -> Result<String, String> {
        read_access::grant(&self.core, uri).await
    }
}

impl Work {
    pub(crate) fn new(core: Arc<Core>, alive: Arc<DropGuard>) -> Work {
        Work { core, _alive: alive }
    }

    async fn running_job(&self, worker: &Worker, job: &str) -> Result<Arc<RunningJob>, WorkError> {
        match self.core.running_jobs.get(job) {
            Some(running) if self.core.teams.is_member(worker, &running.spec.team) => Ok(running),
            Some(_) => Err(WorkError::NoSuchJob),
            None => Err(self.why_not_running(worker, job).await),
        }
    }

    /// The error for a job that does not run here. An engine that has just started may not have read the job yet, and then
    /// the worker must not lose the task in hand.
    async fn why_not_running(&self, worker: &Worker, job: &str) -> WorkError {
        if !is_job_name(job) {
            return WorkError::NoSuchJob;
        }
        match self.core.documents.load::<JobRecord>(&keys::job(job)).await {
            Ok(Some(stored))
                if stored.value.is_open() && self.core.teams.is_member(worker, stored.value.team()) =>
            {
                WorkError::Unavailable
            }
            Ok(_) => WorkError::NoSuchJob,
            Err(_) => WorkError::Unavailable,
        }
    }

    /// The answer that ended the job may be submitted again: the reply to the first submission may have been lost.
    async fn submitted_before(&self, worker: &Worker, job: &str, index: u32) -> Result<(), WorkError> {
        let key = keys::item(job, index);
        let item = self.core.documents.load::<ItemRecord>(&key).await;
        match item.map_err(|_| WorkError::Unavailable)? {
            Some(item) if item.value.answers.iter().any(|answer| answer.worker == worker.id) => Ok(()),
            Some(_) => Err(match self.why_not_running(worker, job).await {
                WorkError::Unavailable => WorkError::Unavailable,
                _ => WorkError::JobOver,
            }),
            None => Err(self.why_not_running(worker, job).await),
        }
    }
}

/// `<job>.<index>`; job names have no dot.
fn parse_token(token: &str) -> Result<(&str, u32), WorkError> {
    let (job, index) = token.split_once('.').ok_or(WorkError::NotHeld)?;
    if !is_job_name(job) {
        return Err(WorkError::NotHeld);
    }
    Ok((job, index.parse().map_err(|_| WorkError::NotHeld)?))
}

fn is_job_name(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    (1..=MAX_JOB_NAME).contains(&text.len()) && text.bytes().all(is_plain)
}

/// Runs to its end even if the caller goes away (a closed browser drops the request), so that the index is updated with
/// what was stored.
async fn run_to_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, WorkError>> + Send + 'static,
) -> Result<T, WorkError> {
    tokio::spawn(work).await.unwrap_or(Err(WorkError::Unavailable))
}

#[cfg(test)]
mod tests;
