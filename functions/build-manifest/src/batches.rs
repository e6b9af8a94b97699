//! The batches cut so far, as this process knows them: which files are in one, and whether they fit together.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use shared::change::{self, Change};
use shared::manifest::{OriginError, origins};
use shared::name::BatchNumber;
use shared::port::{Object, StoreError};
use shared::status::RowsLeftOut;

/// Names of a batch's object metadata.
pub(crate) mod meta {
    /// Random, by the writer: shows after a lost response whether the manifest is one's own.
    pub(crate) const OWNER: &str = "owner";
    pub(crate) const SPEC: &str = "spec-sha256";
    pub(crate) const ITEMS: &str = "items";
    /// The last line's file continues in the next batch, after this row.
    pub(crate) const RESUME: &str = "resume-after-row";
    /// How the rows are numbered in which that row was counted; 1 where it is not said.
    pub(crate) const NUMBERING: &str = "row-numbering";
    /// The batch is of a manifest made by hand that is called `*.jsonl`.
    pub(crate) const JSON_MANIFEST: &str = "json-manifest";
    /// Rows of the batch's files that are not items.
    pub(crate) const REJECTED: &str = "rejected-rows";
    pub(crate) const BLANK: &str = "blank-rows";
}

/// The first half of a key's SHA-256: 16 collision-resistant bytes for a key of up to 1,024.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct KeyHash(u128);

impl KeyHash {
    pub(crate) fn of(parts: &[&str]) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update(part.len().to_le_bytes());
            hash.update(part);
        }
        Self(
            hash.finalize()
                .iter()
                .take(16)
                .fold(0, |number, byte| number << 8 | u128::from(*byte)),
        )
    }

    pub(crate) fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }

    pub(crate) fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(u128::from_be_bytes(bytes))
    }
}

/// Enough of an ETag to see whether another is the same: 48 bits of its hash, and in how many parts it was uploaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EtagMark(u64);

impl EtagMark {
    pub(crate) fn of(etag: &str) -> Self {
        let hash = Sha256::digest(etag)
            .iter()
            .take(6)
            .fold(0, |hash, byte| hash << 8 | u64::from(*byte));
        Self(hash << 16 | u64::from(change::parts(etag)))
    }

    pub(crate) fn change(self, now: &str) -> Change {
        let parts = |mark: Self| mark.0 & 0xffff;
        match Self::of(now) {
            now if now == self => Change::Same,
            now if parts(now) == parts(self) => Change::Changed,
            _ => Change::Unclear,
        }
    }

    pub(crate) fn to_bytes(self) -> [u8; 8] {
        self.0.to_be_bytes()
    }

    pub(crate) fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(u64::from_be_bytes(bytes))
    }
}

/// A file of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BatchedFile {
    pub(crate) key: KeyHash,
    pub(crate) etag: EtagMark,
}

impl BatchedFile {
    pub(crate) fn of(key: &str, etag: &str) -> Self {
        Self {
            key: KeyHash::of(&[key]),
            etag: EtagMark::of(etag),
        }
    }
}

/// A file whose rows did not all fit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Resume {
    pub(crate) key: String,
    pub(crate) etag: String,
    pub(crate) after_row: u64,
    /// Of `after_row`: [`shared::item::ROW_NUMBERING`] as it was then.
    #[serde(default = "first_numbering")]
    pub(crate) numbering: u32,
}

fn first_numbering() -> u32 {
    1
}

/// Batches 1 to k of a dataset.
#[derive(Debug, Default)]
pub(crate) struct Batches {
    /// ETags in order; `None` for one written by this instance and not yet seen in a listing.
    manifests: Vec<Option<String>>,
    files: HashMap<KeyHash, EtagMark>,
    pub(crate) items: u64,
    /// Of their files.
    pub(crate) left_out: RowsLeftOut,
    /// Left over by the last batch.
    pub(crate) resume: Option<Resume>,
    /// Keys of manifests made by hand that are called `*.jsonl`: while one is there, the dataset is labelled by hand.
    pub(crate) json_manifests: BTreeSet<String>,
    /// What of this has been written for other processes.
    pub(crate) memory: MemoryState,
}

/// The memory object of the dataset, as this process knows it.
#[derive(Clone, Debug, Default)]
pub(crate) struct MemoryState {
    pub(crate) etag: Option<String>,
    /// Batches in it.
    pub(crate) batches: usize,
}

/// What one batch holds.
#[derive(Debug, Default)]
pub(crate) struct BatchContent {
    pub(crate) files: Vec<BatchedFile>,
    pub(crate) items: u64,
    pub(crate) left_out: RowsLeftOut,
    pub(crate) resume: Option<Resume>,
    pub(crate) json_manifest: Option<String>,
}

