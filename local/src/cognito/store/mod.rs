//! People, groups, clients and sign-ins on disk: one file, changed by a thread of its own. Whatever waits when a
//! transaction begins goes into it together, so that a crew of thousands is invited without as many waits for the disk,
//! and each caller is told only after it.

mod legacy;
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
pub(super) use tables::{Changes, View};

/// Decides and changes within the transaction; returns how to tell the caller, or `None` where nothing of the
/// transaction may last.
type Job = Box<dyn FnOnce(&mut Changes<'_>) -> Verdict + Send>;
type Tell = Box<dyn FnOnce(Result<(), PoolError>) + Send>;

struct Verdict {
    /// The file itself failed.
    broken: bool,
    tell: Tell,
}

/// Enough to share a sync among many.
const MOST_JOBS: usize = 500;
/// Between two looks at a disk that fails.
const PAUSE: Duration = Duration::from_secs(1);
/// Memory for the file's pages.
const CACHE: usize = 32 << 20;

pub(super) struct Store {
    database: Arc<DatabaseFile>,
    jobs: Option<Sender<Job>>,
    committer: Option<JoinHandle<()>>,
}

impl Store {
    /// Takes over what an earlier version kept in `users.json`.
    pub(super) fn open(data: &DataDir) -> Result<Self, StackError> {
        let path = data.path("people.redb");
        let database = DatabaseFile::open(&path, CACHE, make_tables).map_err(|reason| StackError::Data {
            what: "cannot open",
            path: path.clone(),
            reason: format!(
                "{reason}. Everybody's account is in it: put back a copy of it. To start without anybody, move it away, \
                 and people.made with it; then everybody has to be invited again"
            ),
        })?;
        let database = Arc::new(database);
        legacy::take_over(&database, &data.path("users.json"))?;
        let (jobs, received) = channel();
        let writes = database.clone();
        let committer = std::thread::Builder::new()
            .name("people".to_owned())
            .spawn(move || run(&writes, &received))
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

    /// Runs `decide` inside the next transaction and returns what it said once that is on disk.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        decide: impl FnOnce(&mut Changes<'_>) -> Result<T, PoolError> + Send + 'static,
    ) -> Result<T, PoolError> {
        let (tell, told) = oneshot::channel();
        let job: Job = Box::new(move |changes| {
            let decided = decide(changes);
            let broken = matches!(decided, Err(PoolError::Internal(_)));
            let tell: Tell = Box::new(move |committed| {
                // Nobody listens when the client has gone; what was committed stays.
                let _ = tell.send(committed.and(decided));
            });
            Verdict { broken, tell }
        });
        let stopped = || PoolError::internal("the accounts cannot be written: the disk is full or broken");
        let sent = self.jobs.as_ref().is_some_and(|jobs| jobs.send(job).is_ok());
        if !sent {
            return Err(stopped());
        }
        told.await.map_err(|_| stopped())?
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
    Changes::begin(transaction)?;
    Ok(())
}

/// One change in a transaction of its own, at once.
fn change(
    database: &DatabaseFile,
    work: impl FnOnce(&mut Changes<'_>) -> Result<(), PoolError>,
) -> Result<(), PoolError> {
    let transaction = database.write().map_err(PoolError::internal)?;
    let mut changes = Changes::begin(&transaction).map_err(PoolError::internal)?;
    work(&mut changes)?;
    drop(changes);
    transaction.commit().map_err(PoolError::internal)
}

fn run(database: &DatabaseFile, jobs: &Receiver<Job>) {
    let mut works = true;
    loop {
        let next = if works {
            jobs.recv().map_err(|_| RecvTimeoutError::Disconnected)
        } else {
            jobs.recv_timeout(PAUSE)
        };
        let mut told = Vec::new();
        let committed = match next {
            Ok(first) => change(database, |changes| together(changes, first, jobs, &mut told)),
            // Whether the disk works again, so that people can be let in.
            Err(RecvTimeoutError::Timeout) => change(database, |_| Ok(())),
            Err(RecvTimeoutError::Disconnected) => return,
        };
        match &committed {
            Err(error) if works => tracing::error!(
                %error,
                "the accounts cannot be written; make room on the disk, and they can"
            ),
            Ok(()) if !works => tracing::warn!("the accounts can be written again"),
            _ => {}
        }
        works = committed.is_ok();
        told.into_iter().for_each(|tell| tell(committed.clone()));
    }
}

fn together(
    changes: &mut Changes<'_>,
    first: Job,
    jobs: &Receiver<Job>,
    told: &mut Vec<Tell>,
) -> Result<(), PoolError> {
    let mut next = Some(first);
    while let Some(job) = next {
        // A job that panics drops its caller's channel, and leaves a transaction nobody can vouch for.
        let verdict = catch_unwind(AssertUnwindSafe(|| job(changes)))
            .map_err(|_| PoolError::internal("a change of the accounts panicked"))?;
        told.push(verdict.tell);
        if verdict.broken {
            return Err(PoolError::internal("the accounts could not be read or changed"));
        }
        next = if told.len() < MOST_JOBS {
            jobs.try_recv().ok()
        } else {
            None
        };
    }
    Ok(())
}

#[cfg(test)]
mod tests;
