//! Whether the job still takes answers, seen recently enough.
//!
//! An engine that ends a job first says so in the job's document, then lists the item documents and closes those that are
//! not done. An answer stored by another engine is in the output for certain if its item document was there before that
//! list. So an answer is only taken if the job was seen open by a look that began after the item's document existed. People
//! take seconds for an answer and a look is shared by all who wait for one, so this costs about a read a second.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::sync::Mutex;

use super::types::WorkError;
use crate::state::{Documents, JobRecord, StoreError, Stored, keys};

pub(super) struct Observed {
    /// Looks that have begun.
    begun: AtomicU64,
    /// The latest look that found the job open.
    open: AtomicU64,
    over: AtomicBool,
    gate: Mutex<()>,
}

impl Observed {
    pub(super) fn new() -> Observed {
        Observed {
            begun: AtomicU64::new(0),
            open: AtomicU64::new(0),
            over: AtomicBool::new(false),
            gate: Mutex::new(()),
        }
    }

    /// A point in time, in looks: every look that begins later is greater.
    pub(super) fn now(&self) -> u64 {
        self.begun.load(Ordering::SeqCst)
    }

    pub(super) async fn open_after(
        &self,
        since: u64,
        documents: &Documents,
        job: &str,
    ) -> Result<(), WorkError> {
        if let Some(known) = self.known(since) {
            return known;
        }
        let _gate = self.gate.lock().await;
        if let Some(known) = self.known(since) {
            return known;
        }
        self.look_alone(documents, job)
            .await
            .map_err(|_| WorkError::Unavailable)?;
        self.known(since).unwrap_or(Err(WorkError::Unavailable))
    }

    pub(super) async fn look(
        &self,
        documents: &Documents,
        job: &str,
    ) -> Result<Option<Stored<JobRecord>>, StoreError> {
        let _gate = self.gate.lock().await;
        self.look_alone(documents, job).await
    }

    fn known(&self, since: u64) -> Option<Result<(), WorkError>> {
        if self.over.load(Ordering::SeqCst) {
            return Some(Err(WorkError::JobOver));
        }
        (self.open.load(Ordering::SeqCst) > since).then_some(Ok(()))
    }

    async fn look_alone(
        &self,
        documents: &Documents,
        job: &str,
    ) -> Result<Option<Stored<JobRecord>>, StoreError> {
        let number = self.begun.fetch_add(1, Ordering::SeqCst) + 1;
        let found = documents.load::<JobRecord>(&keys::job(job)).await?;
        match &found {
            Some(job) if job.value.is_open() => drop(self.open.fetch_max(number, Ordering::SeqCst)),
            _ => self.over.store(true, Ordering::SeqCst),
        }
        Ok(found)
    }
}
