//! Two buckets in memory that count what they are asked.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use shared::layout;
use shared::port::{
    Bucket, CreateOutcome, Object, OpenUpload, Page, ReplaceOutcome, Store, StoreError, StoredObject,
};

use super::Requests;

const KEYS: usize = 1_000;

#[derive(Clone)]
struct StoredFile {
    bytes: Vec<u8>,
    etag: String,
    at: Timestamp,
    metadata: BTreeMap<String, String>,
}

struct State {
    now: Timestamp,
    input: BTreeMap<String, StoredFile>,
    output: BTreeMap<String, StoredFile>,
    written: u64,
    counted: Requests,
}

/// Clones are the same.
#[derive(Clone)]
pub(super) struct CountingStore(Arc<Mutex<State>>);

impl CountingStore {
    pub(super) fn at(now: Timestamp) -> Self {
        Self(Arc::new(Mutex::new(State {
            now,
            input: BTreeMap::new(),
            output: BTreeMap::new(),
            written: 0,
            counted: Requests::default(),
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set_time(&self, now: Timestamp) {
        self.state().now = now;
    }

    /// A file is uploaded.
    pub(super) fn put(&self, key: &str, bytes: &[u8], at: Timestamp) {
        let state = &mut *self.state();
        state.written += 1;
        let stored = StoredFile {
            bytes: bytes.to_vec(),
            etag: format!("{:032x}", state.written),
            at,
            metadata: BTreeMap::new(),
        };
        state.input.insert(key.to_owned(), stored);
    }

    pub(super) fn add_to(&self, counted: &mut Requests) {
        let state = self.state();
        let own = state.counted;
        counted.pages += own.pages;
        counted.other_lists += own.other_lists;
        counted.gets += own.gets;
        counted.reads += own.reads;
        counted.puts += own.puts;
        let batch = |key: &&String| layout::parse_manifest(key).is_some();
        counted.batches += state.output.keys().filter(batch).count() as u64;
    }

    fn write(
        &self,
        key: &str,
        bytes: Vec<u8>,
        metadata: BTreeMap<String, String>,
        etag: Option<&str>,
    ) -> Option<String> {
        let state = &mut *self.state();
        state.counted.puts += 1;
        if state.output.get(key).map(|stored| stored.etag.as_str()) != etag {
            return None;
        }
        state.written += 1;
        let stored = StoredFile {
            bytes,
            etag: format!("{:032x}", state.written),
            at: state.now,
            metadata,
        };
        let etag = stored.etag.clone();
        state.output.insert(key.to_owned(), stored);
        Some(etag)
    }
}

impl Store for CountingStore {
    async fn open_uploads(&self, _: &str) -> Result<Vec<OpenUpload>, StoreError> {
        self.state().counted.other_lists += 1;
        Ok(Vec::new())
    }

    async fn list(
        &self,
        bucket: Bucket,
        prefix: &str,
        _folders: bool,
        token: Option<&str>,
    ) -> Result<Page, StoreError> {
        let state = &mut *self.state();
        match bucket {
            Bucket::Input => state.counted.pages += 1,
            Bucket::Output => state.counted.other_lists += 1,
        }
        let all = match bucket {
            Bucket::Input => &state.input,
            Bucket::Output => &state.output,
        };
        let from = token.unwrap_or(prefix).to_owned();
        let rest = all
            .range(from..)
            .filter(|(key, _)| token.is_none_or(|token| key.as_str() > token))
            .take_while(|(key, _)| key.starts_with(prefix));
        let mut objects: Vec<Object> = rest
            .take(KEYS + 1)
            .map(|(key, stored)| listing_entry(key, stored))
            .collect();
        let more = objects.len() > KEYS;
        objects.truncate(KEYS);
        Ok(Page {
            next: objects.last().filter(|_| more).map(|last| last.key.clone()),
            objects,
            folders: Vec::new(),
            date: state.now,
        })
    }

    async fn get(
        &self,
        bucket: Bucket,
        key: &str,
        range: Option<Range<u64>>,
    ) -> Result<Option<StoredObject>, StoreError> {
        let state = &mut *self.state();
        state.counted.gets += 1;
        let all = match bucket {
            Bucket::Input => &state.input,
            Bucket::Output => &state.output,
        };
        state.counted.reads += u64::from(bucket == Bucket::Input && !key.ends_with(layout::SPEC_FILE));
        Ok(all.get(key).map(|stored| read_range(stored, range)))
    }

    async fn create(
        &self,
        key: &str,
        body: Vec<u8>,
        metadata: &BTreeMap<String, String>,
    ) -> Result<CreateOutcome, StoreError> {
        let written = self.write(key, body, metadata.clone(), None);
        Ok(written.map_or(CreateOutcome::AlreadyThere, |_| CreateOutcome::New))
    }

    async fn replace(
        &self,
        key: &str,
        body: Vec<u8>,
        etag: Option<&str>,
    ) -> Result<ReplaceOutcome, StoreError> {
        let written = self.write(key, body, BTreeMap::new(), etag);
        Ok(written.map_or(ReplaceOutcome::Changed, |etag| ReplaceOutcome::Done { etag }))
    }
}

fn listing_entry(key: &str, stored: &StoredFile) -> Object {
    Object {
        key: key.to_owned(),
        etag: stored.etag.clone(),
        size: stored.bytes.len() as u64,
        last_modified: stored.at,
    }
}

fn read_range(stored: &StoredFile, range: Option<Range<u64>>) -> StoredObject {
    let whole = 0..stored.bytes.len() as u64;
    let range = range.unwrap_or(whole);
    let bytes = stored
        .bytes
        .iter()
        .enumerate()
        .filter(|(at, _)| range.contains(&(*at as u64)));
    StoredObject {
        bytes: bytes.map(|(_, byte)| *byte).collect(),
        etag: stored.etag.clone(),
        size: stored.bytes.len() as u64,
        last_modified: stored.at,
        metadata: stored.metadata.clone(),
    }
}
