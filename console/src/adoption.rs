//! Hands a group and a work team that others made over to the team of their name. Only an operator can: no function may
//! write the document that says so.

use aws::s3::Buckets;
use aws::s3::admin::WriteCondition;
use jiff::Timestamp;
use shared::layout;
use shared::name::TeamName;
use shared::port::{Bucket, ReplaceOutcome, Store as _, StoreError};

#[derive(Debug, thiserror::Error)]
pub enum AdoptionError {
    #[error(
        "there is no `{0}` in the input bucket: only a team with a file can take over a group and a work team"
    )]
    NoTeamFile(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// When sync-team takes them over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdoptionTime {
    Now,
    NextSweep,
}

pub async fn adopt_team(
    store: &Buckets,
    team: &TeamName,
    now: Timestamp,
) -> Result<AdoptionTime, AdoptionError> {
    let key = layout::team_file(team);
    let Some(file) = store.get(Bucket::Input, &key, None).await? else {
        return Err(AdoptionError::NoTeamFile(key));
    };
    // sync-team follows a document once: with the time in it, this one differs from earlier ones.
    let document = format!("{now}\n").into_bytes();
    let adopted = layout::adoption(team);
    store
        .write(Bucket::Output, &adopted, document, WriteCondition::None)
        .await?;
    // The file written again has an event, and sync-team does not wait for the sweep. It is no failure if this admin may
    // not write team files.
    let unchanged = WriteCondition::Unchanged(&file.etag);
    let rewritten = store.write(Bucket::Input, &key, file.bytes, unchanged).await;
    Ok(match rewritten {
        Ok(ReplaceOutcome::Done { .. }) => AdoptionTime::Now,
        Ok(ReplaceOutcome::Changed) | Err(_) => AdoptionTime::NextSweep,
    })
}
