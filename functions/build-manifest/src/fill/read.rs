//! One waiting file, read as far as judging it needs.

use std::ops::Range;

use futures::future::try_join;
use shared::item::image::{self, Probe};
use shared::item::{FileKind, MAX_TEXT_FILE, ROW_NUMBERING, Verdict, classify, is_numbered_as_in_version_1};
use shared::port::{Bucket, Object, RefusalScope, Store, StoreError, StoredObject};
use shared::spec::Spec;
use tokio::sync::Semaphore;

use crate::batches::Resume;

/// A file that waits for a batch.
#[derive(Debug)]
pub(crate) struct Candidate {
    pub(crate) object: Object,
    pub(crate) mode: ReadMode,
    /// Rows up to this one are in a batch already; 0 none.
    pub(crate) after_row: u64,
    /// How rows were numbered when that one was.
    pub(crate) numbering: u32,
}

/// What a file is to its dataset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileRole {
    /// Labelled as the spec says.
    Dropped,
    /// A manifest made by hand.
    Manifest,
    /// A file beside such a manifest, which may point to it.
    Data,
}

#[derive(Debug)]
pub(crate) enum ReadMode {
    Text,
    Image,
    /// A manifest made by hand.
    ByHand,
    /// Not at all: its name or size says enough.
    Rejected(String),
}

/// What reading gave. An ETag is that of the bytes read, which may be newer than the listing.
pub(super) enum Contents {
    Text {
        bytes: Vec<u8>,
        etag: String,
    },
    ByHand {
        bytes: Vec<u8>,
        etag: String,
    },
    Image {
        etag: String,
    },
    Rejected(String),
    /// Deleted, or being overwritten at this moment: the newer file has an event of its own.
    Gone,
}

impl Candidate {
    /// `None` for a file that never belongs in a batch: left out by the spec, or written by the operating system.
    pub(crate) fn new(spec: &Spec, object: Object, role: FileRole, resume: Option<&Resume>) -> Option<Self> {
        let resume = resume.filter(|resume| resume.key == object.key);
        let mode = match resume {
            Some(resume) if resume.etag != object.etag => {
                Some(ReadMode::Rejected(changed_file_reason(resume.after_row)))
            }
            // Only the last batch knows where the file goes on: said now, or never.
            Some(resume) => read_mode(spec, &object, role).or_else(|| {
                let reason = excluded_file_reason(resume.after_row);
                Some(ReadMode::Rejected(reason))
            }),
            None => read_mode(spec, &object, role),
        };
        let after_row = resume.map_or(0, |resume| resume.after_row);
        mode.map(|mode| Self {
            object,
            mode,
            after_row,
            numbering: resume.map_or(ROW_NUMBERING, |resume| resume.numbering),
        })
    }

    /// Why the rest of the file cannot be read: rows have other numbers than when its first ones came into a batch, so
    /// that going on would label some twice or leave some out.
    pub(super) fn numbering_problem(&self, spec: &Spec, bytes: &[u8]) -> Option<String> {
        let key = &self.object.key;
        let same = match self.numbering {
            _ if self.after_row == 0 => true,
            ROW_NUMBERING => true,
            1 => is_numbered_as_in_version_1(spec, key, bytes, self.is_by_hand()),
            _ => false,
        };
        (!same).then(|| {
            format!(
                "rows up to {} are in a batch as an earlier version of Groundcrew read the file, and this one reads its \
                 line ends or quotes otherwise: put the rows that are in no batch into a new file",
                self.after_row
            )
        })
    }

    pub(super) fn is_by_hand(&self) -> bool {
        matches!(self.mode, ReadMode::ByHand)
    }

    /// Bytes it takes to read, roughly.
    pub(super) fn cost(&self) -> u64 {
        match self.mode {
            ReadMode::Text | ReadMode::ByHand => self.object.size,
            ReadMode::Image => image::HEAD + image::TAIL,
            ReadMode::Rejected(_) => 0,
        }
    }
}

fn read_mode(spec: &Spec, object: &Object, role: FileRole) -> Option<ReadMode> {
    match role {
        FileRole::Manifest => return Some(ReadMode::ByHand),
        FileRole::Data => return None,
        FileRole::Dropped => {}
    }
    let path = object.key.split_once('/').map_or("", |(_, path)| path);
    match classify(spec, path, object.size) {
        Verdict::Take(FileKind::Image) => Some(ReadMode::Image),
        Verdict::Take(_) => Some(ReadMode::Text),
        Verdict::Reject(reason) => Some(ReadMode::Rejected(reason)),
        Verdict::Ignore | Verdict::NotSelected => None,
    }
}

fn changed_file_reason(after_row: u64) -> String {
    format!(
        "the file was changed while it was being batched: rows up to {after_row} are in a batch as they were; \
         put the rows after it alone into a file of another name"
    )
}

fn excluded_file_reason(after_row: u64) -> String {
    format!(
        "rows up to {after_row} are in a batch, and the spec as it is now leaves the file out: what comes after row \
         {after_row} is not labeled, unless the spec takes the file again before the next batch"
    )
}

