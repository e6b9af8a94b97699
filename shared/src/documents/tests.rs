//! Against a store in memory, two objects a page.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Mutex;

use jiff::Timestamp;
use serde::Deserialize;

use super::*;
use crate::port::{Object, OpenUpload, Page};

const KEY: &str = "status/cats.json";

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Counter {
    count: u32,
}

/// The output bucket. Before each write another process may write too.
#[derive(Default)]
struct MemoryStore {
    objects: Mutex<BTreeMap<String, Vec<u8>>>,
    /// What other processes write under [`KEY`], one before each of the next writes.
    others: Mutex<Vec<Vec<u8>>>,
    writes: Mutex<usize>,
}

impl MemoryStore {
    fn with_document(key: &str, body: &str) -> Self {
        let store = Self::default();
        store.put(key, body.as_bytes().to_vec());
        store
    }

    fn put(&self, key: &str, body: Vec<u8>) {
        self.objects.lock().unwrap().insert(key.to_owned(), body);
    }

    fn text(&self, key: &str) -> Option<String> {
        let body = self.objects.lock().unwrap().get(key).cloned();
        body.map(|body| String::from_utf8(body).unwrap())
    }

    fn another_process_writes(&self) {
        if let Some(body) = self.others.lock().unwrap().pop() {
            self.put(KEY, body);
        }
    }
}

fn etag_of(bytes: &[u8]) -> String {
    crate::spec::Spec::sha256(bytes)
}

impl Store for MemoryStore {
    async fn open_uploads(&self, _: &str) -> Result<Vec<OpenUpload>, StoreError> {
        Ok(Vec::new())
    }

    async fn list(
        &self,
        _: Bucket,
        prefix: &str,
        by_folder: bool,
        token: Option<&str>,
    ) -> Result<Page, StoreError> {
        let objects = self.objects.lock().unwrap();
        let (mut folders, mut keys) = (Vec::new(), Vec::new());
        for key in objects.keys().filter(|key| key.starts_with(prefix)) {
            match key[prefix.len()..].split_once('/') {
                Some((folder, _)) if by_folder => folders.push(format!("{prefix}{folder}/")),
                _ => keys.push(key.clone()),
            }
        }
        folders.dedup();
        let rest: Vec<String> = keys
            .into_iter()
            .filter(|key| token.is_none_or(|after| key.as_str() > after))
            .collect();
        let page = rest.iter().take(2);
        Ok(Page {
            objects: page.map(|key| object(key)).collect(),
            folders: if token.is_none() { folders } else { Vec::new() },
            next: (rest.len() > 2).then(|| rest[1].clone()),
            date: Timestamp::UNIX_EPOCH,
        })
    }

    async fn get(
        &self,
        _: Bucket,
        key: &str,
        range: Option<Range<u64>>,
    ) -> Result<Option<StoredObject>, StoreError> {
        let body = self.objects.lock().unwrap().get(key).cloned();
        Ok(body.map(|body| StoredObject {
            size: body.len() as u64,
            etag: etag_of(&body),
            bytes: match range {
                Some(range) => body
                    .into_iter()
                    .take(usize::try_from(range.end).unwrap())
                    .collect(),
                None => body,
            },
            last_modified: Timestamp::UNIX_EPOCH,
            metadata: BTreeMap::new(),
        }))
    }

    async fn create(
        &self,
        key: &str,
        body: Vec<u8>,
        _: &BTreeMap<String, String>,
    ) -> Result<CreateOutcome, StoreError> {
        if self.objects.lock().unwrap().contains_key(key) {
            return Ok(CreateOutcome::AlreadyThere);
        }
        self.put(key, body);
        Ok(CreateOutcome::New)
    }

    async fn replace(
        &self,
        key: &str,
        body: Vec<u8>,
        etag: Option<&str>,
    ) -> Result<ReplaceOutcome, StoreError> {
        *self.writes.lock().unwrap() += 1;
        self.another_process_writes();
        let there = self.objects.lock().unwrap().get(key).map(|there| etag_of(there));
        if there.as_deref() != etag {
            return Ok(ReplaceOutcome::Changed);
        }
        let etag = etag_of(&body);
        self.put(key, body);
        Ok(ReplaceOutcome::Done { etag })
    }
}

fn object(key: &str) -> Object {
    Object {
        key: key.to_owned(),
        etag: "e".to_owned(),
        size: 0,
        last_modified: Timestamp::UNIX_EPOCH,
    }
}

fn count_one_more(before: Option<&Counter>) -> Option<Counter> {
    Some(Counter {
        count: before.map_or(0, |before| before.count) + 1,
    })
}

fn json(count: u32) -> Vec<u8> {
    format!("{{\"count\": {count}}}").into_bytes()
}

#[tokio::test]
async fn a_listing_has_all_its_pages() {
    let store = MemoryStore::default();
    for key in ["a/1", "a/2", "a/3", "a/4", "a/b/5", "b/6"] {
        store.put(key, Vec::new());
    }
    let objects = list_all(&store, Bucket::Output, "a/").await.unwrap();
    let keys: Vec<&str> = objects.iter().map(|object| object.key.as_str()).collect();
    assert_eq!(keys, ["a/1", "a/2", "a/3", "a/4", "a/b/5"]);

    let mut listing = list_by_folder(&store, Bucket::Output, "a/");
    let mut pages = Vec::new();
    while let Some(page) = listing.next_page().await.unwrap() {
        pages.push((page.objects.len(), page.folders));
    }
    assert_eq!(pages, [(2, vec!["a/b/".to_owned()]), (2, Vec::new())]);
    assert!(listing.next_page().await.unwrap().is_none());
}

