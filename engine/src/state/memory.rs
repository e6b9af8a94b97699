//! An object store in memory for tests, with S3's write conditions and with injected faults.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use bytes::Bytes;

use super::address::Address;
use super::objects::{ListedObject, ObjectStore, StoreError, StoredObject, WriteCondition};

#[derive(Default)]
pub(crate) struct MemoryStore {
    objects: Mutex<BTreeMap<(String, String), StoredObject>>,
    writes: AtomicU64,
    /// Reads of an input manifest.
    pub(crate) manifest_reads: AtomicU64,
    /// Reads of item documents.
    pub(crate) item_reads: AtomicU64,
    /// Every n-th write happens, and its reply is lost.
    pub(crate) lose_reply_every: AtomicU64,
    /// Where presigned links lead; a made-up origin if empty.
    link_origin: Mutex<String>,
    /// Every n-th write fails and does not happen.
    pub(crate) fail_write_every: AtomicU64,
}

impl MemoryStore {
    pub(crate) fn put_text(&self, uri: &str, text: &str) {
        let at = Address::parse(uri).unwrap();
        self.write(&at, Bytes::from(text.to_owned()), &WriteCondition::Always)
            .unwrap();
    }

    pub(crate) fn sign_links_to(&self, origin: &str) {
        origin.clone_into(&mut self.link_origin.lock().unwrap());
    }

    pub(crate) fn text(&self, uri: &str) -> Option<String> {
        let at = Address::parse(uri).unwrap();
        self.read(&at)
            .map(|object| String::from_utf8(object.body.to_vec()).unwrap())
    }

    pub(crate) fn keys(&self, bucket: &str, prefix: &str) -> Vec<String> {
        self.list_objects(bucket, prefix)
            .into_iter()
            .map(|listed| listed.key)
            .collect()
    }

    fn read(&self, at: &Address) -> Option<StoredObject> {
        self.objects
            .lock()
            .unwrap()
            .get(&(at.bucket.clone(), at.key.clone()))
            .cloned()
    }

    fn write(&self, at: &Address, body: Bytes, when: &WriteCondition) -> Result<String, StoreError> {
        let mut objects = self.objects.lock().unwrap();
        let slot = (at.bucket.clone(), at.key.clone());
        let now = objects.get(&slot).map(|object| object.etag.clone());
        match (when, now) {
            (WriteCondition::IfAbsent, Some(_)) | (WriteCondition::IfMatch(_), None) => {
                return Err(StoreError::Changed);
            }
            (WriteCondition::IfMatch(wanted), Some(etag)) if *wanted != etag => {
                return Err(StoreError::Changed);
            }
            _ => {}
        }
        let etag = format!("\"{}\"", self.writes.fetch_add(1, Ordering::SeqCst));
        objects.insert(
            slot,
            StoredObject {
                body,
                etag: etag.clone(),
            },
        );
        Ok(etag)
    }

    fn list_objects(&self, bucket: &str, prefix: &str) -> Vec<ListedObject> {
        let objects = self.objects.lock().unwrap();
        let all = objects
            .iter()
            .filter(|((b, key), _)| b == bucket && key.starts_with(prefix));
        all.map(|((_, key), object)| ListedObject {
            key: key.clone(),
            etag: object.etag.clone(),
        })
        .collect()
    }

    fn is_hit(&self, every: &AtomicU64) -> bool {
        let every = every.load(Ordering::SeqCst);
        every != 0 && self.writes.fetch_add(1, Ordering::SeqCst).is_multiple_of(every)
    }
}

#[async_trait]
impl ObjectStore for MemoryStore {
    async fn get(&self, at: &Address) -> Result<Option<StoredObject>, StoreError> {
        tokio::task::yield_now().await;
        let is_item = at.key.contains("/items/");
        let is_manifest = at.key.ends_with("numbers.manifest") || at.key.ends_with("/input.manifest");
        self.manifest_reads
            .fetch_add(u64::from(is_manifest), Ordering::SeqCst);
        self.item_reads.fetch_add(u64::from(is_item), Ordering::SeqCst);
        Ok(self.read(at))
    }

    async fn put(&self, at: &Address, body: Bytes, when: WriteCondition) -> Result<String, StoreError> {
        tokio::task::yield_now().await;
        if self.is_hit(&self.fail_write_every) {
            return Err(StoreError::Failed("injected".into()));
        }
        let written = self.write(at, body, &when)?;
        tokio::task::yield_now().await;
        match self.is_hit(&self.lose_reply_every) {
            true => Err(StoreError::Failed("injected after the write".into())),
            false => Ok(written),
        }
    }

    async fn list(&self, bucket: &str, prefix: &str) -> Result<Vec<ListedObject>, StoreError> {
        match bucket {
            "no-such-bucket" => Err(StoreError::Refused(format!("there is no bucket {bucket:?}"))),
            _ => Ok(self.list_objects(bucket, prefix)),
        }
    }

    async fn delete(&self, at: &Address) -> Result<(), StoreError> {
        self.objects
            .lock()
            .unwrap()
            .remove(&(at.bucket.clone(), at.key.clone()));
        Ok(())
    }

    async fn presign(&self, at: &Address) -> Result<String, StoreError> {
        let origin = self.link_origin.lock().unwrap();
        let origin = if origin.is_empty() {
            "https://signed.example"
        } else {
            &origin
        };
        Ok(format!("{origin}/{}/{}", at.bucket, at.key))
    }
}
