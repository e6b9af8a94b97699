//! The clock: every ended job without an announcement. AWS delivers events of labeling jobs on a best-effort basis, so
//! some never arrive.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use lambda::HandlerError;
use lambda::metric::Metric;
use serde_json::{Value, json};
use shared::documents;
use shared::layout;
use shared::port::{Bucket, JobListing, Labeling, Store, Topic};

use crate::deps::Deps;
use crate::overdue_jobs::count_overdue;
use crate::reconcile::{EndOutcome, ReconcileError, announcement_marker, reconcile};
use crate::worker_counts::count_uncounted;

/// A job fails after 30 days at the latest; the rest is for a sweep that did not run.
const LOOK_BACK: SignedDuration = SignedDuration::from_hours(24 * 45);

pub(crate) async fn sweep<S: Store, L: Labeling, T: Topic>(
    deps: &Deps<S, L, T>,
    now: Timestamp,
) -> Result<Value, HandlerError> {
    let failed = |failed, of, first: &ReconcileError| HandlerError::Sweep {
        failed,
        of,
        first: first.to_string(),
    };
    let since = now.checked_sub(LOOK_BACK).ok();
    let listed = deps.labeling.list(deps.prefix.as_str(), since).await;
    let listed = listed.map_err(|error| failed(1, 1, &error.into()))?;
    let overdue = count_overdue(deps, &listed, now).await;
    deps.metrics.put(&[(Metric::JobsOverdue, overdue)]);
    let jobs = unannounced_jobs(deps, listed).await;
    let jobs = jobs.map_err(|error| failed(1, 1, &error))?;
    let (mut announced, mut errors) = (0, Vec::new());
    for job in &jobs {
        match reconcile(deps, job, now).await {
            Ok(EndOutcome::Announced) => announced += 1,
            Ok(_) => {}
            Err(error) => {
                tracing::error!(job, %error, "reconcile failed; the next sweep tries again");
                errors.push(error);
            }
        }
    }
    count_uncounted(&deps.store).await;
    match errors.first() {
        Some(first) => Err(failed(errors.len(), jobs.len(), first)),
        None => Ok(json!({ "ended": jobs.len(), "announced": announced })),
    }
}

/// The jobs that have ended and have no marker, oldest first: two listings and their difference.
async fn unannounced_jobs<S: Store, L: Labeling, T: Topic>(
    deps: &Deps<S, L, T>,
    listed: Vec<JobListing>,
) -> Result<Vec<String>, ReconcileError> {
    let prefix = layout::notice_marker("jobs/");
    let markers = documents::list_all(&deps.store, Bucket::Output, &prefix).await?;
    let markers: BTreeSet<String> = markers.into_iter().map(|object| object.key).collect();
    let mut unannounced: Vec<String> = listed
        .into_iter()
        .filter(|job| deps.is_ours(&job.name) && job.state.is_terminal())
        .filter(|job| !markers.contains(&announcement_marker(&job.name, job.state)))
        .map(|job| job.name)
        .collect();
    unannounced.reverse();
    Ok(unannounced)
}