/// Why nothing more may be cut. BatchCutter on could label items twice.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Halt {
    #[error(
        "batch {missing} is missing although batch {next} is there; restore {key} (the bucket keeps old versions)"
    )]
    Gap {
        missing: BatchNumber,
        next: BatchNumber,
        key: String,
    },
    #[error("batch {0} was overwritten after it had been read; restore the first version of its manifest")]
    Overwritten(BatchNumber),
    #[error(
        "there were {before} batches and now there are {now}; restore the deleted manifests (the bucket keeps old versions)"
    )]
    Deleted { before: usize, now: usize },
    #[error("the manifest of batch {0} cannot be read: {1}; restore its first version")]
    Unreadable(BatchNumber, OriginError),
    #[error("there are 999,999 batches, the most a dataset can have; use a new dataset")]
    Full,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum BatchesError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Halt(#[from] Halt),
}

impl Batches {
    pub(crate) fn count(&self) -> usize {
        self.manifests.len()
    }

    /// Whether this one is known.
    pub(crate) fn reach(&self, number: BatchNumber) -> bool {
        usize::try_from(number.get()).is_ok_and(|number| number <= self.count())
    }

    pub(crate) fn keys(&self) -> usize {
        self.files.len()
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.files.contains_key(&KeyHash::of(&[key]))
    }

    pub(crate) fn is_json_manifest(&self, key: &str) -> bool {
        self.json_manifests.contains(key)
    }

    /// Whether a file has changed since it was batched; `None` if it is in no batch.
    pub(crate) fn change(&self, file: &Object) -> Option<Change> {
        let batched = self.files.get(&KeyHash::of(&[&file.key]))?;
        Some(batched.change(&file.etag))
    }

    pub(crate) fn files(&self) -> impl Iterator<Item = BatchedFile> {
        self.files.iter().map(|(key, etag)| BatchedFile {
            key: *key,
            etag: *etag,
        })
    }

    /// The ETags of all, if every one of them has been seen in a listing.
    pub(crate) fn manifest_etags(&self) -> Option<Vec<String>> {
        self.manifests.iter().cloned().collect()
    }

    pub(crate) fn from_memory(
        manifests: Vec<String>,
        files: impl Iterator<Item = BatchedFile>,
        items: u64,
        left_out: RowsLeftOut,
        resume: Option<Resume>,
        json_manifests: BTreeSet<String>,
    ) -> Self {
        Self {
            manifests: manifests.into_iter().map(Some).collect(),
            files: files.map(|file| (file.key, file.etag)).collect(),
            items,
            left_out,
            resume,
            json_manifests,
            memory: MemoryState::default(),
        }
    }

    /// Whether only a part of the file's rows is in a batch.
    pub(crate) fn goes_on(&self, key: &str) -> bool {
        self.resume.as_ref().is_some_and(|resume| resume.key == key)
    }

    /// Number of the batch to cut next.
    pub(crate) fn next(&self) -> Result<BatchNumber, Halt> {
        let next = u32::try_from(self.manifests.len() + 1).ok();
        next.and_then(BatchNumber::new).ok_or(Halt::Full)
    }

    /// Compares a listed batch with what is known at its place. `true`: it is new, and has to be read.
    pub(crate) fn is_new(&mut self, place: usize, number: BatchNumber, etag: &str) -> Result<bool, Halt> {
        match self.manifests.get_mut(place) {
            Some(Some(known)) if known != etag => Err(Halt::Overwritten(number)),
            Some(known) => {
                *known = Some(etag.to_owned());
                Ok(false)
            }
            None => Ok(true),
        }
    }

    /// A batch that this process has just written needs no reading.
    pub(crate) fn push(&mut self, added: BatchContent) {
        self.add(None, added);
    }

    /// The next batch, as it was read; without an ETag where this process has just written it.
    pub(crate) fn add(&mut self, etag: Option<String>, added: BatchContent) {
        self.manifests.push(etag);
        let files = added.files.iter().map(|file| (file.key, file.etag));
        self.files.extend(files);
        self.items += added.items;
        self.left_out += added.left_out;
        self.resume = added.resume;
        self.json_manifests.extend(added.json_manifest);
    }
}

pub(crate) fn read_manifest(
    bytes: &[u8],
    metadata: &BTreeMap<String, String>,
) -> Result<BatchContent, OriginError> {
    let mut added = BatchContent::default();
    let mut last = None;
    for origin in origins(bytes) {
        let origin = origin?;
        added.items += 1;
        let file = BatchedFile::of(&origin.key, &origin.etag);
        if added.files.last() != Some(&file) {
            added.files.push(file);
        }
        last = Some(origin);
    }
    let number = |name| metadata.get(name).and_then(|number| number.parse::<u64>().ok());
    added.left_out = RowsLeftOut {
        rejected: number(meta::REJECTED).unwrap_or(0),
        blank: number(meta::BLANK).unwrap_or(0),
    };
    if metadata.contains_key(meta::JSON_MANIFEST) {
        added.json_manifest = last.as_ref().map(|origin| origin.key.clone());
    }
    let numbering = number(meta::NUMBERING).and_then(|number| u32::try_from(number).ok());
    added.resume = last.zip(number(meta::RESUME)).map(|(o, after_row)| Resume {
        key: o.key,
        etag: o.etag,
        after_row,
        numbering: numbering.unwrap_or_else(first_numbering),
    });
    Ok(added)
}
