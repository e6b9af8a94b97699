//! One thread writes the index. Whatever waits when a transaction begins goes into it together, so that a
//! hundred writers share one sync of the disk, and each has its reply after it.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, mpsc::Receiver, mpsc::RecvTimeoutError},
    time::Duration,
};

use jiff::Timestamp;

use super::{
    blobs::Blobs,
    changes::{Changes, CommitEffects},
};
use crate::database::DatabaseFile;
use crate::s3::notification::Notify;

/// Decides and changes within the transaction; its outcome says how to reply to the caller.
pub(super) type Job = Box<dyn FnOnce(&mut Changes<'_>) -> JobOutcome + Send>;

/// Sends the caller the result of the commit.
pub(super) type Reply = Box<dyn FnOnce(Result<(), String>) + Send>;

pub(super) struct JobOutcome {
    /// The index itself failed: nothing of this transaction may last.
    pub(super) broken: bool,
    pub(super) reply: Reply,
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
    /// Runs until every sender is gone. While the disk fails, each round is tried, and fails for its callers.
    pub(super) fn run(self, jobs: &Receiver<Job>) {
        let (mut checkpointed, mut writable) = (true, true);
        loop {
            let outcome = match jobs.recv_timeout(IDLE) {
                Ok(first) => {
                    checkpointed = false;
                    self.round(first, jobs)
                }
                Err(RecvTimeoutError::Timeout) if checkpointed => {
                    self.blobs.collect();
                    Ok(())
                }
                Err(RecvTimeoutError::Timeout) => {
                    let outcome = self.checkpoint();
                    checkpointed = outcome.is_ok();
                    outcome
                }
                Err(RecvTimeoutError::Disconnected) => return,
            };
            // Logged once, not at each attempt.
            match &outcome {
                Err(reason) if writable => tracing::error!(
                    reason,
                    "failed to write the object store's index; it is tried again with each write: make room on the disk"
                ),
                Ok(()) if !writable => tracing::warn!("the object store's index can be written again"),
                _ => {}
            }
            writable = outcome.is_ok();
        }
    }

    fn round(&self, first: Job, jobs: &Receiver<Job>) -> Result<(), String> {
        let mut replies = Vec::new();
        let outcome = self.transact(first, jobs, &mut replies);
        let committed = outcome.map(|effects| self.follow_up(effects));
        replies
            .into_iter()
            .for_each(|reply: Reply| reply(committed.clone()));
        self.blobs.collect();
        committed
    }

    fn transact(
        &self,
        first: Job,
        jobs: &Receiver<Job>,
        replies: &mut Vec<Reply>,
    ) -> Result<CommitEffects, String> {
        // Without a transaction the job is dropped, which its caller notices.
        let transaction = self.index.write().map_err(|e| e.to_string())?;
        let mut changes = Changes::begin(&transaction, Timestamp::now()).map_err(|e| e.to_string())?;
        let mut next = Some(first);
        while let Some(job) = next {
            // The index panics where a page is not what was written; the transaction is then given up.
            let job_outcome = catch_unwind(AssertUnwindSafe(|| job(&mut changes)))
                .map_err(|_| "the index is damaged, or was changed in a way it cannot be")?;
            replies.push(job_outcome.reply);
            if job_outcome.broken {
                return Err("the index could not be read or changed".into());
            }
            let room = replies.len() < MOST_JOBS && changes.weight < MOST_BYTES;
            next = if room { jobs.try_recv().ok() } else { None };
        }
        let effects = changes.finish().map_err(|e| e.to_string())?;
        transaction.commit().map_err(|e| e.to_string())?;
        Ok(effects)
    }

    fn follow_up(&self, effects: CommitEffects) {
        self.blobs.retire(effects.retired);
        for notification in effects.notifications {
            let notified = catch_unwind(AssertUnwindSafe(|| (self.notify)(notification)));
            if notified.is_err() {
                tracing::error!("panic while notifying of an object");
            }
        }
    }

    /// An empty transaction that also records which pages are free: without it, opening after a crash reads the
    /// whole index. Doing it on every commit would double the syncs.
    fn checkpoint(&self) -> Result<(), String> {
        let written = self.index.write().map_err(|e| e.to_string());
        let written = written.and_then(|mut transaction| {
            transaction.set_quick_repair(true);
            transaction.commit().map_err(|e| e.to_string())
        });
        self.blobs.collect();
        written
    }
}
