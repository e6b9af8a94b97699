//! Every batch without a job, oldest first: what the clock and a free slot ask for.

use std::collections::BTreeSet;

use jiff::Timestamp;
use lambda::HandlerError;
use lambda::metric::{Metric, Metrics};
use serde_json::{Value, json};
use shared::layout;
use shared::name::{BatchNumber, DatasetName, JobName};
use shared::port::{Bucket, Labeling, Object, Store, StoreError, Topic};
use shared::status::WaitingReason;

use crate::Deps;
use crate::daily_jobs::claimed_jobs;
use crate::start::{StartError, Started, start};
use crate::waiting::{Cause, wait};

/// What came of the batches that had no job.
#[derive(Debug, Default)]
pub struct Counts {
    pub without_job: usize,
    pub started: usize,
    pub waiting: usize,
    /// When the oldest of those that have none still was cut.
    pub oldest: Option<Timestamp>,
    /// Those that did not come to their end.
    pub errors: Vec<StartError>,
}

pub(crate) async fn answer<S: Store, L: Labeling, T: Topic>(
    deps: &Deps<S, L, T>,
    only: Option<&[DatasetName]>,
    now: Timestamp,
) -> Result<Value, HandlerError> {
    let sweep = |failed, of, first: &StartError| HandlerError::Sweep {
        failed,
        of,
        first: first.to_string(),
    };
    let counts = start_all(deps, only, now)
        .await
        .map_err(|error| sweep(1, 1, &error))?;
    if only.is_none() {
        count(&deps.metrics, &counts, now);
    }
    match counts.errors.first() {
        Some(first) => Err(sweep(counts.errors.len(), counts.without_job, first)),
        None => Ok(json!({
            "without_job": counts.without_job, "started": counts.started, "waiting": counts.waiting,
        })),
    }
}

fn count(metrics: &Metrics, counts: &Counts, now: Timestamp) {
    let waiting = u64::try_from(counts.waiting + counts.errors.len()).unwrap_or(u64::MAX);
    let minutes = counts.oldest.map_or(0, |cut| now.duration_since(cut).as_mins());
    metrics.put(&[
        (Metric::BatchesWaiting, waiting),
        (Metric::OldestWaitingMinutes, u64::try_from(minutes).unwrap_or(0)),
    ]);
}

/// Starts what can be started. A manifest without `started` is the queue: a message lives for 14 days at most, a
/// full quota may last longer.
///
/// Once the quota or the day is full it is full for all, so the rest is only written down as waiting.
pub async fn start_all<S: Store, L: Labeling, T: Topic>(
    deps: &Deps<S, L, T>,
    only: Option<&[DatasetName]>,
    now: Timestamp,
) -> Result<Counts, StartError> {
    let batches = without_job(&deps.store, only).await?;
    let mut counts = Counts {
        without_job: batches.len(),
        ..Counts::default()
    };
    let mut full = false;
    // Once the day's jobs are used up: those that were counted already.
    let mut claimed: Option<BTreeSet<String>> = None;
    for (cut, batch, dataset) in batches {
        let job = JobName::new(&deps.stack.prefix, &dataset, batch).to_string();
        let day_is_over = claimed.as_ref().is_some_and(|claimed| !claimed.contains(&job));
        let started = if full {
            wait(deps, &dataset, batch, Cause::quota(), now).await
        } else if day_is_over {
            wait(deps, &dataset, batch, Cause::daily_bound(deps.jobs_per_day), now).await
        } else {
            start(deps, &dataset, batch, now).await
        };
        match started {
            Ok(Started::Now) => counts.started += 1,
            Ok(Started::Before | Started::NoBatch) => {}
            Ok(Started::Waits(reason)) => {
                full |= reason == WaitingReason::Quota;
                if reason == WaitingReason::DailyBound && claimed.is_none() {
                    claimed = Some(claimed_jobs(&deps.store, deps.jobs_per_day, now).await?);
                }
                counts.waiting += 1;
                counts.oldest.get_or_insert(cut);
            }
            Err(error) => {
                tracing::error!(%dataset, batch = batch.get(), %error, "not started; tried again later");
                counts.errors.push(error);
                counts.oldest.get_or_insert(cut);
            }
        }
    }
    Ok(counts)
}

/// Two listings and their difference: no request per batch. Oldest manifest first, with the time it was written.
async fn without_job(
    store: &impl Store,
    only: Option<&[DatasetName]>,
) -> Result<Vec<(Timestamp, BatchNumber, DatasetName)>, StoreError> {
    let mut started = BTreeSet::new();
    for object in list_all(store, "jobs/").await? {
        if object.key.ends_with("/started") {
            started.insert(object.key);
        }
    }
    let mut waiting = Vec::new();
    for object in list_all(store, layout::MANIFESTS).await? {
        let Some((dataset, batch)) = layout::parse_manifest(&object.key) else {
            continue;
        };
        let asked_for = only.is_none_or(|names| names.contains(&dataset));
        if asked_for && !started.contains(&layout::job_started(&dataset, batch)) {
            waiting.push((object.last_modified, batch, dataset));
        }
    }
    waiting.sort();
    Ok(waiting)
}

pub(crate) async fn list_all(store: &impl Store, prefix: &str) -> Result<Vec<Object>, StoreError> {
    let (mut objects, mut token) = (Vec::new(), None::<String>);
    loop {
        let page = store
            .list(Bucket::Output, prefix, false, token.as_deref())
            .await?;
        objects.extend(page.objects);
        token = page.next;
        if token.is_none() {
            return Ok(objects);
        }
    }
}
