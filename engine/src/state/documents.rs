//! JSON documents in the state bucket.

use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Address;
use super::objects::{Listed, Objects, StoreError, When};

/// Attempts at one change before giving up; every failure means that somebody else got through.
const ATTEMPTS: u32 = 50;

#[derive(Clone)]
pub(crate) struct Documents {
    objects: Arc<dyn Objects>,
    bucket: String,
}

/// A document as it was read, and the ETag to change it by.
#[derive(Clone, Debug)]
pub(crate) struct Stored<T> {
    pub(crate) value: T,
    pub(crate) etag: String,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum UpdateError<E> {
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The decision, made against the newest version, was no.
    #[error("refused")]
    No(E),
}

impl Documents {
    pub(crate) fn new(objects: Arc<dyn Objects>, bucket: String) -> Documents {
        Documents { objects, bucket }
    }

    pub(crate) async fn load<T: DeserializeOwned>(&self, key: &str) -> Result<Option<Stored<T>>, StoreError> {
        let at = self.at(key);
        let Some(object) = self.objects.get(&at).await? else {
            return Ok(None);
        };
        let value = serde_json::from_slice(&object.body).map_err(|error| {
            StoreError::Unreadable(format!("{at} is not a document of this engine: {error}"))
        })?;
        Ok(Some(Stored {
            value,
            etag: object.etag,
        }))
    }

    /// [`StoreError::Changed`] if the document exists.
    pub(crate) async fn create<T: Serialize>(&self, key: &str, value: &T) -> Result<String, StoreError> {
        self.put(key, value, When::Absent).await
    }

    pub(crate) async fn replace<T: Serialize>(
        &self,
        key: &str,
        value: &T,
        etag: &str,
    ) -> Result<String, StoreError> {
        self.put(key, value, When::Unchanged(etag.to_owned())).await
    }

    /// Whatever is there.
    pub(crate) async fn overwrite<T: Serialize>(&self, key: &str, value: &T) -> Result<String, StoreError> {
        self.put(key, value, When::Always).await
    }

    /// Reads, lets `decide` change the value or refuse, and writes; again from the start if somebody else was first.
    /// `None` if there is no such document.
    pub(crate) async fn update<T, E>(
        &self,
        key: &str,
        mut decide: impl FnMut(&mut T) -> Result<(), E>,
    ) -> Result<Option<Stored<T>>, UpdateError<E>>
    where
        T: Serialize + DeserializeOwned,
    {
        for _ in 0..ATTEMPTS {
            let Some(Stored { mut value, etag }) = self.load::<T>(key).await? else {
                return Ok(None);
            };
            decide(&mut value).map_err(UpdateError::No)?;
            match self.replace(key, &value, &etag).await {
                Ok(etag) => return Ok(Some(Stored { value, etag })),
                Err(StoreError::Changed) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(StoreError::Failed(format!(
            "{}: others changed it {ATTEMPTS} times in a row",
            self.at(key)
        ))
        .into())
    }

    pub(crate) async fn list(&self, prefix: &str) -> Result<Vec<Listed>, StoreError> {
        self.objects.list(&self.bucket, prefix).await
    }

    pub(crate) async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.objects.delete(&self.at(key)).await
    }

    async fn put<T: Serialize>(&self, key: &str, value: &T, when: When) -> Result<String, StoreError> {
        let body = serde_json::to_vec(value).map_err(|error| StoreError::Refused(error.to_string()))?;
        self.objects.put(&self.at(key), Bytes::from(body), when).await
    }

    /// What is no document: its bytes.
    pub(crate) async fn bytes(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        let found = self.objects.get(&self.at(key)).await?;
        Ok(found.map(|object| object.body))
    }

    pub(crate) async fn put_bytes(&self, key: &str, bytes: Bytes) -> Result<(), StoreError> {
        self.objects
            .put(&self.at(key), bytes, When::Always)
            .await
            .map(drop)
    }

    /// Whether an object lies in the state bucket.
    pub(crate) fn hold(&self, at: &Address) -> bool {
        at.bucket.eq_ignore_ascii_case(&self.bucket)
    }

    pub(crate) fn at(&self, key: &str) -> Address {
        Address::new(&self.bucket, key)
    }
}
