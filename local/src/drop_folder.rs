//! A folder of the disk as a door to the input bucket: a file that has been still for a second is uploaded under its
//! own path. Changed files are uploaded again; deleting a file deletes nothing, since labels may be under way.

mod deleted;
mod found_file;
mod look;
mod memory;
#[cfg(test)]
mod tests;
mod upload;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::StreamExt;
use serde::Serialize;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::error::StackError;
use crate::lock::lock;
use deleted::Missing;
use look::{Found, Looked, Stamp};
use memory::Memory;

/// How often the folder is looked through, unless that takes long.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// A file nobody has written to for this long is taken to be whole.
const STILL_FOR: Duration = Duration::from_secs(1);
/// Uploads at once.
const AT_ONCE: usize = 16;
/// Marks a dataset as complete; counts for what was uploaded before it, so it goes last.
const READY_FILE: &str = "_READY";

/// What the door has done and what it could not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DropStatus {
    /// Files uploaded since the start of this process.
    pub uploaded: u64,
    /// Files seen that are still being written, or wait for their turn.
    pub waiting: usize,
    /// Files that have been deleted here after they were uploaded; they are still in the bucket.
    pub deleted: u64,
    pub problems: Vec<DropProblem>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DropProblem {
    /// Below the folder; odd characters replaced.
    pub path: String,
    /// Says what is wrong and what to do.
    pub reason: String,
}

pub(crate) struct DropFolder {
    folder: PathBuf,
    s3: aws_sdk_s3::Client,
    bucket: String,
    memory: Memory,
    seen: HashMap<String, Seen>,
    missing: Missing,
    status: Arc<Mutex<DropStatus>>,
}

/// A file that is not uploaded as it is now.
#[derive(Clone, Copy)]
struct Seen {
    stamp: Stamp,
    since: Instant,
}

impl DropFolder {
    pub(crate) fn open(
        folder: &Path,
        memory: &Path,
        s3: aws_sdk_s3::Client,
        bucket: &str,
    ) -> Result<Self, StackError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |error: std::io::Error| StackError::Data {
                what: "cannot open",
                path,
                reason: error.to_string(),
            }
        };
        std::fs::create_dir_all(folder).map_err(failed(folder))?;
        Ok(Self {
            folder: folder.to_owned(),
            s3,
            bucket: bucket.to_owned(),
            memory: Memory::open(memory).map_err(failed(memory))?,
            seen: HashMap::new(),
            missing: Missing::default(),
            status: Arc::default(),
        })
    }

    pub(crate) fn status(&self) -> Arc<Mutex<DropStatus>> {
        self.status.clone()
    }

    pub(crate) async fn run(mut self, stop: CancellationToken) {
        loop {
            let began = Instant::now();
            if stop.run_until_cancelled(self.pass()).await.is_none() {
                return;
            }
            // Looking through a great many files takes its time: never more than a tenth of the machine's.
            let pause = LOOK_EVERY.max(began.elapsed() * 9);
            if stop
                .run_until_cancelled(tokio::time::sleep(pause))
                .await
                .is_none()
            {
                return;
            }
        }
    }

    async fn pass(&mut self) {
        let folder = self.folder.clone();
        let Ok(looked) = tokio::task::spawn_blocking(move || look::through(&folder)).await else {
            return;
        };
        self.tell_of_deleted(&looked);
        let mut problems: BTreeMap<String, String> = looked.problems;
        let still = self.still(looked.files);
        let (ready, files): (Vec<_>, Vec<_>) = still
            .into_iter()
            .partition(|found| found.key.ends_with(READY_FILE));
        for group in [files, ready] {
            problems.extend(self.upload(group).await);
        }
        let problems: Vec<_> = problems
            .into_iter()
            .map(|(path, reason)| DropProblem { path, reason })
            .collect();
        let mut status = lock(&self.status);
        // Each is told once, not at each look.
        for DropProblem { path, reason } in problems.iter().filter(|new| !status.problems.contains(new)) {
            tracing::warn!("drop folder: {path:?} {reason}");
        }
        status.waiting = self.seen.len();
        status.problems = problems;
    }

    fn tell_of_deleted(&mut self, looked: &Looked) {
        let gone = self.missing.found(looked, &mut self.memory);
        if gone.is_empty() {
            return;
        }
        let mut status = lock(&self.status);
        if status.deleted == 0 {
            tracing::warn!("drop folder: {}", deleted::words(&self.bucket, &gone));
        }
        status.deleted += gone.len() as u64;
    }

    /// The files that have changed since they were uploaded, and have not changed for a while.
    fn still(&mut self, files: Vec<Found>) -> Vec<Found> {
        let now = Instant::now();
        let mut seen = HashMap::new();
        let mut still = Vec::new();
        for found in files {
            if self.memory.has(&found.key, found.stamp) {
                continue;
            }
            let since = match self.seen.get(&found.key) {
                Some(known) if known.stamp == found.stamp => known.since,
                _ => now,
            };
            seen.insert(
                found.key.clone(),
                Seen {
                    stamp: found.stamp,
                    since,
                },
            );
            if now - since >= STILL_FOR {
                still.push(found);
            }
        }
        self.seen = seen;
        still
    }

    /// What could not be uploaded, and why; it is tried again at the next look.
    async fn upload(&mut self, files: Vec<Found>) -> BTreeMap<String, String> {
        let uploads = futures::stream::iter(files).map(|found| {
            let (s3, bucket, folder) = (&self.s3, &self.bucket, &self.folder);
            async move {
                let sent = upload::file(s3, bucket, folder, &found).await;
                (found, sent)
            }
        });
        let results: Vec<_> = uploads.buffer_unordered(AT_ONCE).collect().await;
        let mut problems = BTreeMap::new();
        for (found, sent) in results {
            let sent = sent.and_then(|()| {
                self.memory
                    .keep(&found.key, found.stamp)
                    .map_err(|error| error.to_string())
            });
            match sent {
                Ok(()) => {
                    self.seen.remove(&found.key);
                    lock(&self.status).uploaded += 1;
                }
                Err(reason) => {
                    problems.insert(
                        found.key,
                        format!("is not uploaded yet and is tried again: {reason}"),
                    );
                }
            }
        }
        problems
    }
}
