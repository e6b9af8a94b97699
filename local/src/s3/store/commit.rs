//! One thread writes the index. Whatever waits when a transaction begins goes into it together, so that a
//! hundred writers share one sync of the disk and each is told only after it.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, mpsc::Receiver, mpsc::RecvTimeoutError},
    time::Duration,
};

use jiff::Timestamp;

use super::{
    blobs::Blobs,
    changes::{Aftermath, Changes},
};
use crate::database::DatabaseFile;
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
/// After this long without a write, the index is left in a state that opens quickly even after a crash.
const IDLE: Duration = Duration::from_secs(1);

pub(super) struct Committer {
    pub(super) index: Arc<DatabaseFile>,
    pub(super) blobs: Arc<Blobs>,
    pub(super) notify: Notify,
}

impl Committer {
    /// Works until every sender is gone. While the disk fails, each round is tried, and told of as a failure.
    pub(super) fn run(self, jobs: &Receiver<Job>) {
        let (mut settled, mut works) = (true, true);
        loop {
            let worked = match jobs.recv_timeout(IDLE) {
                Ok(first) => {
                    settled = false;
                    self.round(first, jobs)
                }
                Err(RecvTimeoutError::Timeout) if settled => {
                    self.blobs.collect();
                    Ok(())
                }
                Err(RecvTimeoutError::Timeout) => {
                    let outcome = self.settle();
                    settled = outcome.is_ok();
                    outcome
                }
                Err(RecvTimeoutError::Disconnected) => return,
            };
            // Said once, not at each attempt.
            match &worked {
                Err(reason) if works => tracing::error!(
                    reason,
                    "the object store cannot write its index; make room on the disk, and it goes on"
                ),
                Ok(()) if !works => tracing::warn!("the object store can write its index again"),
                _ => {}
            }
            works = worked.is_ok();
        }
    }

    fn round(&self, first: Job, jobs: &Receiver<Job>) -> Result<(), String> {
        let mut verdicts = Vec::new();
        let outcome = self.transact(first, jobs, &mut verdicts);
        let told = outcome.map(|aftermath| self.follow_up(aftermath));
        verdicts.into_iter().for_each(|tell: Tell| tell(told.clone()));
        self.blobs.collect();
        told
    }

    fn transact(
        &self,
        first: Job,
        jobs: &Receiver<Job>,
        verdicts: &mut Vec<Tell>,
    ) -> Result<Aftermath, String> {
        // Where there is no transaction, the job is dropped, and its caller hears that.
        let transaction = self.index.write().map_err(|e| e.to_string())?;
        let mut changes = Changes::begin(&transaction, Timestamp::now()).map_err(|e| e.to_string())?;
        let mut next = Some(first);
        while let Some(job) = next {
            // A page that is not what was written is a panic of the index's; the transaction goes with it.
            let verdict = catch_unwind(AssertUnwindSafe(|| job(&mut changes)))
                .map_err(|_| "the index is damaged, or was changed in a way it cannot be")?;
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
    fn settle(&self) -> Result<(), String> {
        let written = self.index.write().map_err(|e| e.to_string());
        let written = written.and_then(|mut transaction| {
            transaction.set_quick_repair(true);
            transaction.commit().map_err(|e| e.to_string())
        });
        self.blobs.collect();
        written
    }
}
