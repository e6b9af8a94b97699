//! Buckets, objects and uploads on disk: an ordered, transactional index, and files for what is large.

pub(super) mod blobs;
pub(super) mod changes;
mod commit;
pub(super) mod index;
pub(super) mod listing;
pub(super) mod record;

use std::{
    collections::HashSet,
    path::Path,
    sync::{
        Arc,
        mpsc::{Sender, channel},
    },
    thread::JoinHandle,
};

use redb::{ReadableTable, WriteTransaction};
use s3s::{S3Error, S3ErrorCode, S3Result, s3_error};
use tokio::sync::oneshot;
use uuid::Uuid;

use self::{
    blobs::Blobs,
    changes::Changes,
    commit::{Committer, Job, JobOutcome},
    index::Snapshot,
    record::{ObjectRecord, PartRecord},
};
use super::{error, notification::Notify};
use crate::database::DatabaseFile;

/// Memory for the index's pages. What is read again soon is mostly a listing's neighbours.
const CACHE: usize = 128 << 20;
const INDEX: &str = "index.redb";

/// Why a store could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("the object store in {folder} cannot be opened: {reason}")]
pub struct OpenError {
    pub folder: String,
    pub reason: String,
}

pub(super) struct Store {
    index: Arc<DatabaseFile>,
    pub(super) blobs: Arc<Blobs>,
    jobs: Option<Sender<Job>>,
    committer: Option<JoinHandle<()>>,
}

impl Store {
    pub(super) fn open(folder: &Path, notify: Notify) -> Result<Store, OpenError> {
        let failed = |reason: String| OpenError {
            folder: folder.display().to_string(),
            reason,
        };
        std::fs::create_dir_all(folder).map_err(|e| failed(e.to_string()))?;
        let index = DatabaseFile::open(&folder.join(INDEX), CACHE, make_tables);
        let index = Arc::new(index.map_err(|e| failed(format!("{INDEX}: {e}")))?);
        let blobs = Arc::new(Blobs::open(folder.join("blobs")).map_err(|e| failed(e.to_string()))?);
        sweep_in_background(&index, &blobs).map_err(|e| failed(e.to_string()))?;
        let (jobs, received) = channel();
        let committer = Committer {
            index: index.clone(),
            blobs: blobs.clone(),
            notify,
        };
        let committer = std::thread::Builder::new()
            .name("s3-commit".into())
            .spawn(move || committer.run(&received))
            .map_err(|e| failed(e.to_string()))?;
        Ok(Store {
            index,
            blobs,
            jobs: Some(jobs),
            committer: Some(committer),
        })
    }

    /// Runs `decide` inside the next transaction and returns its result once that is on disk. If it fails, it must not have
    /// changed anything: others share the transaction.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        decide: impl FnOnce(&mut Changes<'_>) -> S3Result<T> + Send + 'static,
    ) -> S3Result<T> {
        let (reply, replied) = oneshot::channel();
        let job: Job = Box::new(move |changes| {
            let decided = decide(changes);
            let broken = decided
                .as_ref()
                .is_err_and(|error| *error.code() == S3ErrorCode::InternalError);
            let reply = Box::new(move |committed: Result<(), String>| {
                // No one receives it when the client has gone; what was committed stays.
                let _ = reply.send(committed.map_err(|reason| error::disk_full(&reason)).and(decided));
            });
            JobOutcome { broken, reply }
        });
        let sent = self.jobs.as_ref().map(|jobs| jobs.send(job).is_ok());
        if sent != Some(true) {
            return Err(s3_error!(InternalError, "The object store has stopped."));
        }
        replied
            .await
            .map_err(|_| error::disk_full("its index cannot be written"))?
    }

    /// The index as it is now.
    pub(super) fn snapshot(&self) -> S3Result<Snapshot> {
        let read = self.index.read();
        let read = read.map_err(|reason| error::disk_full(&reason.to_string()))?;
        Snapshot::of(&read).map_err(S3Error::internal_error)
    }
}

impl Drop for Store {
    /// Waits for the last commit, so that the folder can be opened again at once.
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(committer) = self.committer.take()
            && committer.join().is_err()
        {
            tracing::error!("panic in the thread that commits the object store's index");
        }
    }
}

fn make_tables(transaction: &WriteTransaction) -> Result<(), redb::Error> {
    Changes::begin(transaction, jiff::Timestamp::now())?;
    Ok(())
}

