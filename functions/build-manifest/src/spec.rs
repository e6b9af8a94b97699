//! The spec as it is in the input bucket, and what it allows the next batch.

use shared::bounds::{Bounds, BoundsError};
use shared::layout::{self, SPEC_FILE};
use shared::name::DatasetName;
use shared::port::{Bucket, Store, StoreError};
use shared::spec::{MAX_BYTES, Spec, SpecError};

use crate::batches::Batches;
use crate::folder_listing::FolderListing;

/// A spec as it is in the input bucket.
pub(crate) struct ReadSpec {
    pub(crate) spec: Spec,
    pub(crate) sha256: String,
    pub(crate) text: Vec<u8>,
}

impl ReadSpec {
    /// Items one batch may hold.
    pub(crate) fn batch_limit(&self) -> usize {
        let limit = self.spec.batch.max_items.min(self.spec.task.info().max_items);
        usize::try_from(limit).unwrap_or(usize::MAX)
    }

    /// Items the next batch may hold: `select.limit` counts over all batches.
    pub(crate) fn room(&self, batches: &Batches) -> u64 {
        let left = self
            .spec
            .select
            .limit
            .map_or(u64::MAX, |limit| limit.saturating_sub(batches.items));
        left.min(self.batch_limit() as u64)
    }
}

/// Why there is no usable spec.
pub(crate) enum NoSpec {
    Absent,
    Bad { error: SpecError, sha256: String },
}

pub(crate) async fn read(
    store: &impl Store,
    bounds: &Bounds,
    dataset: &DatasetName,
    listing: &FolderListing,
) -> Result<Result<ReadSpec, NoSpec>, StoreError> {
    if !listing.spec_there {
        return Ok(Err(NoSpec::Absent));
    }
    // One byte more than a spec may have: enough to see that it has too many.
    let range = 0..MAX_BYTES as u64 + 1;
    let Some(file) = store
        .get(Bucket::Input, &layout::spec_input(dataset), Some(range))
        .await?
    else {
        return Ok(Err(NoSpec::Absent));
    };
    let sha256 = Spec::sha256(&file.bytes);
    let spec = Spec::parse(&file.bytes);
    let allowed = spec.and_then(|spec| match bounds.check(&spec, dataset) {
        Ok(()) => Ok(spec),
        Err(error) => Err(not_allowed(error, &file.bytes)),
    });
    Ok(match allowed {
        Ok(spec) => Ok(ReadSpec {
            spec,
            sha256,
            text: file.bytes,
        }),
        Err(error) => Err(NoSpec::Bad { error, sha256 }),
    })
}

/// At the line where the key begins, if it has one of its own.
fn not_allowed(error: BoundsError, text: &[u8]) -> SpecError {
    let BoundsError { key, message, hint } = error;
    let begins = |line: &[u8]| {
        line.strip_prefix(key.as_bytes())
            .is_some_and(|rest| rest.starts_with(b":"))
    };
    let mut lines = text.split(|&byte| byte == b'\n').zip(1_u64..);
    let line = lines.find(|(line, _)| begins(line)).map(|(_, number)| number);
    SpecError {
        file: SPEC_FILE.to_owned(),
        line,
        column: line.map(|_| 1),
        message,
        hint: Some(hint),
        excerpt: None,
    }
}
