//! JSON documents in the state bucket.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::address::Address;
use super::objects::{ListedObject, ObjectStore, StoreError, WriteCondition};
use crate::lock::lock;

/// Attempts at one change. Each failed attempt means that another writer succeeded.
const ATTEMPTS: u32 = 50;
/// Documents read at once.
pub(super) const READERS: usize = 32;

/// Cheap to clone.
#[derive(Clone)]
pub(crate) struct Documents {
    objects: Arc<dyn ObjectStore>,
    bucket: String,
    /// Keys of documents that could not be read and were logged.
    unreadable: Arc<Mutex<HashSet<String>>>,
}

/// A document, and the ETag with which it can be changed.
#[derive(Clone, Debug)]
pub(crate) struct StoredDocument<T> {
    pub(crate) value: T,
    pub(crate) etag: String,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum UpdateError<E> {
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The caller's decision about the newest version was no.
    #[error("rejected")]
    Rejected(E),
}

impl Documents {
    pub(crate) fn new(objects: Arc<dyn ObjectStore>, bucket: String) -> Documents {
        Documents {
            objects,
            bucket,
            unreadable: Arc::default(),
        }
    }

    pub(crate) async fn load<T: DeserializeOwned>(
        &self,
        key: &str,
    ) -> Result<Option<StoredDocument<T>>, StoreError> {
        let at = self.at(key);
        let Some(object) = self.objects.get(&at).await? else {
            return Ok(None);
        };
        let value = serde_json::from_slice(&object.body).map_err(|error| {
            StoreError::Unreadable(format!("{at} is not a document of this engine: {error}"))
        })?;
        Ok(Some(StoredDocument {
            value,
            etag: object.etag,
        }))
    }

    /// As [`Documents::load`], but a document that cannot be read is `None`: it is logged once and does not block the others.
    pub(crate) async fn load_readable<T: DeserializeOwned>(
        &self,
        key: &str,
    ) -> Result<Option<StoredDocument<T>>, StoreError> {
        match self.load(key).await {
            Err(StoreError::Refused(reason) | StoreError::Unreadable(reason)) => {
                if lock(&self.unreadable).insert(key.to_owned()) {
                    tracing::error!(
                        key,
                        reason,
                        "document cannot be read; left out until it is restored"
                    );
                }
                Ok(None)
            }
            loaded => loaded,
        }
    }

    /// Every readable document below a prefix, in order of keys.
    pub(crate) async fn read_all<T: DeserializeOwned>(&self, prefix: &str) -> Result<Vec<T>, StoreError> {
        Ok(self.read_each(prefix).await?.into_iter().flatten().collect())
    }

    /// Every document below a prefix, in order of keys; `None` for one that cannot be read.
    pub(crate) async fn read_each<T: DeserializeOwned>(
        &self,
        prefix: &str,
    ) -> Result<Vec<Option<T>>, StoreError> {
        let listed = self.list(prefix).await?;
        stream::iter(listed)
            .map(|item| async move {
                Ok::<_, StoreError>(self.load_readable(&item.key).await?.map(|stored| stored.value))
            })
            .buffered(READERS)
            .try_collect()
            .await
    }

    /// [`StoreError::Changed`] if the document exists.
    pub(crate) async fn create<T: Serialize>(&self, key: &str, value: &T) -> Result<String, StoreError> {
        self.put(key, value, WriteCondition::IfAbsent).await
    }

    pub(crate) async fn replace<T: Serialize>(
        &self,
        key: &str,
        value: &T,
        etag: &str,
    ) -> Result<String, StoreError> {
        self.put(key, value, WriteCondition::IfMatch(etag.to_owned()))
            .await
    }

    /// Creates the document, or replaces it without looking at what it says.
    pub(crate) async fn overwrite<T: Serialize>(&self, key: &str, value: &T) -> Result<String, StoreError> {
        self.put(key, value, WriteCondition::Always).await
    }

    /// Reads the document, lets `decide` change or reject it, and writes it. If another writer was first, starts again.
    /// `None` if there is no such document.
    pub(crate) async fn update<T, E>(
        &self,
        key: &str,
        mut decide: impl FnMut(&mut T) -> Result<(), E>,
    ) -> Result<Option<StoredDocument<T>>, UpdateError<E>>
    where
        T: Serialize + DeserializeOwned,
    {
        for _ in 0..ATTEMPTS {
            let Some(StoredDocument { mut value, etag }) = self.load::<T>(key).await? else {
                return Ok(None);
            };
            decide(&mut value).map_err(UpdateError::Rejected)?;
            match self.replace(key, &value, &etag).await {
                Ok(etag) => return Ok(Some(StoredDocument { value, etag })),
                Err(StoreError::Changed) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(StoreError::Failed(format!(
            "{}: other writers changed it {ATTEMPTS} times in a row",
            self.at(key)
        ))
        .into())
    }

    pub(crate) async fn list(&self, prefix: &str) -> Result<Vec<ListedObject>, StoreError> {
        self.objects.list(&self.bucket, prefix).await
    }

    pub(crate) async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.objects.delete(&self.at(key)).await
    }

    /// The bytes of an object that is not JSON.
    pub(crate) async fn load_bytes(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        let found = self.objects.get(&self.at(key)).await?;
        Ok(found.map(|object| object.body))
    }

    pub(crate) async fn overwrite_bytes(&self, key: &str, bytes: Bytes) -> Result<(), StoreError> {
        self.objects
            .put(&self.at(key), bytes, WriteCondition::Always)
            .await
            .map(drop)
    }

    /// Whether an object is in the state bucket.
    pub(crate) fn contain(&self, at: &Address) -> bool {
        at.bucket.eq_ignore_ascii_case(&self.bucket)
    }

    pub(crate) fn at(&self, key: &str) -> Address {
        Address::new(&self.bucket, key)
    }

    async fn put<T: Serialize>(
        &self,
        key: &str,
        value: &T,
        when: WriteCondition,
    ) -> Result<String, StoreError> {
        let body = serde_json::to_vec(value).map_err(|error| StoreError::Refused(error.to_string()))?;
        self.objects.put(&self.at(key), Bytes::from(body), when).await
    }
}
