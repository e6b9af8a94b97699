//! The few things the engine asks of an object store. One implementation is S3, the other a store in memory that tests
//! make fail on purpose.

use bytes::Bytes;
use futures::future::BoxFuture;

use super::Address;

/// An object store with conditional writes and strong read-after-write consistency, as S3 has both.
pub(crate) trait Objects: Send + Sync {
    /// `None` if there is no such object.
    fn get<'a>(&'a self, at: &'a Address) -> BoxFuture<'a, Result<Option<Object>, StoreError>>;
    /// The ETag of what was written.
    fn put<'a>(
        &'a self,
        at: &'a Address,
        body: Bytes,
        when: When,
    ) -> BoxFuture<'a, Result<String, StoreError>>;
    /// Every object whose key begins so, in order of keys.
    fn list<'a>(&'a self, bucket: &'a str, prefix: &'a str)
    -> BoxFuture<'a, Result<Vec<Listed>, StoreError>>;
    /// Deleting what is not there is fine.
    fn delete<'a>(&'a self, at: &'a Address) -> BoxFuture<'a, Result<(), StoreError>>;
    /// A URL with which anybody can GET the object for an hour.
    fn presign<'a>(&'a self, at: &'a Address) -> BoxFuture<'a, Result<String, StoreError>>;
}

#[derive(Clone, Debug)]
pub(crate) struct Object {
    pub(crate) body: Bytes,
    pub(crate) etag: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) key: String,
    pub(crate) etag: String,
}

/// The condition of a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum When {
    Always,
    /// `If-None-Match: *`
    Absent,
    /// `If-Match: <etag>`
    Unchanged(String),
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum StoreError {
    /// The condition of a write did not hold: somebody else was first. (Or this very write arrived before, and its answer
    /// was lost: whoever gets this reads again and decides again.)
    #[error("the object was changed by somebody else")]
    Changed,
    /// Not a matter of trying again: no such bucket, access denied.
    #[error("{0}")]
    Refused(String),
    /// The object is there, and is no document of this engine: damaged, or put there by another program.
    #[error("{0}")]
    Unreadable(String),
    /// May have happened or not.
    #[error("not done: {0}")]
    Failed(String),
}
