//! Two buckets in memory.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use jiff::{SignedDuration, Timestamp};
use shared::port::{
    Bucket, CreateOutcome, Object, OpenUpload, Page, RefusalScope, ReplaceOutcome, Store, StoreError,
    StoredObject,
};
use shared::spec::Spec;

/// What goes wrong with a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing is done, 503.
    Throttled,
    /// It is done, and the caller never hears of it.
    ResponseLost,
    /// It is done, the response is lost, the SDK tries again and gets 412 against itself.
    ConflictWithItself,
}

/// Something another process does just before a write arrives.
type Meanwhile = Box<dyn FnOnce(&FakeStore) + Send>;

#[derive(Clone, Default)]
pub struct FakeStore(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    objects: BTreeMap<(Bucket, String), StoredVersion>,
    /// Of buckets that are not the stack's.
    others: BTreeMap<(String, String), StoredVersion>,
    uploads: Vec<OpenUpload>,
    now: Timestamp,
    page_size: Option<usize>,
    writes: u64,
    gets: Vec<String>,
    faults: VecDeque<(String, Fault)>,
    meanwhile: VecDeque<(String, Meanwhile)>,
    broken_lists: Vec<String>,
    at_read: BTreeMap<String, AtRead>,
    bytes_read: u64,
}

/// What happens to an object in the moment it is read.
#[derive(Clone)]
enum AtRead {
    Vanishes,
    Overwritten(Vec<u8>),
    Refused,
    Hangs,
}

#[derive(Clone)]
struct StoredVersion {
    bytes: Vec<u8>,
    etag: String,
    last_modified: Timestamp,
    metadata: BTreeMap<String, String>,
}

