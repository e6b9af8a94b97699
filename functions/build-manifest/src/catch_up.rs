//! Brings what a process knows of a dataset's batches up to what is in the bucket.

use shared::documents;
use shared::layout;
use shared::name::{BatchNumber, DatasetName};
use shared::port::{Bucket, Object, Store};

use crate::batches::{Batches, BatchesError, Halt, read_manifest};
use crate::memory;

/// Reads the batches that are in the bucket and not yet known, and checks that the known ones are still there.
///
/// A process that knows nothing begins with what others wrote into the memory object, if that spares it more than `every`
/// batches.
pub(crate) async fn catch_up(
    batches: &mut Batches,
    store: &impl Store,
    dataset: &DatasetName,
    every: usize,
) -> Result<(), BatchesError> {
    let listed = list_manifests(store, dataset).await?;
    if batches.count() == 0 && listed.len() >= every {
        *batches = memory::load(store, dataset, &listed).await?;
    }
    if listed.len() < batches.count() {
        return Err(Halt::Deleted {
            before: batches.count(),
            now: listed.len(),
        }
        .into());
    }
    for (place, (number, etag)) in listed.into_iter().enumerate() {
        if batches.is_new(place, number, &etag)? {
            read_batch(batches, store, dataset, number).await?;
        }
    }
    Ok(())
}

async fn read_batch(
    batches: &mut Batches,
    store: &impl Store,
    dataset: &DatasetName,
    number: BatchNumber,
) -> Result<(), BatchesError> {
    let key = layout::manifest(dataset, number);
    let Some(manifest) = store.get(Bucket::Output, &key, None).await? else {
        return Err(Halt::Deleted {
            before: batches.count() + 1,
            now: batches.count(),
        }
        .into());
    };
    let content = read_manifest(&manifest.bytes, &manifest.metadata)
        .map_err(|error| Halt::Unreadable(number, error))?;
    batches.add(Some(manifest.etag), content);
    Ok(())
}

/// The dataset's manifests by number, without a gap; other objects under the prefix are skipped.
async fn list_manifests(
    store: &impl Store,
    dataset: &DatasetName,
) -> Result<Vec<(BatchNumber, String)>, BatchesError> {
    let objects = documents::list_all(store, Bucket::Output, &layout::manifest_prefix(dataset)).await?;
    let manifests = objects.into_iter().filter_map(|Object { key, etag, .. }| {
        let (of, number) = layout::parse_manifest(&key)?;
        (of == *dataset).then_some((number, etag))
    });
    let manifests: Vec<_> = manifests.collect();
    // Listings are in byte order, and numbers have six digits: in order already.
    for ((next, _), expected) in manifests.iter().zip(1..) {
        if let Some(missing) = BatchNumber::new(expected).filter(|missing| missing != next) {
            return Err(Halt::Gap {
                missing,
                next: *next,
                key: layout::manifest(dataset, missing),
            }
            .into());
        }
    }
    Ok(manifests)
}
