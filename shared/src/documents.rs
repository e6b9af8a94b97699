//! Listings and JSON documents over the [`Store`] port: every page of a listing, and documents that are created once or
//! changed by compare-and-swap.
//!
//! Only the output bucket is written, so that documents are in the output bucket. They are written indented, because
//! people read them when something has gone wrong.

mod listing;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::port::{Bucket, CreateOutcome, RefusalScope, ReplaceOutcome, Store, StoreError, StoredObject};

pub use listing::{Listing, list, list_all, list_by_folder};

/// How often a document is read, changed and written before an update fails. Each lost race is a write of another process
/// that succeeded, and few processes write the same document.
pub const ATTEMPTS: usize = 20;

/// Why a document was not read or not written.
#[derive(Clone, Debug, thiserror::Error)]
pub enum DocumentError {
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It is there, and it is not what Groundcrew writes under this key. The reason holds none of the document's values:
    /// they may be addresses.
    #[error("{key} is unreadable: {reason}. Delete it, or put back an earlier version")]
    Unreadable { key: String, reason: String },
    /// The value has no JSON form, so nothing was written.
    #[error("{key} was not written: {reason}")]
    Unwritable { key: String, reason: String },
    /// Other processes changed it between every read and the write after it.
    #[error("{key} changed during each of {attempts} attempts to write it")]
    Contended { key: String, attempts: usize },
}

/// For callers that only ask whether to try again: a contended document may be free later, the rest needs a person.
impl From<DocumentError> for StoreError {
    fn from(error: DocumentError) -> Self {
        let reason = error.to_string();
        match error {
            DocumentError::Store(error) => error,
            DocumentError::Unreadable { key, .. } => Self::Refused {
                operation: "GetObject",
                what: key,
                scope: RefusalScope::Other,
                reason,
            },
            DocumentError::Unwritable { key, .. } => Self::Refused {
                operation: "PutObject",
                what: key,
                scope: RefusalScope::Other,
                reason,
            },
            DocumentError::Contended { key, .. } => Self::Transient {
                operation: "PutObject",
                what: key,
                reason,
            },
        }
    }
}

/// A document as it was read. [`Snapshot::replace`] writes over it only if no other process has written since.
#[derive(Clone, Debug)]
pub struct Snapshot<T> {
    /// `None` where there is none.
    pub document: Option<T>,
    key: String,
    etag: Option<String>,
}

impl<T: Serialize> Snapshot<T> {
    /// Writes this document if the key still holds what was read, or still nothing.
    pub async fn replace(&self, store: &impl Store, document: &T) -> Result<ReplaceOutcome, DocumentError> {
        let body = to_json(&self.key, document)?;
        Ok(store.replace(&self.key, body, self.etag.as_deref()).await?)
    }
}

/// The object without its content (at most its first byte): its ETag, size and metadata. `None` where there is none.
pub async fn head(store: &impl Store, bucket: Bucket, key: &str) -> Result<Option<StoredObject>, StoreError> {
    store.get(bucket, key, Some(0..1)).await
}

/// Whether there is an object under this key.
pub async fn exists(store: &impl Store, bucket: Bucket, key: &str) -> Result<bool, StoreError> {
    Ok(head(store, bucket, key).await?.is_some())
}

/// What an unreadable document is to its reader.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unreadable {
    Error,
    Absent,
}

/// Reads a document. An unreadable one is an error that names the key.
pub async fn load<T: DeserializeOwned>(store: &impl Store, key: &str) -> Result<Snapshot<T>, DocumentError> {
    read(store, key, Unreadable::Error).await
}

/// Reads a document that can be made again from others: an unreadable one counts as absent, and can be replaced.
pub async fn load_if_readable<T: DeserializeOwned>(
    store: &impl Store,
    key: &str,
) -> Result<Snapshot<T>, DocumentError> {
    read(store, key, Unreadable::Absent).await
}

