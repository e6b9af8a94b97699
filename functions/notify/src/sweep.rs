//! The clock: every end that has not been told. Events of labeling jobs are sent as best the service can, so some
//! never come.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use lambda::HandlerError;
use lambda::metric::Metric;
use serde_json::{Value, json};
use shared::port::{Bucket, JobListing, Labeling, Store, StoreError, Topic};

use crate::Deps;
use crate::ended::{EndError, Ended, ended, told_marker};
use crate::overdue::overdue;
use crate::workers::catch_up;

/// A job fails after 30 days at the latest; the rest is for a sweep that did not run.
const LOOK_BACK: SignedDuration = SignedDuration::from_hours(24 * 45);

pub(crate) async fn answer<S: Store, L: Labeling, T: Topic>(
    deps: &Deps<S, L, T>,
    now: Timestamp,
) -> Result<Value, HandlerError> {
    let failed = |failed, of, first: &EndError| HandlerError::Sweep {
        failed,
        of,
        first: first.to_string(),
    };
    let since = now.checked_sub(LOOK_BACK).ok();
    let listed = deps.labeling.list(deps.prefix.as_str(), since).await;
    let listed = listed.map_err(|error| failed(1, 1, &error.into()))?;
    let stuck = overdue(deps, &listed, now).await;
    deps.metrics.put(&[(Metric::JobsOverdue, stuck)]);
    let jobs = untold(deps, listed).await.map_err(|error| failed(1, 1, &error))?;
    let (mut told, mut errors) = (0, Vec::new());
    for job in &jobs {
        match ended(deps, job, now).await {
            Ok(Ended::Told) => told += 1,
            Ok(_) => {}
            Err(error) => {
                tracing::error!(job, %error, "an end was not told; the next sweep tries again");
                errors.push(error);
            }
        }
    }
    catch_up(&deps.store).await;
    match errors.first() {
        Some(first) => Err(failed(errors.len(), jobs.len(), first)),
        None => Ok(json!({ "ended": jobs.len(), "told": told })),
    }
}

/// The jobs that have ended and carry no marker, oldest first: two listings and their difference.
async fn untold<S: Store, L: Labeling, T: Topic>(
    deps: &Deps<S, L, T>,
    listed: Vec<JobListing>,
) -> Result<Vec<String>, EndError> {
    let ended = listed
        .into_iter()
        .filter(|job| deps.is_ours(&job.name) && job.state.is_terminal());
    let told = told(&deps.store).await?;
    let mut untold: Vec<String> = ended
        .filter(|job| !told.contains(&told_marker(&job.name, job.state)))
        .map(|job| job.name)
        .collect();
    untold.reverse();
    Ok(untold)
}

async fn told(store: &impl Store) -> Result<BTreeSet<String>, StoreError> {
    let (mut markers, mut token) = (BTreeSet::new(), None::<String>);
    loop {
        let page = store
            .list(Bucket::Output, "notified/jobs/", false, token.as_deref())
            .await?;
        markers.extend(page.objects.into_iter().map(|object| object.key));
        token = page.next;
        if token.is_none() {
            return Ok(markers);
        }
    }
}
