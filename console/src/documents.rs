//! Reading S3 for the model: listings with an end, and small documents that are fetched only when they changed.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_sdk_s3::Client;
use futures::StreamExt as _;
use jiff::Timestamp;
use serde::de::DeserializeOwned;

use crate::reason::reason;

/// Requests under way at once.
const AT_ONCE: usize = 16;
/// Pages of 1,000 keys, after which a listing ends: a page that shows more than that helps nobody.
const PAGES: usize = 20;
/// Larger documents are not ours: a status or notice is some kilobytes.
const MAX_DOCUMENT: i64 = 1 << 20;

/// S3 did not answer a question of the console.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{what} could not be read: {reason}")]
pub struct LoadError {
    pub what: String,
    pub reason: String,
}

impl LoadError {
    pub(crate) fn new(what: impl Into<String>, error: &(impl std::error::Error + 'static)) -> Self {
        Self {
            what: what.into(),
            reason: reason(error),
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Listed {
    pub(crate) key: String,
    pub(crate) etag: String,
    pub(crate) size: i64,
    pub(crate) modified: Timestamp,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Listing {
    pub(crate) objects: Vec<Listed>,
    pub(crate) folders: Vec<String>,
    /// There is more than what is here.
    pub(crate) cut: bool,
}

/// All keys under a prefix, or the first 20,000.
pub(crate) async fn list(
    s3: &Client,
    bucket: &str,
    prefix: &str,
    folders: bool,
) -> Result<Listing, LoadError> {
    let mut listing = Listing::default();
    let mut token = None;
    for _ in 0..PAGES {
        let request = s3
            .list_objects_v2()
            .bucket(bucket)
            .prefix(prefix)
            .set_continuation_token(token);
        let page = request
            .set_delimiter(folders.then(|| "/".to_owned()))
            .send()
            .await;
        let page = page.map_err(|error| LoadError::new(format!("s3://{bucket}/{prefix}"), &error))?;
        listing.objects.extend(page.contents().iter().filter_map(listed));
        listing.folders.extend(
            page.common_prefixes()
                .iter()
                .filter_map(|p| p.prefix().map(str::to_owned)),
        );
        token = page.next_continuation_token;
        if token.is_none() {
            return Ok(listing);
        }
    }
    listing.cut = true;
    Ok(listing)
}

fn listed(object: &aws_sdk_s3::types::Object) -> Option<Listed> {
    Some(Listed {
        key: object.key()?.to_owned(),
        etag: object.e_tag().unwrap_or_default().trim_matches('"').to_owned(),
        size: object.size().unwrap_or_default(),
        modified: timestamp(object.last_modified())?,
    })
}

pub(crate) fn timestamp(time: Option<&aws_sdk_s3::primitives::DateTime>) -> Option<Timestamp> {
    Timestamp::from_second(time?.secs()).ok()
}

/// Documents by key, each with the ETag it was read at. One that cannot be read as what it should be is kept as
/// `None`, so that it is not fetched again and again.
#[derive(Debug)]
pub(crate) struct Documents<T> {
    known: BTreeMap<String, (String, Option<Arc<T>>)>,
    largest: i64,
}

impl<T> Default for Documents<T> {
    fn default() -> Self {
        Self::up_to(MAX_DOCUMENT)
    }
}

impl<T> Documents<T> {
    /// Larger ones, in bytes, are left alone.
    pub(crate) fn up_to(largest: i64) -> Self {
        Self {
            known: BTreeMap::new(),
            largest,
        }
    }
}

impl<T: DeserializeOwned> Documents<T> {
    /// Fetches what is new or changed and forgets what is gone.
    pub(crate) async fn refresh(
        &mut self,
        s3: &Client,
        bucket: &str,
        wanted: &[&Listed],
    ) -> Result<(), LoadError> {
        let mut known = std::mem::take(&mut self.known);
        let (same, stale): (Vec<&&Listed>, Vec<_>) = wanted
            .iter()
            .filter(|object| object.size <= self.largest)
            .partition(|object| {
                known
                    .get(&object.key)
                    .is_some_and(|(etag, _)| *etag == object.etag)
            });
        for object in same {
            self.known.extend(known.remove_entry(&object.key));
        }
        // Collected first: a stream that still holds the closure is not `Send` for the compiler.
        let fetched: Vec<_> = stale
            .into_iter()
            .map(|object| fetch(s3, bucket, object))
            .collect();
        let mut fetched = futures::stream::iter(fetched).buffer_unordered(AT_ONCE);
        while let Some(result) = fetched.next().await {
            let (key, etag, document) = result?;
            self.known.insert(key, (etag, document));
        }
        Ok(())
    }

    pub(crate) fn get(&self, key: &str) -> Option<Arc<T>> {
        self.known.get(key).and_then(|(_, document)| document.clone())
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<T>> {
        let known = self.known.values();
        known.filter_map(|(_, document)| document.as_ref())
    }
}

async fn fetch<T: DeserializeOwned>(
    s3: &Client,
    bucket: &str,
    object: &Listed,
) -> Result<(String, String, Option<Arc<T>>), LoadError> {
    let failed = |error: &(dyn std::error::Error + 'static)| LoadError {
        what: format!("s3://{bucket}/{}", object.key),
        reason: reason(error),
    };
    let answer = s3.get_object().bucket(bucket).key(&object.key).send().await;
    let answer = answer.map_err(|error| failed(&error))?;
    let bytes = answer
        .body
        .collect()
        .await
        .map_err(|error| failed(&error))?
        .to_vec();
    let document = serde_json::from_slice(&bytes).inspect_err(|error| {
        tracing::warn!(key = object.key, %error, "a document of the output bucket is not what it should be");
    });
    Ok((
        object.key.clone(),
        object.etag.clone(),
        document.ok().map(Arc::new),
    ))
}

/// What a manifest's metadata tells.
#[derive(Clone, Debug, Default)]
pub(crate) struct About {
    pub(crate) items: Option<u64>,
    /// SHA-256 of the spec it was cut with.
    pub(crate) spec: Option<String>,
}

/// Asks for the metadata of manifests not asked about before: they never change.
pub(crate) async fn about_manifests(
    s3: &Client,
    bucket: &str,
    keys: &[String],
    known: &mut BTreeMap<String, About>,
) -> Result<(), LoadError> {
    let missing = keys.iter().filter(|key| !known.contains_key(*key));
    let asked: Vec<_> = missing.map(|key| about(s3, bucket, key.clone())).collect();
    let mut asked = futures::stream::iter(asked).buffer_unordered(AT_ONCE);
    while let Some(result) = asked.next().await {
        let (key, about) = result?;
        known.insert(key, about);
    }
    Ok(())
}

async fn about(s3: &Client, bucket: &str, key: String) -> Result<(String, About), LoadError> {
    let head = s3.head_object().bucket(bucket).key(&key).send().await;
    let head = head.map_err(|error| LoadError::new(format!("s3://{bucket}/{key}"), &error))?;
    let told = |name: &str| head.metadata()?.get(name);
    let about = About {
        items: told("items").and_then(|items| items.parse().ok()),
        spec: told("spec-sha256").cloned(),
    };
    Ok((key, about))
}
