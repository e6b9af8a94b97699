//! The limit on labeling jobs that run at once, kept also by engines that share a store. A new job takes a slot (writes its
//! marker) before the others are counted. So if two jobs are created at the same moment, at least one of them sees the other.
//! Both may then be refused, and their clients try again; both can never be admitted.

use futures::{StreamExt, TryStreamExt, stream};
use jiff::SignedDuration;

use super::error::{ApiError, Result};
use crate::core::Core;
use crate::state::{JobRecord, StoreError, StoredDocument, UnfinishedMarker, keys};

/// Between a slot and its job's document are a few requests to the store. A slot older than this was abandoned.
const CREATING: SignedDuration = SignedDuration::from_secs(60);
const READERS: usize = 16;

/// The slot of a job that is being created.
pub(super) struct JobSlot {
    key: String,
    etag: String,
    marker: UnfinishedMarker,
}

/// Takes a slot. If there are too many jobs, gives it back at once and returns the error.
pub(super) async fn claim(core: &Core, job: &str) -> Result<JobSlot> {
    let slot = JobSlot::take(core, keys::unfinished_marker(job)).await?;
    let max = core.operator.max_running_jobs;
    let others = count_others(core, &slot.key).await?;
    if others < max {
        return Ok(slot);
    }
    slot.give_back(core).await;
    Err(ApiError::limit(format!(
        "The account-level service limit 'Number of concurrent labeling jobs' is {max} Labeling Jobs, with current utilization \
         of {others} Labeling Jobs and a request delta of 1 Labeling Jobs. Wait for a job to end."
    )))
}

impl JobSlot {
    async fn take(core: &Core, key: String) -> Result<JobSlot> {
        let marker = UnfinishedMarker {
            since: Some((core.clock)()),
            given_back: false,
        };
        let etag = match core.documents.create(&key, &marker).await {
            // From an attempt that was interrupted, or from another engine that creates a job of this name right now.
            Err(StoreError::Changed) => core.documents.overwrite(&key, &marker).await?,
            created => created?,
        };
        Ok(JobSlot { key, etag, marker })
    }

    /// The job's document is written. A keeper that found the marker without it may have deleted the marker.
    pub(super) async fn keep(self, core: &Core) -> Result<()> {
        match core.documents.create(&self.key, &self.marker).await {
            Ok(_) | Err(StoreError::Changed) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Leaves the marker alone if another engine has taken it over. The marker stays for a while, but is not counted.
    async fn give_back(self, core: &Core) {
        let marker = UnfinishedMarker {
            given_back: true,
            ..self.marker
        };
        let given_back = core.documents.replace(&self.key, &marker, &self.etag).await;
        if let Err(error) = given_back {
            tracing::info!(%error, "slot of a refused job is counted for one more minute");
        }
    }
}

/// Counts jobs that have not ended and jobs that are being created. Whether a job has ended is read from its document: the
/// marker of an ended job may still be there while its event is sent, and a client that gets the event expects a free slot.
async fn count_others(core: &Core, own: &str) -> Result<usize> {
    let markers = core.documents.list(keys::UNFINISHED).await?;
    let others = markers.into_iter().filter(|marker| marker.key != own);
    let counted: Vec<bool> = stream::iter(others)
        .map(|marker| async move { is_counted(core, &marker.key).await })
        .buffer_unordered(READERS)
        .try_collect()
        .await?;
    Ok(counted.into_iter().filter(|is_counted| *is_counted).count())
}

/// A job whose document is damaged cannot run, so it is not counted.
async fn is_counted(core: &Core, marker: &str) -> Result<bool> {
    let job = marker.strip_prefix(keys::UNFINISHED).unwrap_or_default();
    match core.documents.load::<JobRecord>(&keys::job(job)).await {
        Ok(Some(StoredDocument { value, .. })) => return Ok(!value.status.is_terminal()),
        Ok(None) => {}
        Err(StoreError::Unreadable(_)) => return Ok(false),
        Err(error) => return Err(error.into()),
    }
    match core.documents.load::<UnfinishedMarker>(marker).await {
        Ok(marker) => Ok(marker.is_some_and(|marker| marker.value.is_younger(CREATING, (core.clock)()))),
        Err(StoreError::Unreadable(_)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