async fn read<T: DeserializeOwned>(
    store: &impl Store,
    key: &str,
    unreadable: Unreadable,
) -> Result<Snapshot<T>, DocumentError> {
    let (document, etag) = match store.get(Bucket::Output, key, None).await? {
        Some(object) => match from_json(key, &object.bytes) {
            Err(_) if unreadable == Unreadable::Absent => (None, Some(object.etag)),
            document => (Some(document?), Some(object.etag)),
        },
        None => (None, None),
    };
    Ok(Snapshot {
        document,
        key: key.to_owned(),
        etag,
    })
}

/// Writes a document if there is none under this key yet.
pub async fn create_json<T: Serialize>(
    store: &impl Store,
    key: &str,
    document: &T,
) -> Result<CreateOutcome, DocumentError> {
    let body = to_json(key, document)?;
    Ok(store.create(key, body, &Default::default()).await?)
}

/// Writes an object over the one that is there, which an earlier attempt at the same wrote.
pub async fn overwrite(store: &impl Store, key: &str, body: Vec<u8>) -> Result<(), DocumentError> {
    for _ in 0..ATTEMPTS {
        let there = head(store, Bucket::Output, key).await?;
        let etag = there.as_ref().map(|there| there.etag.as_str());
        if let ReplaceOutcome::Done { .. } = store.replace(key, body.clone(), etag).await? {
            return Ok(());
        }
    }
    Err(contention_error(key))
}

/// [`overwrite`] with a document.
pub async fn overwrite_json<T: Serialize>(
    store: &impl Store,
    key: &str,
    document: &T,
) -> Result<(), DocumentError> {
    overwrite(store, key, to_json(key, document)?).await
}

/// Reads a document, lets `change` make the next one from it and writes that, until no other process has written in
/// between. `change` gives `None` if nothing is to be written; a document that stays the same is not written either.
/// Returns the document as it is afterwards.
pub async fn update<T>(
    store: &impl Store,
    key: &str,
    change: impl FnMut(Option<&T>) -> Option<T>,
) -> Result<Option<T>, DocumentError>
where
    T: Serialize + DeserializeOwned + PartialEq,
{
    compare_and_swap(store, key, Unreadable::Error, change).await
}

/// [`update`] for a document that can be made again from others: an unreadable one counts as absent.
pub async fn update_if_readable<T>(
    store: &impl Store,
    key: &str,
    change: impl FnMut(Option<&T>) -> Option<T>,
) -> Result<Option<T>, DocumentError>
where
    T: Serialize + DeserializeOwned + PartialEq,
{
    compare_and_swap(store, key, Unreadable::Absent, change).await
}

async fn compare_and_swap<T>(
    store: &impl Store,
    key: &str,
    unreadable: Unreadable,
    mut change: impl FnMut(Option<&T>) -> Option<T>,
) -> Result<Option<T>, DocumentError>
where
    T: Serialize + DeserializeOwned + PartialEq,
{
    for _ in 0..ATTEMPTS {
        let before = read(store, key, unreadable).await?;
        let after = change(before.document.as_ref());
        let Some(after) = after.filter(|after| before.document.as_ref() != Some(after)) else {
            return Ok(before.document);
        };
        if let ReplaceOutcome::Done { .. } = before.replace(store, &after).await? {
            return Ok(Some(after));
        }
    }
    Err(contention_error(key))
}

/// The error of a document that changed during each attempt to write it.
pub fn contention_error(key: &str) -> DocumentError {
    DocumentError::Contended {
        key: key.to_owned(),
        attempts: ATTEMPTS,
    }
}

/// The document an object holds, for callers that have fetched it themselves.
pub fn from_json<T: DeserializeOwned>(key: &str, bytes: &[u8]) -> Result<T, DocumentError> {
    serde_json::from_slice(bytes).map_err(|error| DocumentError::Unreadable {
        key: key.to_owned(),
        reason: format!(
            "it is not the JSON expected here (line {}, column {})",
            error.line(),
            error.column()
        ),
    })
}

fn to_json<T: Serialize>(key: &str, document: &T) -> Result<Vec<u8>, DocumentError> {
    serde_json::to_vec_pretty(document).map_err(|error| DocumentError::Unwritable {
        key: key.to_owned(),
        reason: error.to_string(),
    })
}

#[cfg(test)]
mod tests;