impl FakeStore {
    pub fn at(now: &str) -> Self {
        let store = Self::default();
        store.state().now = now.parse().unwrap_or(Timestamp::UNIX_EPOCH);
        store
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn now(&self) -> Timestamp {
        self.state().now
    }

    pub fn pass(&self, seconds: i64) {
        let mut state = self.state();
        state.now = state
            .now
            .saturating_add(SignedDuration::from_secs(seconds))
            .unwrap_or(state.now);
    }

    /// An object of a bucket that is not the stack's.
    pub fn put_elsewhere(&self, bucket: &str, key: &str, bytes: impl Into<Vec<u8>>) {
        let mut state = self.state();
        let stored = StoredVersion {
            bytes: bytes.into(),
            etag: "elsewhere".to_owned(),
            last_modified: state.now,
            metadata: BTreeMap::new(),
        };
        state.others.insert((bucket.to_owned(), key.to_owned()), stored);
    }

    /// A person drops a file into the input bucket.
    pub fn drop_file(&self, key: &str, bytes: impl Into<Vec<u8>>) {
        self.state()
            .put(Bucket::Input, key, bytes.into(), BTreeMap::new());
    }

    /// A person writes to the output bucket past every rule.
    pub fn put_output(&self, key: &str, bytes: impl Into<Vec<u8>>, metadata: &[(&str, &str)]) {
        let metadata = metadata
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect();
        self.state().put(Bucket::Output, key, bytes.into(), metadata);
    }

    pub fn etag(&self, bucket: Bucket, key: &str) -> Option<String> {
        let state = self.state();
        Some(state.objects.get(&(bucket, key.to_owned()))?.etag.clone())
    }

    pub fn remove(&self, bucket: Bucket, key: &str) {
        self.state().objects.remove(&(bucket, key.to_owned()));
    }

    pub fn open_upload(&self, key: &str) {
        let mut state = self.state();
        let initiated = state.now;
        state.uploads.push(OpenUpload {
            key: key.to_owned(),
            initiated,
        });
    }

    /// The upload is finished; its LastModified is the time it was begun, its ETag says of how many parts it is.
    pub fn finish_upload(&self, key: &str, bytes: impl Into<Vec<u8>>) {
        let mut state = self.state();
        let begun = state.uploads.iter().find(|u| u.key == key).map(|u| u.initiated);
        state.uploads.retain(|u| u.key != key);
        state.put(Bucket::Input, key, bytes.into(), BTreeMap::new());
        if let (Some(begun), Some(object)) = (begun, state.objects.get_mut(&(Bucket::Input, key.to_owned())))
        {
            object.last_modified = begun;
            object.etag.push_str("-1");
        }
    }

    /// Few entries a page, to have pages.
    pub fn page_size(&self, entries: usize) {
        self.state().page_size = Some(entries);
    }

    /// The next write to a key with this prefix goes wrong.
    pub fn fail_next(&self, key_prefix: &str, fault: Fault) {
        self.state().faults.push_back((key_prefix.to_owned(), fault));
    }

    /// The object is listed, and gone when it is read.
    pub fn vanish_at_read(&self, key: &str) {
        self.at_read(key, AtRead::Vanishes);
    }

    /// The object is overwritten after it has been listed and before it is read, once.
    pub fn overwrite_at_read(&self, key: &str, bytes: impl Into<Vec<u8>>) {
        self.at_read(key, AtRead::Overwritten(bytes.into()));
    }

    /// The object may not be read: it is encrypted with another account's key, say.
    pub fn refuse_reads(&self, key: &str) {
        self.at_read(key, AtRead::Refused);
    }

    /// A read of the object gets no answer.
    pub fn hang_reads(&self, key: &str) {
        self.at_read(key, AtRead::Hangs);
    }

    fn at_read(&self, key: &str, then: AtRead) {
        self.state().at_read.insert(key.to_owned(), then);
    }

    /// Every listing of this prefix fails on its last page.
    pub fn break_list(&self, prefix: &str) {
        self.state().broken_lists.push(prefix.to_owned());
    }

    pub fn mend_lists(&self) {
        self.state().broken_lists.clear();
    }

    /// Just before the next write to a key with this prefix arrives, this happens.
    pub fn meanwhile(&self, key_prefix: &str, then: impl FnOnce(&FakeStore) + Send + 'static) {
        self.state()
            .meanwhile
            .push_back((key_prefix.to_owned(), Box::new(then)));
    }

    pub fn text(&self, bucket: Bucket, key: &str) -> Option<String> {
        let state = self.state();
        let stored = state.objects.get(&(bucket, key.to_owned()))?;
        Some(String::from_utf8_lossy(&stored.bytes).into_owned())
    }

    pub fn output(&self, key: &str) -> Option<String> {
        self.text(Bucket::Output, key)
    }

    /// As they are; empty where there is none.
    pub fn bytes(&self, bucket: Bucket, key: &str) -> Vec<u8> {
        let state = self.state();
        let object = state.objects.get(&(bucket, key.to_owned()));
        object.map(|object| object.bytes.clone()).unwrap_or_default()
    }

    pub fn metadata(&self, key: &str) -> BTreeMap<String, String> {
        let state = self.state();
        state
            .objects
            .get(&(Bucket::Output, key.to_owned()))
            .map(|s| s.metadata.clone())
            .unwrap_or_default()
    }

    pub fn outputs(&self, prefix: &str) -> Vec<String> {
        let state = self.state();
        let keys = state
            .objects
            .keys()
            .filter(|(b, key)| *b == Bucket::Output && key.starts_with(prefix));
        keys.map(|(_, key)| key.clone()).collect()
    }

    /// Writes that reached the store, ever.
    pub fn writes(&self) -> u64 {
        self.state().writes
    }

    /// Keys read, in order.
    pub fn reads(&self) -> Vec<String> {
        self.state().gets.clone()
    }

    /// Bytes handed out, ever.
    pub fn bytes_read(&self) -> u64 {
        self.state().bytes_read
    }

    fn write(
        &self,
        key: &str,
        body: Vec<u8>,
        metadata: &BTreeMap<String, String>,
        etag: Option<&str>,
    ) -> Result<Option<String>, StoreError> {
        let meanwhile = self.state().take_meanwhile(key);
        if let Some(then) = meanwhile {
            then(self);
        }
        let mut state = self.state();
        let fault = state.take_fault(key);
        let transient = || StoreError::Transient {
            operation: "PutObject",
            what: key.to_owned(),
            reason: format!("{fault:?}"),
        };
        if fault == Some(Fault::Throttled) {
            return Err(transient());
        }
        let there = state
            .objects
            .get(&(Bucket::Output, key.to_owned()))
            .map(|s| s.etag.as_str());
        let applies = there == etag;
        let written = applies.then(|| state.put(Bucket::Output, key, body, metadata.clone()));
        match fault {
            Some(Fault::ResponseLost) => Err(transient()),
            Some(Fault::ConflictWithItself) => Ok(None),
            _ => Ok(written),
        }
    }
}

impl State {
    fn put(
        &mut self,
        bucket: Bucket,
        key: &str,
        bytes: Vec<u8>,
        metadata: BTreeMap<String, String>,
    ) -> String {
        self.writes += 1;
        // As S3's: of the bytes, so that the same bytes have the same ETag.
        let etag: String = Spec::sha256(&bytes).chars().take(32).collect();
        let last_modified = Timestamp::from_second(self.now.as_second()).unwrap_or(self.now);
        self.objects.insert(
            (bucket, key.to_owned()),
            StoredVersion {
                bytes,
                etag: etag.clone(),
                last_modified,
                metadata,
            },
        );
        etag
    }

