//! A folder of the disk whose files are uploaded to the input bucket: a file that has not changed for a second is uploaded
//! under its own path. Changed files are uploaded again; deleting a file here deletes nothing there, since it may be in a job.

mod deletions;
mod open_file;
mod scan;
#[cfg(test)]
mod tests;
mod upload;
mod upload_log;

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
use deletions::DeletedFiles;
use scan::{Scan, ScannedFile, Stamp};
use upload_log::UploadLog;

/// How often the folder is scanned, unless that takes long.
const SCAN_INTERVAL: Duration = Duration::from_millis(500);
/// A file that has not changed for this long is taken to be whole.
const SETTLE_TIME: Duration = Duration::from_secs(1);
/// Uploads at once.
const UPLOADS_AT_ONCE: usize = 16;
/// Marks a dataset as complete; counts for what was uploaded before it, so it goes last.
const READY_FILE: &str = "_READY";

/// What the drop folder has done and what it could not do.
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
    upload_log: UploadLog,
    pending: HashMap<String, PendingFile>,
    deleted_files: DeletedFiles,
    status: Arc<Mutex<DropStatus>>,
}

/// A file that is not uploaded as it is now.
#[derive(Clone, Copy)]
struct PendingFile {
    stamp: Stamp,
    since: Instant,
}

impl DropFolder {
    pub(crate) fn open(
        folder: &Path,
        upload_log: &Path,
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
            upload_log: UploadLog::open(upload_log).map_err(failed(upload_log))?,
            pending: HashMap::new(),
            deleted_files: DeletedFiles::default(),
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
            // A scan of a great many files takes long: scans take no more than a tenth of the time.
            let pause = SCAN_INTERVAL.max(began.elapsed() * 9);
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
        let Ok(scan) = tokio::task::spawn_blocking(move || scan::scan(&folder)).await else {
            return;
        };
        self.report_deleted(&scan);
        let mut problems: BTreeMap<String, String> = scan.problems;
        let settled = self.take_settled(scan.files);
        let (ready, files): (Vec<_>, Vec<_>) = settled
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
        // Each is logged once, not at each scan.
        for DropProblem { path, reason } in problems.iter().filter(|new| !status.problems.contains(new)) {
            tracing::warn!("drop folder: {path:?} {reason}");
        }
        status.waiting = self.pending.len();
        status.problems = problems;
    }

    fn report_deleted(&mut self, scan: &Scan) {
        let gone = self.deleted_files.newly_missing(scan, &mut self.upload_log);
        if gone.is_empty() {
            return;
        }
        let mut status = lock(&self.status);
        if status.deleted == 0 {
            tracing::warn!("drop folder: {}", deletions::message(&self.bucket, &gone));
        }
        status.deleted += gone.len() as u64;
    }

    /// The files that have changed since they were uploaded, and not during the settle time.
    fn take_settled(&mut self, files: Vec<ScannedFile>) -> Vec<ScannedFile> {
        let now = Instant::now();
        let mut pending = HashMap::new();
        let mut settled = Vec::new();
        for found in files {
            if self.upload_log.is_current(&found.key, found.stamp) {
                continue;
            }
            let since = match self.pending.get(&found.key) {
                Some(known) if known.stamp == found.stamp => known.since,
                _ => now,
            };
            pending.insert(
                found.key.clone(),
                PendingFile {
                    stamp: found.stamp,
                    since,
                },
            );
            if now - since >= SETTLE_TIME {
                settled.push(found);
            }
        }
        self.pending = pending;
        settled
    }

    /// What could not be uploaded, and why; it is tried again after the next scan.
    async fn upload(&mut self, files: Vec<ScannedFile>) -> BTreeMap<String, String> {
        let uploads = futures::stream::iter(files).map(|found| {
            let (s3, bucket, folder) = (&self.s3, &self.bucket, &self.folder);
            async move {
                let sent = upload::file(s3, bucket, folder, &found).await;
                (found, sent)
            }
        });
        let results: Vec<_> = uploads.buffer_unordered(UPLOADS_AT_ONCE).collect().await;
        let mut problems = BTreeMap::new();
        for (found, sent) in results {
            let sent = sent.and_then(|()| {
                self.upload_log
                    .add(&found.key, found.stamp)
                    .map_err(|error| error.to_string())
            });
            match sent {
                Ok(()) => {
                    self.pending.remove(&found.key);
                    lock(&self.status).uploaded += 1;
                }
                Err(reason) => {
                    problems.insert(
                        found.key,
                        format!("is not uploaded yet and will be retried: {reason}"),
                    );
                }
            }
        }
        problems
    }
}
