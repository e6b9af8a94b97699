//! Reading S3 for the model: listings with an end, and small documents that are fetched only when they changed.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use aws::s3::Buckets;
use futures::StreamExt as _;
use serde::de::DeserializeOwned;
use shared::documents;
use shared::port::{Bucket, Object, Store as _, StoreError};

const CONCURRENT_REQUESTS: usize = 16;
/// Pages of 1,000 keys, after which a listing ends: a page with more would not be readable.
const MAX_PAGES: usize = 20;
/// A status or notice takes some kilobytes: a larger object is not one of ours.
const MAX_DOCUMENT_BYTES: u64 = 1 << 20;

#[derive(Clone, Debug, Default)]
pub(crate) struct BoundedListing {
    pub(crate) objects: Vec<Object>,
    pub(crate) folders: Vec<String>,
    /// There are more objects than these.
    pub(crate) is_cut: bool,
}

/// All objects under a prefix, or the first 20,000.
pub(crate) async fn list(
    store: &Buckets,
    bucket: Bucket,
    prefix: &str,
) -> Result<BoundedListing, StoreError> {
    read_pages(documents::list(store, bucket, prefix)).await
}

/// What is at the top of a bucket: objects, and folders by name alone.
pub(crate) async fn list_top(store: &Buckets, bucket: Bucket) -> Result<BoundedListing, StoreError> {
    read_pages(documents::list_by_folder(store, bucket, "")).await
}

async fn read_pages(mut pages: documents::Listing<'_, Buckets>) -> Result<BoundedListing, StoreError> {
    let mut listing = BoundedListing::default();
    for _ in 0..MAX_PAGES {
        let Some(page) = pages.next_page().await? else {
            return Ok(listing);
        };
        listing.objects.extend(page.objects);
        listing.folders.extend(page.folders);
        listing.is_cut = page.next.is_some();
    }
    Ok(listing)
}

/// Markers and results are named by cause, not by time, so the newest are found by when they were written.
pub(crate) fn newest<'a>(objects: impl Iterator<Item = &'a Object>, most: usize) -> Vec<&'a Object> {
    let mut objects: Vec<&Object> = objects.collect();
    objects.sort_by_key(|object| (Reverse(object.last_modified), object.key.as_str()));
    objects.truncate(most);
    objects
}

/// A sentence for each listing that has more objects than were read.
pub(crate) fn cut_short<const N: usize>(listings: [(&str, &BoundedListing); N]) -> Vec<String> {
    let cut = listings.iter().filter(|(_, listing)| listing.is_cut);
    cut.map(|(what, _)| format!("There are more {what} than are shown."))
        .collect()
}

/// Documents of the output bucket by key, each with the ETag it was read at. One that cannot be read as what it should
/// be is kept as `None`, so that it is not fetched again and again.
#[derive(Debug)]
pub(crate) struct DocumentCache<T> {
    documents: BTreeMap<String, (String, Option<Arc<T>>)>,
    max_bytes: u64,
}

impl<T> Default for DocumentCache<T> {
    fn default() -> Self {
        Self::with_limit(MAX_DOCUMENT_BYTES)
    }
}

impl<T> DocumentCache<T> {
    /// Larger objects are not fetched.
    pub(crate) fn with_limit(max_bytes: u64) -> Self {
        Self {
            documents: BTreeMap::new(),
            max_bytes,
        }
    }
}

impl<T: DeserializeOwned> DocumentCache<T> {
    /// Fetches what is new or changed, and forgets what is gone.
    pub(crate) async fn refresh(&mut self, store: &Buckets, wanted: &[&Object]) -> Result<(), StoreError> {
        let mut before = std::mem::take(&mut self.documents);
        let is_known = |object: &&&Object| {
            let known = before.get(&object.key);
            known.is_some_and(|(etag, _)| *etag == object.etag)
        };
        let small = wanted.iter().filter(|object| object.size <= self.max_bytes);
        let (unchanged, stale): (Vec<&&Object>, Vec<_>) = small.partition(is_known);
        for object in unchanged {
            self.documents.extend(before.remove_entry(&object.key));
        }
        // Collected first: a stream that still holds the closure is not `Send` for the compiler.
        let fetches: Vec<_> = stale.into_iter().map(|object| fetch(store, object)).collect();
        let mut fetched = futures::stream::iter(fetches).buffer_unordered(CONCURRENT_REQUESTS);
        while let Some(result) = fetched.next().await {
            let (key, etag, document) = result?;
            self.documents.insert(key, (etag, document));
        }
        Ok(())
    }

    pub(crate) fn get(&self, key: &str) -> Option<Arc<T>> {
        self.documents.get(key).and_then(|(_, document)| document.clone())
    }

    pub(crate) fn documents(&self) -> impl Iterator<Item = &Arc<T>> {
        let all = self.documents.values();
        all.filter_map(|(_, document)| document.as_ref())
    }
}

/// An object that was deleted since it was listed counts as one that cannot be read.
async fn fetch<T: DeserializeOwned>(
    store: &Buckets,
    object: &Object,
) -> Result<(String, String, Option<Arc<T>>), StoreError> {
    let fetched = store.get(Bucket::Output, &object.key, None).await?;
    let bytes = fetched.map(|fetched| fetched.bytes).unwrap_or_default();
    let document = documents::from_json(&object.key, &bytes).inspect_err(|error| {
        tracing::warn!(key = object.key, %error, "document is unreadable; it is left out");
    });
    Ok((
        object.key.clone(),
        object.etag.clone(),
        document.ok().map(Arc::new),
    ))
}

/// What a manifest's metadata says.
#[derive(Clone, Debug, Default)]
pub(crate) struct ManifestMetadata {
    pub(crate) items: Option<u64>,
    /// SHA-256 of the spec it was cut with.
    pub(crate) spec_sha256: Option<String>,
}

/// Reads the metadata of manifests that are not known yet: they never change.
pub(crate) async fn load_manifest_metadata(
    store: &Buckets,
    keys: &[String],
    known: &mut BTreeMap<String, ManifestMetadata>,
) -> Result<(), StoreError> {
    let missing = keys.iter().filter(|key| !known.contains_key(*key));
    let reads: Vec<_> = missing.map(|key| manifest_metadata(store, key.clone())).collect();
    let mut reads = futures::stream::iter(reads).buffer_unordered(CONCURRENT_REQUESTS);
    while let Some(result) = reads.next().await {
        let (key, metadata) = result?;
        known.insert(key, metadata);
    }
    Ok(())
}

async fn manifest_metadata(store: &Buckets, key: String) -> Result<(String, ManifestMetadata), StoreError> {
    let object = documents::head(store, Bucket::Output, &key).await?;
    let metadata = object.map(|object| object.metadata).unwrap_or_default();
    let metadata = ManifestMetadata {
        items: metadata.get("items").and_then(|items| items.parse().ok()),
        spec_sha256: metadata.get("spec-sha256").cloned(),
    };
    Ok((key, metadata))
}
