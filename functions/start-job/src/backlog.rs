//! The backlog: every batch without a job, oldest first. The clock and a free slot both start it.

use std::collections::BTreeSet;

use jiff::Timestamp;
use shared::documents;
use shared::layout;
use shared::name::{BatchNumber, DatasetName, JobName};
use shared::port::{Bucket, Labeling, Store, StoreError, Topic};
use shared::status::WaitingReason;

use crate::daily_jobs::claimed_jobs;
use crate::deps::Deps;
use crate::outcome::{StartError, StartOutcome};
use crate::reconcile::reconcile;
use crate::wait::{WaitCause, record_wait};

/// What became of the batches without a job.
#[derive(Debug, Default)]
pub struct BacklogCounts {
    pub without_job: usize,
    pub started: usize,
    pub waiting: usize,
    /// When the oldest batch that still has none was cut.
    pub oldest: Option<Timestamp>,
    /// Of starts that did not finish.
    pub errors: Vec<StartError>,
}

/// Starts what can be started. The manifests without `started` are the queue: a message lives for 14 days at most, a full
/// quota may last longer.
///
/// A full quota or a used-up day is so for all, and the rest is only recorded as waiting.
pub async fn start_backlog<S: Store, L: Labeling, T: Topic>(
    deps: &Deps<S, L, T>,
    only: Option<&[DatasetName]>,
    now: Timestamp,
) -> Result<BacklogCounts, StartError> {
    let batches = batches_without_job(&deps.store, only).await?;
    let mut counts = BacklogCounts {
        without_job: batches.len(),
        ..BacklogCounts::default()
    };
    let mut is_quota_full = false;
    // Once the day's jobs are used up: those that were counted already.
    let mut claimed: Option<BTreeSet<String>> = None;
    for (cut, batch, dataset) in batches {
        let job = JobName::new(&deps.stack.prefix, &dataset, batch).to_string();
        let day_is_over = claimed.as_ref().is_some_and(|claimed| !claimed.contains(&job));
        let outcome = if is_quota_full {
            record_wait(deps, &dataset, batch, WaitCause::full_quota(), now).await
        } else if day_is_over {
            let cause = WaitCause::daily_bound(deps.jobs_per_day);
            record_wait(deps, &dataset, batch, cause, now).await
        } else {
            reconcile(deps, &dataset, batch, now).await
        };
        match outcome {
            Ok(StartOutcome::Started) => counts.started += 1,
            Ok(StartOutcome::StartedBefore | StartOutcome::NoBatch) => {}
            Ok(StartOutcome::Waiting(reason)) => {
                is_quota_full |= reason == WaitingReason::Quota;
                if reason == WaitingReason::DailyBound && claimed.is_none() {
                    claimed = Some(claimed_jobs(&deps.store, deps.jobs_per_day, now).await?);
                }
                counts.waiting += 1;
                counts.oldest.get_or_insert(cut);
            }
            Err(error) => {
                tracing::error!(%dataset, batch = batch.get(), %error, "failed to start job; the next sweep tries again");
                counts.errors.push(error);
                counts.oldest.get_or_insert(cut);
            }
        }
    }
    Ok(counts)
}

/// Two listings and their difference: no request per batch. Oldest manifest first, with the time it was written.
async fn batches_without_job(
    store: &impl Store,
    only: Option<&[DatasetName]>,
) -> Result<Vec<(Timestamp, BatchNumber, DatasetName)>, StoreError> {
    let mut started = BTreeSet::new();
    for object in documents::list_all(store, Bucket::Output, "jobs/").await? {
        if object.key.ends_with("/started") {
            started.insert(object.key);
        }
    }
    let mut waiting = Vec::new();
    for object in documents::list_all(store, Bucket::Output, layout::MANIFESTS).await? {
        let Some((dataset, batch)) = layout::parse_manifest(&object.key) else {
            continue;
        };
        let is_wanted = only.is_none_or(|names| names.contains(&dataset));
        if is_wanted && !started.contains(&layout::job_started(&dataset, batch)) {
            waiting.push((object.last_modified, batch, dataset));
        }
    }
    waiting.sort();
    Ok(waiting)
}