/// Removes, beside the store's work, the files that a crash left without a name.
fn sweep_in_background(index: &Arc<DatabaseFile>, blobs: &Arc<Blobs>) -> std::io::Result<()> {
    let present = blobs.all()?;
    if present.is_empty() {
        return Ok(());
    }
    let (index, blobs) = (index.clone(), blobs.clone());
    let sweep = move || match named_blobs(&index) {
        Ok(named_blobs) => blobs.sweep(present, &named_blobs),
        Err(error) => {
            tracing::error!(%error, "failed to check the object store's files against its index");
        }
    };
    std::thread::Builder::new()
        .name("s3-sweep".into())
        .spawn(sweep)
        .map(drop)
}

fn named_blobs(index: &DatabaseFile) -> Result<HashSet<Uuid>, S3Error> {
    let read = index.read().map_err(S3Error::internal_error)?;
    let snapshot = Snapshot::of(&read).map_err(S3Error::internal_error)?;
    let mut named = HashSet::new();
    for entry in snapshot.objects.iter().map_err(index::storage_error)? {
        let (_, record) = entry.map_err(index::storage_error)?;
        let record = ObjectRecord::decode(record.value()).map_err(index::damaged_record)?;
        named.extend(record.segments().iter().map(|segment| segment.blob));
    }
    for entry in snapshot.parts.iter().map_err(index::storage_error)? {
        let (_, record) = entry.map_err(index::storage_error)?;
        let part: PartRecord = serde_json::from_slice(record.value()).map_err(S3Error::internal_error)?;
        named.insert(part.segment.blob);
    }
    Ok(named)
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::super::notification::ObjectEvent;
    use super::{
        listing::{self, ListingPage, ListingQuery, ListingStart},
        record::{BytesLocation, ObjectDescription, ObjectDetails, ObjectHead},
        *,
    };

    const KEYS: usize = 11_000;

    async fn filled_store(folder: &Path) -> Store {
        let store = Store::open(folder, Arc::new(|_| {})).unwrap();
        let details = ObjectDetails {
            bytes: BytesLocation::Inline,
            description: ObjectDescription::default(),
            checksum: None,
            upload: None,
        };
        let head = ObjectHead {
            size: 1,
            modified: 0,
            etag: "e".repeat(32),
        };
        let record = ObjectRecord { head, details };
        let fill = move |changes: &mut Changes<'_>| {
            (0..KEYS).try_for_each(|at| {
                let key = format!("set-{:02}/{at:05}.txt", at % 11);
                changes.put_object(("input", &key), &record, Some(b"x"), ObjectEvent::Put)
            })
        };
        store.write(fill).await.unwrap();
        store
    }

    fn pages(store: &Store, delimiter: Option<&str>) -> Vec<ListingPage> {
        let snapshot = store.snapshot().unwrap();
        let (mut pages, mut from) = (Vec::new(), Some(ListingStart::Beginning));
        while let Some(next) = from {
            let query = ListingQuery {
                bucket: "input",
                prefix: "",
                delimiter,
                from: next,
                limit: 1000,
            };
            let page = listing::list_page(&snapshot.objects, &query).unwrap();
            from = page.next.clone();
            pages.push(page);
        }
        pages
    }

    #[tokio::test]
    async fn a_listing_costs_what_it_shows_not_what_it_jumps_over() {
        let folder = tempfile::tempdir().unwrap();
        let store = filled_store(folder.path()).await;
        let began = Instant::now();
        let whole = pages(&store, None);
        let walking = began.elapsed();
        assert_eq!(
            (whole.len(), whole.iter().map(|page| page.objects.len()).sum()),
            (11, KEYS)
        );
        let began = Instant::now();
        let folders = pages(&store, Some("/"));
        let jumping = began.elapsed();
        assert_eq!((folders.len(), folders[0].prefixes.len()), (1, 11));
        println!("{KEYS} keys in {walking:?}, their 11 folders in {jumping:?}");
        assert!(
            jumping * 3 < walking,
            "11 folders took {jumping:?}, {KEYS} keys {walking:?}"
        );
    }

    #[tokio::test]
    async fn a_refused_write_leaves_those_that_share_its_transaction_alone() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), Arc::new(|_| {})).unwrap();
        let made = |name: &'static str| {
            let record = index::BucketRecord {
                created: 0,
                cors: Vec::new(),
            };
            store.write(move |changes| changes.put_bucket(name, &record))
        };
        let refused = store.write(|_| Err::<(), _>(s3_error!(PreconditionFailed)));
        let (first, refused, last) = tokio::join!(made("first"), refused, made("last"));
        assert!(first.is_ok() && refused.is_err() && last.is_ok());
        assert_eq!(
            index::buckets(&store.snapshot().unwrap().buckets).unwrap().len(),
            2
        );
    }
}
