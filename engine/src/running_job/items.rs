//! The items of a running job, in memory and in the store. Every change of an item document is decided on its newest
//! version and written on condition that it still is the newest.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use tokio::sync::Notify;

use super::finished_items::{self, FinishedItem};
use super::index::Index;
use super::item::ItemRecord;
use super::open_watch::OpenWatch;
use crate::answer::AnswerReader;
use crate::clock::Clock;
use crate::desk::WorkError;
use crate::keyed_locks::KeyedLocks;
use crate::lock::lock;
use crate::run_blocking::run_blocking;
use crate::state::{Documents, JobRecord, StoreError, StoredDocument, keys};

/// Attempts at one change of an item. Each failed attempt means that another engine succeeded.
const ATTEMPTS: u32 = 20;
/// Item documents read at once.
const READERS: usize = 32;

pub(crate) struct Items {
    job: String,
    /// Distinguishes the job from another that had its name.
    reference: String,
    documents: Documents,
    clock: Clock,
    answers: Arc<AnswerReader>,
    index: Mutex<Index>,
    locks: KeyedLocks,
    watch: OpenWatch,
    /// Items whose raw answers are to be written to the output.
    finished: Mutex<Vec<u32>>,
    /// Wakes the job's keeper: an item was finished.
    wake: Arc<Notify>,
}

/// What is known of an item: its document, the ETag if it was written, and since which check of the job.
struct KnownItem {
    record: ItemRecord,
    etag: Option<String>,
    since: u64,
}

impl Items {
    pub(super) fn new(
        job: &JobRecord,
        index: Index,
        answers: Arc<AnswerReader>,
        documents: Documents,
        clock: Clock,
        wake: Arc<Notify>,
    ) -> Items {
        Items {
            watch: OpenWatch::new(documents.clone(), job.name.clone()),
            job: job.name.clone(),
            reference: job.reference_code.clone(),
            documents,
            clock,
            answers,
            index: Mutex::new(index),
            locks: KeyedLocks::new(),
            finished: Mutex::default(),
            wake,
        }
    }

