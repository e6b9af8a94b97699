//! How many labeling jobs run at once, kept also by engines that share a store: a job takes its place (its marker) before
//! the others are counted, so that of two that are created at the same moment at least one sees the other. Both may then
//! be refused, which is no harm: whoever creates jobs tries again. Both can never be let in.

use futures::{StreamExt, TryStreamExt, stream};
use jiff::SignedDuration;

use super::error::{ApiError, Result};
use crate::core::Core;
use crate::state::{JobRecord, Marker, StoreError, Stored, keys};

/// What lies between a place and its job are a few requests to the store. After that, nobody is creating it any more.
const CREATING: SignedDuration = SignedDuration::from_secs(60);
const READERS: usize = 16;

/// The place of a job that is being created.
pub(super) struct Place {
    key: String,
    etag: String,
    marker: Marker,
}

/// Takes a place, or gives it back at once and says that there is none.
pub(super) async fn claim(core: &Core, job: &str) -> Result<Place> {
    let place = Place::take(core, keys::unfinished(job)).await?;
    let max = core.rules.max_running_jobs;
    let others = others(core, &place.key).await?;
    if others < max {
        return Ok(place);
    }
    place.give_back(core).await;
    Err(ApiError::limit(format!(
        "The account-level service limit 'Number of concurrent labeling jobs' is {max} Labeling Jobs, with current utilization \
         of {others} Labeling Jobs and a request delta of 1 Labeling Jobs. Wait for a job to end."
    )))
}

impl Place {
    async fn take(core: &Core, key: String) -> Result<Place> {
        let marker = Marker {
            since: Some((core.clock)()),
            given_back: false,
        };
        let etag = match core.documents.create(&key, &marker).await {
            // Left by an attempt that broke off, or of another engine that creates a job of this name right now.
            Err(StoreError::Changed) => core.documents.overwrite(&key, &marker).await?,
            created => created?,
        };
        Ok(Place { key, etag, marker })
    }

    /// The job's document is there. A keeper that found the marker without it may have taken the marker away.
    pub(super) async fn keep(self, core: &Core) -> Result<()> {
        match core.documents.create(&self.key, &self.marker).await {
            Ok(_) | Err(StoreError::Changed) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Not if another engine has taken it over meanwhile. The marker stays for a while; it counts no more.
    async fn give_back(self, core: &Core) {
        let marker = Marker {
            given_back: true,
            ..self.marker
        };
        let given_back = core.documents.replace(&self.key, &marker, &self.etag).await;
        if let Err(error) = given_back {
            tracing::info!(%error, "the place of a job that was refused counts for a minute more");
        }
    }
}

/// Counts jobs that have not ended, by their documents (the marker of an ended job may still be there while its event is on
/// its way, and who gets that event may rightly expect a free place), and places of jobs that are being created.
async fn others(core: &Core, own: &str) -> Result<usize> {
    let markers = core.documents.list(keys::UNFINISHED).await?;
    let others = markers.into_iter().filter(|marker| marker.key != own);
    let counted: Vec<bool> = stream::iter(others)
        .map(|marker| async move { counts(core, &marker.key).await })
        .buffer_unordered(READERS)
        .try_collect()
        .await?;
    Ok(counted.into_iter().filter(|counts| *counts).count())
}

/// A job whose document is damaged cannot run, and takes nobody's place.
async fn counts(core: &Core, marker: &str) -> Result<bool> {
    let job = marker.strip_prefix(keys::UNFINISHED).unwrap_or_default();
    match core.documents.load::<JobRecord>(&keys::job(job)).await {
        Ok(Some(Stored { value, .. })) => return Ok(!value.status.is_terminal()),
        Ok(None) => {}
        Err(StoreError::Unreadable(_)) => return Ok(false),
        Err(error) => return Err(error.into()),
    }
    match core.documents.load::<Marker>(marker).await {
        Ok(found) => Ok(found.is_some_and(|found| found.value.is_younger(CREATING, (core.clock)()))),
        Err(StoreError::Unreadable(_)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
