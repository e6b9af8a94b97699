//! What was read of a dataset's batches, written beside its status: a new process reads one object of 24 bytes a file, and
//! not all batches again.
//!
//! Only a shortcut. It is used as far as it names, in order, exactly the ETags that are listed. Anything else counts as
//! missing, and it may be deleted at any time.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use shared::documents;
use shared::layout;
use shared::name::{BatchNumber, DatasetName};
use shared::port::{Bucket, ReplaceOutcome, Store, StoreError};
use shared::status::RowsLeftOut;

use crate::batches::{BatchedFile, Batches, EtagMark, KeyHash, MemoryState, Resume};

/// Batches read before it is worth writing them, and so the most a new process reads one by one.
pub(crate) const EVERY: usize = 8;
/// 96 MB. Beyond, processes read the batches: an invocation has a gigabyte.
const MOST_FILES: usize = 4_000_000;
/// Another version counts as missing.
const VERSION: u32 = 2;
/// Bytes of a key's hash and of an ETag's mark.
const FILE: usize = 16 + 8;

/// The first line; the files' hashes follow.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    version: u32,
    /// ETags of batches 1 to k.
    manifests: Vec<String>,
    items: u64,
    #[serde(default)]
    left_out: RowsLeftOut,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    resume: Option<Resume>,
    #[serde(skip_serializing_if = "BTreeSet::is_empty", default)]
    json_manifests: BTreeSet<String>,
    /// Of what follows.
    sha256: String,
}

/// Batches 1 to j as they are listed, with j from 0 to all.
pub(crate) async fn load(
    store: &impl Store,
    dataset: &DatasetName,
    listed: &[(BatchNumber, String)],
) -> Result<Batches, StoreError> {
    let Some(object) = store
        .get(Bucket::Output, &layout::batch_cache(dataset), None)
        .await?
    else {
        return Ok(Batches::default());
    };
    let mut batches = parse(&object.bytes, listed).unwrap_or_default();
    batches.memory = MemoryState {
        etag: Some(object.etag),
        batches: batches.count(),
    };
    Ok(batches)
}

/// Writes what is known. Every batch must have been listed: one that this process wrote has no ETag before. Another process
/// writes the same, so a lost race is as good as a won one.
pub(crate) async fn write(
    store: &impl Store,
    dataset: &DatasetName,
    batches: &mut Batches,
) -> Result<(), StoreError> {
    let Some(body) = body(batches) else { return Ok(()) };
    let key = layout::batch_cache(dataset);
    let etag = match store.replace(&key, body, batches.memory.etag.as_deref()).await? {
        ReplaceOutcome::Done { etag } => Some(etag),
        ReplaceOutcome::Changed => documents::head(store, Bucket::Output, &key)
            .await?
            .map(|there| there.etag),
    };
    batches.memory = MemoryState {
        etag,
        batches: batches.count(),
    };
    Ok(())
}

fn parse(bytes: &[u8], listed: &[(BatchNumber, String)]) -> Option<Batches> {
    let end = bytes.iter().position(|&byte| byte == b'\n')?;
    let (head, hashes) = (bytes.get(..end)?, bytes.get(end + 1..)?);
    let head: Head = serde_json::from_slice(head).ok()?;
    let as_listed = head.manifests.len() <= listed.len()
        && head
            .manifests
            .iter()
            .zip(listed)
            .all(|(written, (_, etag))| written == etag);
    let (hashes, rest) = hashes.as_chunks::<FILE>();
    let whole = rest.is_empty() && head.sha256 == hex::encode(Sha256::digest(hashes.as_flattened()));
    (head.version == VERSION && as_listed && whole).then(|| {
        let files = hashes.iter().filter_map(file);
        Batches::from_memory(
            head.manifests,
            files,
            head.items,
            head.left_out,
            head.resume,
            head.json_manifests,
        )
    })
}

fn body(batches: &Batches) -> Option<Vec<u8>> {
    let manifests = batches.manifest_etags()?;
    if batches.keys() > MOST_FILES {
        return None;
    }
    // In order, so that the same batches are the same bytes.
    let mut hashes: Vec<[u8; FILE]> = batches.files().map(bytes).collect();
    hashes.sort_unstable();
    let head = Head {
        version: VERSION,
        manifests,
        items: batches.items,
        left_out: batches.left_out,
        resume: batches.resume.clone(),
        json_manifests: batches.json_manifests.clone(),
        sha256: hex::encode(Sha256::digest(hashes.as_flattened())),
    };
    let mut body = serde_json::to_vec(&head).ok()?;
    body.push(b'\n');
    body.extend_from_slice(hashes.as_flattened());
    Some(body)
}

fn bytes(file: BatchedFile) -> [u8; FILE] {
    let mut bytes = [0; FILE];
    let (key, etag) = bytes.split_at_mut(16);
    key.copy_from_slice(&file.key.to_bytes());
    etag.copy_from_slice(&file.etag.to_bytes());
    bytes
}

fn file(bytes: &[u8; FILE]) -> Option<BatchedFile> {
    let (key, etag) = bytes.split_at_checked(16)?;
    Some(BatchedFile {
        key: KeyHash::from_bytes(key.try_into().ok()?),
        etag: EtagMark::from_bytes(etag.try_into().ok()?),
    })
}
