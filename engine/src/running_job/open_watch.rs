//! Whether the job still takes answers, checked recently enough.
//!
//! An engine that ends a job first writes that into the job's document, then lists the item documents and closes the items
//! that are not finished. An answer that another engine stores is certainly in the output if its item document existed
//! before that list was made. So an answer is taken only if a check that began after the item document existed found the job
//! open. People need seconds for an answer, and all who wait share one check, so this costs about one read a second.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::sync::Mutex;

use crate::desk::WorkError;
use crate::state::{Documents, JobRecord, StoreError, StoredDocument, keys};

pub(super) struct OpenWatch {
    documents: Documents,
    job: String,
    /// Checks that have begun.
    begun: AtomicU64,
    /// The latest check that found the job open.
    open: AtomicU64,
    over: AtomicBool,
    one_at_a_time: Mutex<()>,
}

impl OpenWatch {
    pub(super) fn new(documents: Documents, job: String) -> OpenWatch {
        OpenWatch {
            documents,
            job,
            begun: AtomicU64::new(0),
            open: AtomicU64::new(0),
            over: AtomicBool::new(false),
            one_at_a_time: Mutex::new(()),
        }
    }

    /// A point in time, as a number of checks: every check that begins later has a greater number.
    pub(super) fn check_count(&self) -> u64 {
        self.begun.load(Ordering::SeqCst)
    }

    /// `Ok` if a check that began after this point found the job open; makes one if needed.
    pub(super) async fn require_open_after(&self, point: u64) -> Result<(), WorkError> {
        if let Some(known) = self.known_after(point) {
            return known;
        }
        let _only = self.one_at_a_time.lock().await;
        // Another task may have made the check while this one waited.
        if let Some(known) = self.known_after(point) {
            return known;
        }
        self.check_alone().await.map_err(|_| WorkError::Unavailable)?;
        self.known_after(point).unwrap_or(Err(WorkError::Unavailable))
    }

    /// Reads the job's document.
    pub(super) async fn check(&self) -> Result<Option<StoredDocument<JobRecord>>, StoreError> {
        let _only = self.one_at_a_time.lock().await;
        self.check_alone().await
    }

    fn known_after(&self, point: u64) -> Option<Result<(), WorkError>> {
        if self.over.load(Ordering::SeqCst) {
            return Some(Err(WorkError::JobOver));
        }
        (self.open.load(Ordering::SeqCst) > point).then_some(Ok(()))
    }

    async fn check_alone(&self) -> Result<Option<StoredDocument<JobRecord>>, StoreError> {
        let number = self.begun.fetch_add(1, Ordering::SeqCst) + 1;
        let job = self.documents.load::<JobRecord>(&keys::job(&self.job)).await?;
        match &job {
            Some(job) if job.value.is_open() => drop(self.open.fetch_max(number, Ordering::SeqCst)),
            _ => self.over.store(true, Ordering::SeqCst),
        }
        Ok(job)
    }
}
