//! The notice protocol: every notice is published at least once and, unless a process is killed between two calls, only
//! once.

use jiff::Timestamp;

use super::digest::{Delivery, DigestGroup, Ledger};
use super::model::{Notice, NoticeMarker};
use crate::documents::{self, DocumentError};
use crate::layout;
use crate::port::{Bucket, NO_LIMIT, PublishError, ReplaceOutcome, Store, StoreError, Topic};

/// What became of a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnnounceOutcome {
    /// It was published now.
    Now,
    /// It waits in the ledger, and is published with the hour's digest.
    InDigest,
    /// It was published or counted earlier.
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

/// Publishes a notice, unless that has been done. Topic and store cannot be changed in one step: a process killed between
/// 3 and 4 publishes twice, with the same id. In the other order, a process killed there would never publish.
///
/// 1. Has it a marker? Then nothing.
/// 2. Count it. Beyond the hourly limit it waits for the hour's digest, and the ledger that says so is written.
/// 3. Publish, unless it waits.
/// 4. Write the marker.
pub async fn announce(
    store: &impl Store,
    topic: &impl Topic,
    notice: &Notice,
    now: Timestamp,
) -> Result<AnnounceOutcome, AnnounceError> {
    if has_marker(store, notice).await? {
        return Ok(AnnounceOutcome::Before);
    }
    let delivery = match notice.kind.digest_group() {
        Some(group) if topic.hourly_limit() < NO_LIMIT => {
            count(store, group, notice, now, topic.hourly_limit()).await?
        }
        _ => Delivery::Alone,
    };
    if delivery == Delivery::InDigest {
        write_marker(store, notice, now).await?;
        return Ok(AnnounceOutcome::InDigest);
    }
    topic.publish(&notice.message()).await?;
    write_marker(store, notice, now).await?;
    Ok(AnnounceOutcome::Now)
}

/// Sends the digest of the hours that are over, if notices wait. Called by the sweep of the group's function.
///
/// 1. Write down which notices it names.
/// 2. Publish it, unless its marker is there, and write the marker.
/// 3. Take it out of the ledger.
pub async fn send_digest(
    store: &impl Store,
    topic: &impl Topic,
    group: DigestGroup,
    now: Timestamp,
) -> Result<bool, AnnounceError> {
    let mut sent = false;
    if topic.hourly_limit() == NO_LIMIT {
        return Ok(sent);
    }
    let key = layout::digest(group.name());
    for _ in 0..documents::ATTEMPTS {
        let before = documents::load_if_readable::<Ledger>(store, &key).await?;
        let Some(ledger) = &before.document else {
            return Ok(sent);
        };
        let mut next = ledger.clone();
        let Some(digest) = next.due_digest(now) else {
            return Ok(sent);
        };
        let notice = Notice::digest(group, digest);
        // Before it is published, so that another attempt publishes the same digest.
        if next != *ledger {
            before.replace(store, &next).await?;
            continue;
        }
        if !has_marker(store, &notice).await? {
            topic.publish(&notice.message()).await?;
            write_marker(store, &notice, now).await?;
            sent = true;
        }
        next.forget_digest();
        if let ReplaceOutcome::Done { .. } = before.replace(store, &next).await? {
            return Ok(true);
        }
    }
    Err(documents::contention_error(&key).into())
}

/// Counts a notice; counted again, it counts once. An unreadable ledger (an admin edited it) is begun again: the markers
/// hold every notice that waited.
async fn count(
    store: &impl Store,
    group: DigestGroup,
    notice: &Notice,
    now: Timestamp,
    hourly_limit: usize,
) -> Result<Delivery, StoreError> {
    let mut delivery = Delivery::Alone;
    documents::update_if_readable(store, &layout::digest(group.name()), |before: Option<&Ledger>| {
        let mut ledger = before.cloned().unwrap_or_else(|| Ledger::new(now));
        delivery = ledger.count(notice, now, hourly_limit);
        Some(ledger)
    })
    .await?;
    Ok(delivery)
}

async fn has_marker(store: &impl Store, notice: &Notice) -> Result<bool, StoreError> {
    documents::exists(store, Bucket::Output, &layout::notice_marker(&notice.id)).await
}

async fn write_marker(store: &impl Store, notice: &Notice, now: Timestamp) -> Result<(), StoreError> {
    let marker = NoticeMarker {
        at: now,
        notice: notice.clone(),
    };
    documents::create_json(store, &layout::notice_marker(&notice.id), &marker).await?;
    Ok(())
}
