//! What the engine needs from an object store. One implementation is S3; tests have one in memory with injected faults.

use async_trait::async_trait;
use bytes::Bytes;

use super::address::Address;

/// An object store with conditional writes and strong read-after-write consistency, as S3 has both.
#[async_trait]
pub(crate) trait ObjectStore: Send + Sync {
    /// `None` if there is no such object.
    async fn get(&self, at: &Address) -> Result<Option<StoredObject>, StoreError>;

    /// Writes an object; its ETag.
    async fn put(&self, at: &Address, body: Bytes, when: WriteCondition) -> Result<String, StoreError>;

    /// Every object whose key begins with the prefix, in order of keys.
    async fn list(&self, bucket: &str, prefix: &str) -> Result<Vec<ListedObject>, StoreError>;

    /// Deletes an object; `Ok` also if there is none.
    async fn delete(&self, at: &Address) -> Result<(), StoreError>;

    /// A URL with which anyone can GET the object for an hour.
    async fn presign(&self, at: &Address) -> Result<String, StoreError>;
}

#[derive(Clone, Debug)]
pub(crate) struct StoredObject {
    pub(crate) body: Bytes,
    pub(crate) etag: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ListedObject {
    pub(crate) key: String,
    pub(crate) etag: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum WriteCondition {
    Always,
    /// `If-None-Match: *`
    IfAbsent,
    /// `If-Match: <etag>`
    IfMatch(String),
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum StoreError {
    /// The condition of a write did not hold: another writer was first. Or this very write arrived before, and its reply
    /// was lost. Either way the caller reads again and decides again.
    #[error("the object was changed by another writer")]
    Changed,
    /// A retry would not help: no such bucket, access denied.
    #[error("{0}")]
    Refused(String),
    /// The object exists and is not a document of this engine: damaged, or written by another program.
    #[error("{0}")]
    Unreadable(String),
    /// May have happened or not.
    #[error("not done: {0}")]
    Failed(String),
}