    fn take_fault(&mut self, key: &str) -> Option<Fault> {
        let place = self
            .faults
            .iter()
            .position(|(prefix, _)| key.starts_with(prefix.as_str()))?;
        self.faults.remove(place).map(|(_, fault)| fault)
    }

    fn take_meanwhile(&mut self, key: &str) -> Option<Meanwhile> {
        let place = self
            .meanwhile
            .iter()
            .position(|(prefix, _)| key.starts_with(prefix.as_str()))?;
        self.meanwhile.remove(place).map(|(_, then)| then)
    }

    fn list(&self, bucket: Bucket, prefix: &str, folders: bool, after: &str) -> Page {
        let size = self.page_size.unwrap_or(1000);
        let mut page = Page {
            objects: Vec::new(),
            folders: Vec::new(),
            next: None,
            date: self.now,
        };
        let from = (bucket, prefix.max(after).to_owned());
        let keys = self
            .objects
            .range(from..)
            .take_while(|((b, key), _)| *b == bucket && key.starts_with(prefix));
        for ((_, key), stored) in keys {
            let folder = folders.then(|| key[prefix.len()..].split_once('/')).flatten();
            let entry = folder.map_or_else(|| key.clone(), |(folder, _)| format!("{prefix}{folder}/"));
            if entry.as_str() <= after || page.folders.last() == Some(&entry) {
                continue;
            }
            if page.objects.len() + page.folders.len() == size {
                let last = page.objects.last().map(|o| &o.key).max(page.folders.last());
                page.next = last.cloned();
                break;
            }
            match folder {
                Some(_) => page.folders.push(entry),
                None => page.objects.push(stored.listing_entry(entry)),
            }
        }
        page
    }
}

impl StoredVersion {
    fn listing_entry(&self, key: String) -> Object {
        let size = self.bytes.len() as u64;
        Object {
            key,
            etag: self.etag.clone(),
            size,
            last_modified: self.last_modified,
        }
    }