pub(super) fn unreadable(reason: &str) -> String {
    format!(
        "the file cannot be read ({reason}): it may be encrypted with a key of its own, or archived; copy it into the \
         folder again under the bucket's own encryption"
    )
}

/// Images that need more than the usual head, read side by side: a mebibyte each.
pub(super) struct LargeHeads(Semaphore);

impl Default for LargeHeads {
    fn default() -> Self {
        const AT_ONCE: usize = 16;
        Self(Semaphore::new(AT_ONCE))
    }
}

/// A file that cannot be read (encrypted with a key of its own, archived) is a bad file, and does not stop the others. The
/// spec beside it could be read a moment ago, so a refusal of the object is not the function's role; a wrong token or clock
/// is about all files, and rejects none.
pub(super) async fn read(
    store: &impl Store,
    candidate: &Candidate,
    large_heads: &LargeHeads,
) -> Result<Contents, StoreError> {
    let contents = match &candidate.mode {
        ReadMode::Rejected(reason) => Ok(Contents::Rejected(reason.clone())),
        ReadMode::Image => read_image(store, &candidate.object, large_heads).await,
        ReadMode::Text | ReadMode::ByHand => read_text(store, candidate).await,
    };
    match contents {
        Err(StoreError::Refused {
            scope: RefusalScope::Object,
            reason,
            ..
        }) => Ok(Contents::Rejected(unreadable(&reason))),
        contents => contents,
    }
}

/// At most the bytes that were listed: memory is planned by them, and the object may be much larger by now.
async fn read_text(store: &impl Store, candidate: &Candidate) -> Result<Contents, StoreError> {
    let Object { key, size, .. } = &candidate.object;
    // One byte more than a file may have: enough to see that it has too many.
    let range = 0..(*size).clamp(1, MAX_TEXT_FILE + 1);
    let Some(file) = store.get(Bucket::Input, key, Some(range)).await? else {
        return Ok(Contents::Gone);
    };
    if candidate.after_row > 0 && file.etag != candidate.object.etag {
        return Ok(Contents::Rejected(changed_file_reason(candidate.after_row)));
    }
    if file.size != *size {
        return Ok(Contents::Gone);
    }
    let (bytes, etag) = (file.bytes, file.etag);
    Ok(match candidate.mode {
        ReadMode::ByHand => Contents::ByHand { bytes, etag },
        _ => Contents::Text { bytes, etag },
    })
}

/// Where an object to be judged is.
#[derive(Clone, Copy)]
pub(super) enum Place<'a> {
    Input,
    Listed(&'a str),
}

impl Place<'_> {
    pub(super) async fn get(
        self,
        store: &impl Store,
        key: &str,
        range: Range<u64>,
    ) -> Result<Option<StoredObject>, StoreError> {
        match self {
            Self::Input => store.get(Bucket::Input, key, Some(range)).await,
            Self::Listed(bucket) => store.get_linked(bucket, key, range).await,
        }
    }
}

async fn read_image(
    store: &impl Store,
    object: &Object,
    large_heads: &LargeHeads,
) -> Result<Contents, StoreError> {
    let part = |range: Range<u64>| Place::Input.get(store, &object.key, range);
    let head = part(0..image::HEAD);
    let tail = async {
        if object.size <= image::HEAD {
            return Ok(None);
        }
        part(object.size.saturating_sub(image::TAIL)..object.size).await
    };
    let (Some(head), tail) = try_join(head, tail).await? else {
        return Ok(Contents::Gone);
    };
    if head.size != object.size {
        return Ok(Contents::Gone);
    }
    judge_image(store, Place::Input, &object.key, head, tail, large_heads).await
}

/// By its two ends; `tail` only where the head is not all of it.
pub(super) async fn judge_image(
    store: &impl Store,
    place: Place<'_>,
    key: &str,
    mut head: StoredObject,
    tail: Option<StoredObject>,
    large_heads: &LargeHeads,
) -> Result<Contents, StoreError> {
    if tail.as_ref().is_some_and(|tail| tail.etag != head.etag) {
        return Ok(Contents::Gone);
    }
    let mut permit = None;
    loop {
        let end = tail.as_ref().map_or(&head.bytes, |tail| &tail.bytes);
        match image::probe(head.size, &head.bytes, end) {
            Probe::Ok(_) => return Ok(Contents::Image { etag: head.etag }),
            Probe::Reject(reason) => return Ok(Contents::Rejected(reason)),
            Probe::NeedHead(bytes) if bytes <= head.bytes.len() as u64 => {
                let reason = "the image's size in pixels is not where it should be: save it again";
                return Ok(Contents::Rejected(reason.to_owned()));
            }
            Probe::NeedHead(bytes) => {
                if permit.is_none() {
                    permit = large_heads.0.acquire().await.ok();
                }
                match place.get(store, key, 0..bytes).await? {
                    Some(more) if more.etag == head.etag => head = more,
                    _ => return Ok(Contents::Gone),
                }
            }
        }
    }
}
