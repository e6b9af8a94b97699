//! A store in memory for tests, with S3's conditions and with faults on purpose.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;

use super::Address;
use super::objects::{Listed, Object, Objects, StoreError, When};

#[derive(Default)]
pub(crate) struct Memory {
    objects: Mutex<BTreeMap<(String, String), Object>>,
    writes: AtomicU64,
    /// Looks for an input manifest.
    pub(crate) manifest_reads: AtomicU64,
    /// Documents of items that were read.
    pub(crate) item_reads: AtomicU64,
    /// Every so-many-th write happens, and its answer is lost.
    pub(crate) lose_answer_every: AtomicU64,
    /// Every so-many-th write fails without happening.
    pub(crate) fail_write_every: AtomicU64,
}

impl Memory {
    pub(crate) fn put_text(&self, uri: &str, text: &str) {
        let at = Address::parse(uri).unwrap();
        self.write(&at, Bytes::from(text.to_owned()), &When::Always)
            .unwrap();
    }

    pub(crate) fn text(&self, uri: &str) -> Option<String> {
        let at = Address::parse(uri).unwrap();
        self.read(&at)
            .map(|object| String::from_utf8(object.body.to_vec()).unwrap())
    }

    pub(crate) fn keys(&self, bucket: &str, prefix: &str) -> Vec<String> {
        self.found(bucket, prefix)
            .into_iter()
            .map(|listed| listed.key)
            .collect()
    }

    fn read(&self, at: &Address) -> Option<Object> {
        self.objects
            .lock()
            .unwrap()
            .get(&(at.bucket.clone(), at.key.clone()))
            .cloned()
    }

    fn write(&self, at: &Address, body: Bytes, when: &When) -> Result<String, StoreError> {
        let mut objects = self.objects.lock().unwrap();
        let slot = (at.bucket.clone(), at.key.clone());
        let now = objects.get(&slot).map(|object| object.etag.clone());
        match (when, now) {
            (When::Absent, Some(_)) | (When::Unchanged(_), None) => return Err(StoreError::Changed),
            (When::Unchanged(wanted), Some(etag)) if *wanted != etag => return Err(StoreError::Changed),
            _ => {}
        }
        let etag = format!("\"{}\"", self.writes.fetch_add(1, Ordering::SeqCst));
        objects.insert(
            slot,
            Object {
                body,
                etag: etag.clone(),
            },
        );
        Ok(etag)
    }

    fn found(&self, bucket: &str, prefix: &str) -> Vec<Listed> {
        let objects = self.objects.lock().unwrap();
        let all = objects
            .iter()
            .filter(|((b, key), _)| b == bucket && key.starts_with(prefix));
        all.map(|((_, key), object)| Listed {
            key: key.clone(),
            etag: object.etag.clone(),
        })
        .collect()
    }

    fn strikes(&self, every: &AtomicU64) -> bool {
        let every = every.load(Ordering::SeqCst);
        every != 0 && self.writes.fetch_add(1, Ordering::SeqCst).is_multiple_of(every)
    }
}

impl Objects for Memory {
    fn get<'a>(&'a self, at: &'a Address) -> BoxFuture<'a, Result<Option<Object>, StoreError>> {
        async move {
            tokio::task::yield_now().await;
            let is_item = at.key.contains("/items/");
            let is_manifest = at.key.ends_with("numbers.manifest") || at.key.ends_with("/input.manifest");
            self.manifest_reads
                .fetch_add(u64::from(is_manifest), Ordering::SeqCst);
            self.item_reads.fetch_add(u64::from(is_item), Ordering::SeqCst);
            Ok(self.read(at))
        }
        .boxed()
    }

    fn put<'a>(
        &'a self,
        at: &'a Address,
        body: Bytes,
        when: When,
    ) -> BoxFuture<'a, Result<String, StoreError>> {
        async move {
            tokio::task::yield_now().await;
            if self.strikes(&self.fail_write_every) {
                return Err(StoreError::Failed("injected".into()));
            }
            let written = self.write(at, body, &when)?;
            tokio::task::yield_now().await;
            match self.strikes(&self.lose_answer_every) {
                true => Err(StoreError::Failed("injected after the write".into())),
                false => Ok(written),
            }
        }
        .boxed()
    }

    fn list<'a>(
        &'a self,
        bucket: &'a str,
        prefix: &'a str,
    ) -> BoxFuture<'a, Result<Vec<Listed>, StoreError>> {
        async move {
            match bucket {
                "no-such-bucket" => Err(StoreError::Refused(format!("there is no bucket {bucket:?}"))),
                _ => Ok(self.found(bucket, prefix)),
            }
        }
        .boxed()
    }

    fn delete<'a>(&'a self, at: &'a Address) -> BoxFuture<'a, Result<(), StoreError>> {
        async move {
            self.objects
                .lock()
                .unwrap()
                .remove(&(at.bucket.clone(), at.key.clone()));
            Ok(())
        }
        .boxed()
    }

    fn presign<'a>(&'a self, at: &'a Address) -> BoxFuture<'a, Result<String, StoreError>> {
        async move { Ok(format!("https://signed.example/{}/{}", at.bucket, at.key)) }.boxed()
    }
}