    fn read_range(&self, range: Option<Range<u64>>) -> StoredObject {
        let size = self.bytes.len() as u64;
        let (from, to) = range.map_or((0, size), |r| (r.start.min(size), r.end.min(size)));
        let at = |place: u64| usize::try_from(place).unwrap_or(usize::MAX);
        StoredObject {
            bytes: self.bytes.get(at(from)..at(to)).unwrap_or_default().to_vec(),
            etag: self.etag.clone(),
            size,
            last_modified: self.last_modified,
            metadata: self.metadata.clone(),
        }
    }
}

impl Store for FakeStore {
    async fn open_uploads(&self, prefix: &str) -> Result<Vec<OpenUpload>, StoreError> {
        Ok(self
            .state()
            .uploads
            .iter()
            .filter(|u| u.key.starts_with(prefix))
            .cloned()
            .collect())
    }

    async fn list(
        &self,
        bucket: Bucket,
        prefix: &str,
        folders: bool,
        token: Option<&str>,
    ) -> Result<Page, StoreError> {
        let state = self.state();
        let page = state.list(bucket, prefix, folders, token.unwrap_or_default());
        if page.next.is_none() && state.broken_lists.iter().any(|broken| broken == prefix) {
            let reason = "SlowDown".to_owned();
            return Err(StoreError::Transient {
                operation: "ListObjectsV2",
                what: prefix.to_owned(),
                reason,
            });
        }
        Ok(page)
    }

    async fn get(
        &self,
        bucket: Bucket,
        key: &str,
        range: Option<Range<u64>>,
    ) -> Result<Option<StoredObject>, StoreError> {
        self.state().gets.push(key.to_owned());
        // As over a network, other reads are begun before this one is answered.
        yield_once().await;
        if matches!(self.state().at_read.get(key), Some(AtRead::Hangs)) {
            return std::future::pending().await;
        }
        let mut state = self.state();
        match state.at_read.get(key).cloned() {
            Some(AtRead::Vanishes) => {
                state.objects.remove(&(bucket, key.to_owned()));
            }
            Some(AtRead::Overwritten(bytes)) => {
                state.at_read.remove(key);
                state.put(bucket, key, bytes, BTreeMap::new());
            }
            Some(AtRead::Refused) => {
                return Err(StoreError::Refused {
                    operation: "GetObject",
                    what: key.to_owned(),
                    scope: RefusalScope::Object,
                    reason: "AccessDenied: not authorized to perform kms:Decrypt".to_owned(),
                });
            }
            Some(AtRead::Hangs) | None => {}
        }
        let fetched = state
            .objects
            .get(&(bucket, key.to_owned()))
            .map(|stored| stored.read_range(range));
        state.bytes_read += fetched.as_ref().map_or(0, |fetched| fetched.bytes.len() as u64);
        Ok(fetched)
    }

    async fn get_linked(
        &self,
        bucket: &str,
        key: &str,
        range: Range<u64>,
    ) -> Result<Option<StoredObject>, StoreError> {
        yield_once().await;
        let mut state = self.state();
        state.gets.push(format!("s3://{bucket}/{key}"));
        let stored = state.others.get(&(bucket.to_owned(), key.to_owned()));
        Ok(stored.map(|stored| stored.read_range(Some(range))))
    }

    async fn create(
        &self,
        key: &str,
        body: Vec<u8>,
        metadata: &BTreeMap<String, String>,
    ) -> Result<CreateOutcome, StoreError> {
        Ok(match self.write(key, body, metadata, None)? {
            Some(_) => CreateOutcome::New,
            None => CreateOutcome::AlreadyThere,
        })
    }

    async fn replace(
        &self,
        key: &str,
        body: Vec<u8>,
        etag: Option<&str>,
    ) -> Result<ReplaceOutcome, StoreError> {
        Ok(match self.write(key, body, &BTreeMap::new(), etag)? {
            Some(etag) => ReplaceOutcome::Done { etag },
            None => ReplaceOutcome::Changed,
        })
    }
}

/// Pending once. Not the runtime's own, which a test that blocks within it would wait for in vain.
async fn yield_once() {
    let mut before = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut before, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
