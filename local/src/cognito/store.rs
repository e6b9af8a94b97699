//! People, groups, the client and sign-ins on disk: one file, written by a thread of its own. Transaction that wait when a
//! transaction begins go into it together, so that a crew of thousands is invited without as many waits for the disk.
//! A caller gets its answer after the commit.

pub(super) mod record;
pub(super) mod tables;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use redb::WriteTransaction;
use tokio::sync::oneshot;

use super::error::PoolError;
use crate::data_dir::DataDir;
use crate::database::DatabaseFile;
use crate::error::StackError;
pub(super) use tables::{Transaction, View};

/// One caller's change, run within a transaction.
type Job = Box<dyn FnOnce(&mut Transaction<'_>) -> JobOutcome + Send>;
/// Answers the caller, once it is known whether the transaction was committed.
type Reply = Box<dyn FnOnce(Result<(), PoolError>) + Send>;

struct JobOutcome {
    /// The file failed: nothing of the transaction may last.
    is_fatal: bool,
    reply: Reply,
}

/// Enough to share a sync among many.
const MOST_JOBS: usize = 500;
/// Between two attempts at a disk that fails.
const PAUSE: Duration = Duration::from_secs(1);
/// Memory for the file's pages.
const CACHE: usize = 32 << 20;

pub(super) struct Store {
    database: Arc<DatabaseFile>,
    jobs: Option<Sender<Job>>,
    committer: Option<JoinHandle<()>>,
}

impl Store {
    pub(super) fn open(data: &DataDir) -> Result<Self, StackError> {
        let path = data.path("people.redb");
        let database = DatabaseFile::open(&path, CACHE, make_tables).map_err(|reason| StackError::Data {
            what: "cannot open",
            path: path.clone(),
            reason: format!(
                "{reason}. It holds all accounts: put back a copy of it. To start without accounts, move it away, and \
                 people.made with it; then everyone has to be invited again"
            ),
        })?;
        let database = Arc::new(database);
        let (jobs, received) = channel();
        let writes = database.clone();
        let committer = std::thread::Builder::new()
            .name("people".to_owned())
            .spawn(move || run_jobs(&writes, &received))
            .map_err(|error| StackError::Part {
                what: "the sign-in",
                reason: error.to_string(),
            })?;
        Ok(Self {
            database,
            jobs: Some(jobs),
            committer: Some(committer),
        })
    }

    /// Everything as it is now.
    pub(super) fn view(&self) -> Result<View, PoolError> {
        let read = self.database.read().map_err(PoolError::internal)?;
        View::of(&read).map_err(PoolError::internal)
    }

    /// Runs `decide` in the next transaction and returns its result once that is on disk.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        decide: impl FnOnce(&mut Transaction<'_>) -> Result<T, PoolError> + Send + 'static,
    ) -> Result<T, PoolError> {
        let (sender, answer) = oneshot::channel();
        let job: Job = Box::new(move |transaction| {
            let decided = decide(transaction);
            let is_fatal = matches!(decided, Err(PoolError::Internal(_)));
            let reply: Reply = Box::new(move |committed| {
                // The client may be gone; what was committed stays.
                let _ = sender.send(committed.and(decided));
            });
            JobOutcome { is_fatal, reply }
        });
        let stopped = || PoolError::internal("the accounts cannot be written: the disk is full or broken");
        let sent = self.jobs.as_ref().is_some_and(|jobs| jobs.send(job).is_ok());
        if !sent {
            return Err(stopped());
        }
        answer.await.map_err(|_| stopped())?
    }
}

impl Drop for Store {
    /// Waits for the last commit, so that the folder can be opened again at once.
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(committer) = self.committer.take()
            && committer.join().is_err()
        {
            tracing::error!("the thread that writes the accounts panicked");
        }
    }
}

fn make_tables(transaction: &WriteTransaction) -> Result<(), redb::Error> {
    Transaction::begin(transaction)?;
    Ok(())
}

/// Runs `work` in one transaction and commits it.
fn change(
    database: &DatabaseFile,
    work: impl FnOnce(&mut Transaction<'_>) -> Result<(), PoolError>,
) -> Result<(), PoolError> {
    let write = database.write().map_err(PoolError::internal)?;
    let mut transaction = Transaction::begin(&write).map_err(PoolError::internal)?;
    work(&mut transaction)?;
    drop(transaction);
    write.commit().map_err(PoolError::internal)
}

/// Until there is no one left who could send a job.
fn run_jobs(database: &DatabaseFile, jobs: &Receiver<Job>) {
    let mut disk_works = true;
    loop {
        let next = if disk_works {
            jobs.recv().map_err(|_| RecvTimeoutError::Disconnected)
        } else {
            jobs.recv_timeout(PAUSE)
        };
        let mut replies = Vec::new();
        let committed = match next {
            Ok(first) => change(database, |transaction| {
                run_waiting_jobs(transaction, first, jobs, &mut replies)
            }),
            // Finds out whether the disk works again.
            Err(RecvTimeoutError::Timeout) => change(database, |_| Ok(())),
            Err(RecvTimeoutError::Disconnected) => return,
        };
        match &committed {
            Err(error) if disk_works => tracing::error!(
                %error,
                "failed to write the accounts; free some space on the disk"
            ),
            Ok(()) if !disk_works => tracing::warn!("accounts can be written again"),
            _ => {}
        }
        disk_works = committed.is_ok();
        replies.into_iter().for_each(|reply| reply(committed.clone()));
    }
}

fn run_waiting_jobs(
    transaction: &mut Transaction<'_>,
    first: Job,
    jobs: &Receiver<Job>,
    replies: &mut Vec<Reply>,
) -> Result<(), PoolError> {
    let mut next = Some(first);
    while let Some(job) = next {
        // A job that panics drops its caller's channel, and leaves a transaction in an unknown state.
        let outcome = catch_unwind(AssertUnwindSafe(|| job(transaction)))
            .map_err(|_| PoolError::internal("a change of the accounts panicked"))?;
        replies.push(outcome.reply);
        if outcome.is_fatal {
            return Err(PoolError::internal("the accounts could not be read or changed"));
        }
        next = if replies.len() < MOST_JOBS {
            jobs.try_recv().ok()
        } else {
            None
        };
    }
    Ok(())
}

#[cfg(test)]
mod tests;