    pub(crate) fn index(&self) -> MutexGuard<'_, Index> {
        lock(&self.index)
    }

    pub(super) fn current_time(&self) -> Timestamp {
        (self.clock)()
    }

    /// Reads the job's document. From then on, answers are taken or refused by what it says.
    pub(crate) async fn check_job(&self) -> Result<Option<StoredDocument<JobRecord>>, StoreError> {
        self.watch.check().await
    }

    /// Items finished since the last call.
    pub(crate) fn take_finished(&self) -> Vec<u32> {
        std::mem::take(&mut *lock(&self.finished))
    }

    /// Returns items whose raw answers could not be written yet.
    pub(crate) fn return_finished(&self, items: Vec<u32>) {
        lock(&self.finished).extend(items);
    }

    /// Reads all items once, before any task is handed out.
    pub(crate) async fn resume(&self) -> Result<(), StoreError> {
        let finished = self.read_finished().await;
        let listed = self.list_etags().await?;
        self.restore(finished, &listed);
        self.read_changed(&listed).await
    }

    /// Reads the item documents that other engines have changed.
    pub(crate) async fn refresh(&self) -> Result<(), StoreError> {
        let listed = self.list_etags().await?;
        self.read_changed(&listed).await
    }

    /// The job is ending: closes every item that was handed out and is not finished. The output is made of the index as it
    /// is after this.
    pub(crate) async fn close(&self) -> Result<(), StoreError> {
        self.refresh().await?;
        let active = self.index().active();
        stream::iter(active)
            .map(|index| self.close_one(index))
            .buffer_unordered(READERS)
            .try_collect::<()>()
            .await
    }

    /// Writes the list of finished items, for the next start.
    pub(crate) async fn write_finished(self: &Arc<Self>) -> Result<(), StoreError> {
        let items = self.clone();
        let written = run_blocking(move || {
            let finished = items.index().finished_items();
            finished_items::write(&items.reference, &finished)
        });
        match written.await? {
            Some(bytes) => {
                let key = keys::finished_items(&self.job);
                self.documents.overwrite_bytes(&key, bytes).await
            }
            None => Ok(()),
        }
    }

    /// Empty if the list is missing or damaged: then the item documents are read.
    async fn read_finished(&self) -> Vec<FinishedItem> {
        match self.documents.load_bytes(&keys::finished_items(&self.job)).await {
            Ok(Some(bytes)) => {
                let reference = self.reference.clone();
                let read = run_blocking(move || finished_items::read(&reference, &bytes).unwrap_or_default());
                read.await.unwrap_or_default()
            }
            Ok(None) | Err(_) => Vec::new(),
        }
    }

    fn restore(&self, finished: Vec<FinishedItem>, listed: &HashMap<u32, String>) {
        let is_unchanged =
            |item: &FinishedItem| listed.get(&item.index).is_some_and(|etag| **etag == *item.etag);
        let mut index = self.index();
        let mut restored = Vec::new();
        for item in finished.into_iter().filter(is_unchanged) {
            let number = item.index;
            if index.restore(item) {
                restored.push(number);
            }
        }
        drop(index);
        self.return_finished(restored);
    }

    /// The ETags of the item documents, by item.
    async fn list_etags(&self) -> Result<HashMap<u32, String>, StoreError> {
        let prefix = keys::items(&self.job);
        let listed = self.documents.list(&prefix).await?;
        let numbered = listed.into_iter().filter_map(|item| {
            let number = item.key.strip_prefix(&prefix)?.strip_suffix(".json")?;
            Some((number.parse().ok()?, item.etag))
        });
        Ok(numbered.collect())
    }

    async fn read_changed(&self, listed: &HashMap<u32, String>) -> Result<(), StoreError> {
        let changed: Vec<u32> = {
            let index = self.index();
            let is_changed = |(i, etag): &(&u32, &String)| {
                !index.is_finished_item(**i) && index.etag(**i) != Some(etag.as_str())
            };
            listed.iter().filter(is_changed).map(|(i, _)| *i).collect()
        };
        stream::iter(changed)
            .map(|index| async move {
                let _lock = self.locks.lock(index).await;
                self.read(index).await
            })
            .buffer_unordered(READERS)
            .try_collect::<()>()
            .await
    }

    /// Lets `decide` change the newest version of an item, and stores it; decides again if another engine was first. A no
    /// to a remembered version is decided again on the stored one: another engine may have changed it, or the reply to this
    /// engine's own write was lost. `needs_open_job`: the change is refused once the job takes no more answers.
    pub(super) async fn change(
        &self,
        index: u32,
        worker: &str,
        needs_open_job: bool,
        decide: impl Fn(&mut ItemRecord) -> Result<bool, WorkError>,
    ) -> Result<(), WorkError> {
        let _lock = self.locks.lock(index).await;
        let mut is_fresh = false;
        for _ in 0..ATTEMPTS {
            let Some(mut known) = self.known_item(index, worker)? else {
                return Ok(());
            };
            // The rules of the item decide; `false` means that nothing is to be written.
            match decide(&mut known.record) {
                Ok(true) => {}
                Ok(false) => return Ok(()),
                Err(no) if is_fresh => return Err(no),
                Err(_) => {
                    self.reload(index).await?;
                    is_fresh = true;
                    continue;
                }
            }
            if needs_open_job {
                self.watch.require_open_after(known.since).await?;
            }
            match self.write(index, &known.record, known.etag.as_deref()).await {
                Ok(etag) => {
                    self.update_index(index, known.record, etag);
                    return Ok(());
                }
                Err(StoreError::Changed) => self.reload(index).await?,
                Err(error) => {
                    // The write may have happened: read what is stored before the next attempt, if the store replies.
                    let _ = self.reload(index).await;
                    return Err(self.unavailable(&error));
                }
            }
            is_fresh = true;
        }
        Err(WorkError::Unavailable)
    }

    /// `None` if the worker's answer is among those of a finished item; an error if the item was finished without it.
    fn known_item(&self, index: u32, worker: &str) -> Result<Option<KnownItem>, WorkError> {
        let known = self.index();
        if known.has_answered(index, worker) {
            return Ok(None);
        }
        if known.is_finished_item(index) {
            return Err(WorkError::NotHeld);
        }
        Ok(Some(match known.record(index) {
            Some((record, etag, since)) => KnownItem {
                record: record.clone(),
                etag: etag.map(str::to_owned),
                since,
            },
            None => KnownItem {
                record: ItemRecord::default(),
                etag: None,
                since: self.watch.check_count(),
            },
        }))
    }

    async fn write(&self, index: u32, item: &ItemRecord, etag: Option<&str>) -> Result<String, StoreError> {
        let key = keys::item(&self.job, index);
        match etag {
            Some(etag) => self.documents.replace(&key, item, etag).await,
            None => self.documents.create(&key, item).await,
        }
    }

    /// Reads one item again, for a worker who waits for it.
    pub(super) async fn reload_for_worker(&self, index: u32) -> Result<(), WorkError> {
        let _lock = self.locks.lock(index).await;
        self.reload(index).await
    }

    pub(super) async fn refresh_for_worker(&self) -> Result<(), WorkError> {
        self.refresh().await.map_err(|error| self.unavailable(&error))
    }

    async fn reload(&self, index: u32) -> Result<(), WorkError> {
        self.read(index).await.map_err(|error| self.unavailable(&error))
    }

    async fn read(&self, index: u32) -> Result<(), StoreError> {
        let key = keys::item(&self.job, index);
        match self.documents.load::<ItemRecord>(&key).await {
            Ok(Some(stored)) => self.update_index(index, stored.value, stored.etag),
            Ok(None) => {}
            Err(StoreError::Unreadable(reason)) => {
                tracing::error!(
                    job = self.job,
                    index,
                    reason,
                    "item failed: its document cannot be read"
                );
                self.index().mark_damaged(index);
                self.wake.notify_one();
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn update_index(&self, index: u32, mut item: ItemRecord, etag: String) {
        // Answers that were stored before this rule are cut down too.
        for answer in &mut item.answers {
            answer.content = self.answers.keep(&answer.content);
        }
        let is_finished =
            self.index()
                .update(index, item, etag, self.current_time(), self.watch.check_count());
        if is_finished {
            self.return_finished(vec![index]);
            self.wake.notify_one();
        }
    }

    async fn close_one(&self, index: u32) -> Result<(), StoreError> {
        let _lock = self.locks.lock(index).await;
        for _ in 0..ATTEMPTS {
            let known = self
                .index()
                .record(index)
                .map(|(item, etag, _)| (item.clone(), etag.map(str::to_owned)));
            let Some((mut item, Some(etag))) = known else {
                return Ok(());
            };
            if item.closed {
                return Ok(());
            }
            item.close();
            match self.write(index, &item, Some(&etag)).await {
                Ok(etag) => {
                    self.update_index(index, item, etag);
                    return Ok(());
                }
                Err(StoreError::Changed) => self.read(index).await?,
                Err(error) => return Err(error),
            }
        }
        Err(StoreError::Failed(format!(
            "item {index} of {}: other writers changed it {ATTEMPTS} times in a row",
            self.job
        )))
    }

    fn unavailable(&self, error: &StoreError) -> WorkError {
        tracing::warn!(job = self.job, %error, "state store failed");
        WorkError::Unavailable
    }
}