#[tokio::test]
async fn an_empty_listing_has_a_page_with_the_time() {
    let store = MemoryStore::default();
    let mut listing = list(&store, Bucket::Output, "a/");
    let page = listing.next_page().await.unwrap().unwrap();
    assert!(page.objects.is_empty());
    assert!(listing.next_page().await.unwrap().is_none());
}

#[tokio::test]
async fn an_empty_object_exists() {
    let store = MemoryStore::with_document(KEY, "");
    assert!(exists(&store, Bucket::Output, KEY).await.unwrap());
    assert!(!exists(&store, Bucket::Output, "other").await.unwrap());
}

#[tokio::test]
async fn an_unreadable_document_is_an_error_that_names_its_key_and_none_of_its_values() {
    let store = MemoryStore::with_document(KEY, r#"{"count": "ana@example.org"}"#);
    let error = load::<Counter>(&store, KEY).await.unwrap_err();
    assert!(matches!(&error, DocumentError::Unreadable { key, .. } if key == KEY));
    let text = error.to_string();
    assert!(
        text.contains(KEY) && text.contains("line 1") && !text.contains("ana"),
        "{text}"
    );
    assert!(matches!(StoreError::from(error), StoreError::Refused { .. }));

    let updated = update(&store, KEY, count_one_more).await;
    assert!(matches!(updated, Err(DocumentError::Unreadable { .. })));
}

#[tokio::test]
async fn an_unreadable_document_that_can_be_made_again_counts_as_absent() {
    let store = MemoryStore::with_document(KEY, "{");
    let snapshot = load_if_readable::<Counter>(&store, KEY).await.unwrap();
    assert_eq!(snapshot.document, None);
    let written = update_if_readable(&store, KEY, count_one_more).await.unwrap();
    assert_eq!(written, Some(Counter { count: 1 }));
}

#[tokio::test]
async fn a_document_is_created_once() {
    let store = MemoryStore::default();
    let create = async |count| create_json(&store, KEY, &Counter { count }).await.unwrap();
    assert_eq!(create(1).await, CreateOutcome::New);
    assert_eq!(create(2).await, CreateOutcome::AlreadyThere);
    assert_eq!(store.text(KEY).unwrap(), "{\n  \"count\": 1\n}");
}

#[tokio::test]
async fn a_value_without_a_json_form_is_not_written() {
    let store = MemoryStore::default();
    // JSON's keys are strings.
    let odd = BTreeMap::from([((1, 2), 3)]);
    for written in [
        create_json(&store, KEY, &odd).await.map(drop),
        overwrite_json(&store, KEY, &odd).await,
    ] {
        assert!(
            matches!(written, Err(DocumentError::Unwritable { .. })),
            "{written:?}"
        );
    }
    assert_eq!(store.text(KEY), None);
}

#[tokio::test]
async fn a_snapshot_is_replaced_only_if_it_is_still_there() {
    let store = MemoryStore::default();
    let before = load(&store, KEY).await.unwrap();
    let one = Counter { count: 1 };
    assert!(matches!(
        before.replace(&store, &one).await.unwrap(),
        ReplaceOutcome::Done { .. }
    ));
    assert_eq!(
        before.replace(&store, &one).await.unwrap(),
        ReplaceOutcome::Changed
    );
}

#[tokio::test]
async fn an_update_counts_what_other_processes_wrote_in_between() {
    let store = MemoryStore::default();
    *store.others.lock().unwrap() = vec![json(20), json(10)];
    let counted = update(&store, KEY, count_one_more).await.unwrap();
    assert_eq!(counted, Some(Counter { count: 21 }));
    assert_eq!(*store.writes.lock().unwrap(), 3);
}

#[tokio::test]
async fn an_update_without_a_change_writes_nothing() {
    let store = MemoryStore::with_document(KEY, r#"{"count": 5}"#);
    let five = Some(Counter { count: 5 });
    let same = update(&store, KEY, |before: Option<&Counter>| before.cloned()).await;
    let none = update(&store, KEY, |_: Option<&Counter>| None).await;
    assert_eq!((same.unwrap(), none.unwrap()), (five.clone(), five));
    assert_eq!(*store.writes.lock().unwrap(), 0);
}

#[tokio::test]
async fn an_update_that_loses_every_race_says_so() {
    let store = MemoryStore::default();
    *store.others.lock().unwrap() = (0..100).map(json).collect();
    let error = update(&store, KEY, count_one_more).await.unwrap_err();
    assert!(matches!(
        error,
        DocumentError::Contended {
            attempts: ATTEMPTS,
            ..
        }
    ));
    assert_eq!(*store.writes.lock().unwrap(), ATTEMPTS);
    assert!(matches!(StoreError::from(error), StoreError::Transient { .. }));
}

#[tokio::test]
async fn an_overwrite_wins_over_what_is_there() {
    let store = MemoryStore::with_document(KEY, "old");
    *store.others.lock().unwrap() = vec![b"between".to_vec()];
    overwrite(&store, KEY, b"new".to_vec()).await.unwrap();
    assert_eq!(store.text(KEY).unwrap(), "new");
}
