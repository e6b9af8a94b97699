//! One thread writes the index. Whatever waits when a transaction begins goes into it together, so that a
//! hundred writers share one sync of the disk and each is told only after it.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, mpsc::Receiver, mpsc::RecvTimeoutError},
    time::Duration,
};

use jiff::Timestamp;
use redb::{Database, StorageError, TransactionError};

use super::{
    blobs::Blobs,
    changes::{Aftermath, Changes},
};
use crate::s3::Notify;

/// Decides and changes within the transaction; what it returns tells the caller how that ended.
pub(super) type Job = Box<dyn FnOnce(&mut Changes<'_>) -> Verdict + Send>;

/// How a caller hears how it ended.
pub(super) type Tell = Box<dyn FnOnce(Result<(), String>) + Send>;

pub(super) struct Verdict {
    /// The index itself failed: nothing of this transaction may last.
    pub(super) broken: bool,
    pub(super) tell: Tell,
}

/// Enough to share a sync among many, little enough to keep each transaction short.
const MOST_JOBS: usize = 1000;
const MOST_BYTES: usize = 16 << 20;
/// The index takes nothing more after a failure to write it, by `redb`'s design: only opening it anew finds out what the
/// disk has of it.
pub(super) const STOPPED: &str = "The object store has stopped because the disk is full or broken. Make room, then start \
                                  groundcrew again; what was stored is safe.";
/// After this long without a write, the index is left in a state that opens quickly even after a crash.
const IDLE: Duration = Duration::from_secs(1);

pub(super) struct Committer {
    pub(super) database: Arc<Database>,
    pub(super) blobs: Arc<Blobs>,
    pub(super) notify: Notify,
}

impl Committer {
    /// Works until every sender is gone, or the index cannot be written.
    pub(super) fn run(self, jobs: &Receiver<Job>) {
        let mut settled = true;
        loop {
            match jobs.recv_timeout(IDLE) {
                Ok(first) => {
                    if !self.round(first, jobs) && self.is_over() {
                        tracing::error!("{STOPPED}");
                        return;
                    }
                    settled = false;
                }
                Err(RecvTimeoutError::Timeout) if settled => self.blobs.collect(),
                Err(RecvTimeoutError::Timeout) => settled = self.settle(),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn is_over(&self) -> bool {
        let begun = self.database.begin_write();
        matches!(begun, Err(TransactionError::Storage(StorageError::PreviousIo)))
    }

    /// Whether it is on disk.
    fn round(&self, first: Job, jobs: &Receiver<Job>) -> bool {
        let mut verdicts = Vec::new();
        let outcome = self.transact(first, jobs, &mut verdicts);
        let told = match outcome {
            Ok(aftermath) => {
                self.follow_up(aftermath);
                Ok(())
            }
            Err(error) => {
                tracing::error!(error, "the object store's index could not be written");
                Err(error)
            }
        };
        let written = told.is_ok();
        verdicts.into_iter().for_each(|tell: Tell| tell(told.clone()));
        self.blobs.collect();
        written
    }

    fn transact(
        &self,
        first: Job,
        jobs: &Receiver<Job>,
        verdicts: &mut Vec<Tell>,
    ) -> Result<Aftermath, String> {
        let transaction = self.database.begin_write().map_err(|e| e.to_string())?;
        let mut changes = Changes::begin(&transaction, Timestamp::now()).map_err(|e| e.to_string())?;
        let mut next = Some(first);
        while let Some(job) = next {
            let verdict = job(&mut changes);
            verdicts.push(verdict.tell);
            if verdict.broken {
                return Err("the index could not be read or changed".into());
            }
            let room = verdicts.len() < MOST_JOBS && changes.weight < MOST_BYTES;
            next = if room { jobs.try_recv().ok() } else { None };
        }
        let aftermath = changes.finish().map_err(|e| e.to_string())?;
        transaction.commit().map_err(|e| e.to_string())?;
        Ok(aftermath)
    }

    fn follow_up(&self, aftermath: Aftermath) {
        self.blobs.retire(aftermath.retired);
        for notification in aftermath.notifications {
            let told = catch_unwind(AssertUnwindSafe(|| (self.notify)(notification)));
            if told.is_err() {
                tracing::error!("a listener for object notifications panicked");
            }
        }
    }

    /// An empty transaction that also records which pages are free: without it, opening after a crash reads the
    /// whole index. Doing it on every commit would double the syncs.
    fn settle(&self) -> bool {
        let written = self
            .database
            .begin_write()
            .map_err(|e| e.to_string())
            .and_then(|mut transaction| {
                transaction.set_quick_repair(true);
                transaction.commit().map_err(|e| e.to_string())
            });
        if let Err(error) = written {
            tracing::warn!(error, "the object store's index could not be settled");
        }
        self.blobs.collect();
        true
    }
}
