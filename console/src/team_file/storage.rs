//! Team files and rosters in S3: read whole, and written only over what was read.

use aws::s3::Buckets;
use aws::s3::admin::WriteCondition;
use shared::crew::{MAX_BYTES, Roster};
use shared::layout;
use shared::name::TeamName;
use shared::port::{Bucket, ReplaceOutcome, Store as _, StoreError, StoredObject};

/// A roster of 10,000 people takes some 3 MB.
pub(crate) const MAX_ROSTER_BYTES: u64 = 16 << 20;
const MAX_FILE_BYTES: u64 = MAX_BYTES as u64;

#[derive(Debug, thiserror::Error)]
pub(crate) enum TeamFileError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("`{0}` is too large to be shown here.")]
    TooLarge(String),
}

/// The team's file, or `None` where there is none.
pub(crate) async fn load(store: &Buckets, team: &TeamName) -> Result<Option<StoredObject>, TeamFileError> {
    read(store, Bucket::Input, layout::team_file(team), MAX_FILE_BYTES).await
}

/// `None` also for one that is unreadable.
pub(crate) async fn load_roster(store: &Buckets, team: &TeamName) -> Result<Option<Roster>, TeamFileError> {
    let roster = read(store, Bucket::Output, layout::roster(team), MAX_ROSTER_BYTES).await?;
    Ok(roster.and_then(|roster| serde_json::from_slice(&roster.bytes).ok()))
}

/// One byte more than is allowed is enough to know that there is too much.
async fn read(
    store: &Buckets,
    bucket: Bucket,
    key: String,
    max_bytes: u64,
) -> Result<Option<StoredObject>, TeamFileError> {
    let object = store.get(bucket, &key, Some(0..max_bytes + 1)).await?;
    match object {
        Some(object) if object.size > max_bytes => Err(TeamFileError::TooLarge(key)),
        object => Ok(object),
    }
}

/// How a save ended.
pub(crate) enum SaveOutcome {
    Saved {
        etag: String,
    },
    /// Another admin saved, made or deleted it meanwhile.
    Changed,
}

/// Writes it only if it is still what was read (`etag`), or, with `None`, only where there is none.
pub(crate) async fn save(
    store: &Buckets,
    team: &TeamName,
    text: Vec<u8>,
    etag: Option<&str>,
) -> Result<SaveOutcome, StoreError> {
    let condition = etag.map_or(WriteCondition::Absent, WriteCondition::Unchanged);
    let key = layout::team_file(team);
    Ok(match store.write(Bucket::Input, &key, text, condition).await? {
        ReplaceOutcome::Done { etag } => SaveOutcome::Saved { etag },
        ReplaceOutcome::Changed => SaveOutcome::Changed,
    })
}
