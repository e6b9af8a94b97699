//! What people are told, in the one readable and the one machine form, and the protocol that tells them at least
//! once and, but for a crash between two calls, only once.

mod daily_bound;
mod digest;
mod message;
mod misplaced;
mod team;
mod tell;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::documents::DocumentError;
use crate::port::{Bucket, PublishError, Store, StoreError, Topic};
use crate::{documents, layout};
use digest::Leave;

pub use digest::{Desk, HOURLY, UNBOUNDED, send_digest};
pub use team::TeamCause;
pub use tell::{JobRefusal, Links, quoted, reject_advice, shown, taking_out};

/// One thing to tell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    /// Stable: the same cause always has the same id, so that a subscriber can drop a repetition. Also the last
    /// part of the marker's key: `[a-z0-9./-]`, at most 512 bytes.
    pub id: String,
    pub kind: NoticeKind,
    /// Empty where it is about a team.
    pub dataset: String,
    /// The team it is about.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub team: Option<String>,
    /// At most 100 ASCII characters, no line break: SNS's limit for an e-mail subject.
    pub subject: String,
    /// Plain text for people, lines of at most 78 characters where the content allows.
    pub text: String,
    /// For programs; goes out as the `default` (JSON) form.
    pub detail: serde_json::Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NoticeKind {
    JobCompleted,
    JobFailed,
    JobStopped,
    JobRefused,
    SpecRejected,
    FilesRejected,
    DatasetHalted,
    /// The day's items or jobs are used up.
    DailyBound,
    /// The team file cannot be used at all.
    TeamRejected,
    /// Addresses or groups in it that cannot be served; the others are.
    TeamProblems,
    /// The workforce or the work team cannot be made as it is.
    TeamRefused,
    WorkerJoined,
    /// Somebody on no list has signed up or signed in.
    WorkerUnlisted,
    /// What came beyond the number that leave one by one in an hour.
    Digest,
}

/// A notice as SNS takes it.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    pub subject: String,
    /// `MessageStructure=json`: `default` holds the JSON form, `email` the readable one.
    pub body: String,
    /// String attributes for subscription filters: `id`, `kind`, `dataset` or `team`.
    pub attributes: BTreeMap<&'static str, String>,
}

/// The marker under `notified/`: the notice, and when it went out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Notified {
    pub at: Timestamp,
    #[serde(flatten)]
    pub notice: Notice,
}

/// Whether anything had to be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Announced {
    Now,
    /// It is in the ledger, and leaves with the hour's digest.
    InDigest,
    Before,
}

#[derive(Debug, thiserror::Error)]
pub enum AnnounceError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Publish(#[from] PublishError),
}

impl From<DocumentError> for AnnounceError {
    fn from(error: DocumentError) -> Self {
        Self::Store(error.into())
    }
}

/// The notice protocol. Two systems cannot be changed in one step, so a crash between 2 and 3 says it twice, with
/// the same id; the other order would, in the same crash, never say it.
///
/// 1. Said already? Then nothing.
/// 2. Count it. Beyond so many an hour it waits for the hour's digest, and the ledger that says so is written.
/// 3. Publish, unless it waits.
/// 4. Write the marker.
pub async fn announce(
    store: &impl Store,
    topic: &impl Topic,
    notice: &Notice,
    now: Timestamp,
) -> Result<Announced, AnnounceError> {
    if is_marked(store, notice).await? {
        return Ok(Announced::Before);
    }
    let leave = match notice.kind.desk() {
        Some(desk) if topic.hourly() < UNBOUNDED => {
            digest::enter(store, desk, notice, now, topic.hourly()).await?
        }
        _ => Leave::Alone,
    };
    if leave == Leave::InDigest {
        mark(store, notice, now).await?;
        return Ok(Announced::InDigest);
    }
    topic.publish(&notice.message()).await?;
    mark(store, notice, now).await?;
    Ok(Announced::Now)
}

async fn is_marked(store: &impl Store, notice: &Notice) -> Result<bool, StoreError> {
    documents::exists(store, Bucket::Output, &layout::notified(&notice.id)).await
}

async fn mark(store: &impl Store, notice: &Notice, now: Timestamp) -> Result<(), StoreError> {
    let notified = Notified {
        at: now,
        notice: notice.clone(),
    };
    documents::create_json(store, &layout::notified(&notice.id), &notified).await?;
    Ok(())
}

#[cfg(test)]
mod tests;
