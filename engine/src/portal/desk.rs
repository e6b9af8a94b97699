//! What the portal asks of the engine behind it. The engine's work distribution answers it; so can a preview, or a test.
use crate::work::{HeldTask, Lease, PortalJob, Work, WorkError, Worker};
use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::Value;

/// Hands out tasks and takes answers.
pub trait Desk: Send + Sync + 'static {
    /// The running jobs of the worker's teams.
    fn jobs<'a>(&'a self, worker: &'a Worker) -> BoxFuture<'a, Vec<PortalJob>>;
    /// Names of the work teams the worker is in.
    fn teams<'a>(&'a self, worker: &'a Worker) -> BoxFuture<'a, Vec<String>>;
    /// The task the worker holds in this job, else the next.
    fn lease<'a>(
        &'a self,
        worker: &'a Worker,
        job: &'a str,
    ) -> BoxFuture<'a, Result<Option<Lease>, WorkError>>;
    /// What to show for a task this worker holds.
    fn held<'a>(&'a self, worker: &'a Worker, token: &'a str) -> BoxFuture<'a, Result<HeldTask, WorkError>>;
    /// Takes an answer; `Ok` means stored.
    fn submit<'a>(
        &'a self,
        worker: &'a Worker,
        token: &'a str,
        answer: Value,
    ) -> BoxFuture<'a, Result<(), WorkError>>;
    /// Gives the item to somebody else.
    fn decline<'a>(&'a self, worker: &'a Worker, token: &'a str) -> BoxFuture<'a, Result<(), WorkError>>;
    /// Gives the item back undone.
    fn release<'a>(&'a self, worker: &'a Worker, token: &'a str) -> BoxFuture<'a, Result<(), WorkError>>;
    /// A short-lived link for an S3 URI.
    fn presign(&self, uri: String) -> BoxFuture<'static, Result<String, String>>;
}

impl Desk for Work {
    fn jobs<'a>(&'a self, worker: &'a Worker) -> BoxFuture<'a, Vec<PortalJob>> {
        self.jobs_for(worker).boxed()
    }

    fn teams<'a>(&'a self, worker: &'a Worker) -> BoxFuture<'a, Vec<String>> {
        self.teams_of(worker).boxed()
    }

    fn lease<'a>(
        &'a self,
        worker: &'a Worker,
        job: &'a str,
    ) -> BoxFuture<'a, Result<Option<Lease>, WorkError>> {
        Work::lease(self, worker, job).boxed()
    }

    fn held<'a>(&'a self, worker: &'a Worker, token: &'a str) -> BoxFuture<'a, Result<HeldTask, WorkError>> {
        Work::held(self, worker, token).boxed()
    }

    fn submit<'a>(
        &'a self,
        worker: &'a Worker,
        token: &'a str,
        answer: Value,
    ) -> BoxFuture<'a, Result<(), WorkError>> {
        Work::submit(self, worker, token, answer).boxed()
    }

    fn decline<'a>(&'a self, worker: &'a Worker, token: &'a str) -> BoxFuture<'a, Result<(), WorkError>> {
        Work::decline(self, worker, token).boxed()
    }

    fn release<'a>(&'a self, worker: &'a Worker, token: &'a str) -> BoxFuture<'a, Result<(), WorkError>> {
        Work::release(self, worker, token).boxed()
    }

    fn presign(&self, uri: String) -> BoxFuture<'static, Result<String, String>> {
        let work = self.clone();
        async move { Work::presign(&work, &uri).await }.boxed()
    }
}
