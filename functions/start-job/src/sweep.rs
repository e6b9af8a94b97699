//! The clock: every batch without a job, of all datasets or of some.

use jiff::Timestamp;
use lambda::HandlerError;
use lambda::event::Sweep;
use lambda::metric::{Metric, Metrics};
use serde_json::{Value, json};
use shared::port::{Labeling, Store, Topic};

use crate::backlog::{BacklogCounts, start_backlog};
use crate::deps::Deps;
use crate::outcome::StartError;

pub(crate) async fn sweep<S: Store, L: Labeling, T: Topic>(
    deps: &Deps<S, L, T>,
    which: Sweep,
    now: Timestamp,
) -> Result<Value, HandlerError> {
    let only = match &which {
        Sweep::All => None,
        Sweep::Datasets(names) => Some(names.as_slice()),
    };
    let failure = |failed, of, first: &StartError| HandlerError::Sweep {
        failed,
        of,
        first: first.to_string(),
    };
    let counts = start_backlog(deps, only, now)
        .await
        .map_err(|error| failure(1, 1, &error))?;
    if only.is_none() {
        put_metrics(&deps.metrics, &counts, now);
    }
    match counts.errors.first() {
        Some(first) => Err(failure(counts.errors.len(), counts.without_job, first)),
        None => Ok(json!({
            "without_job": counts.without_job, "started": counts.started, "waiting": counts.waiting,
        })),
    }
}

fn put_metrics(metrics: &Metrics, counts: &BacklogCounts, now: Timestamp) {
    let waiting = u64::try_from(counts.waiting + counts.errors.len()).unwrap_or(u64::MAX);
    let minutes = counts.oldest.map_or(0, |cut| now.duration_since(cut).as_mins());
    metrics.put(&[
        (Metric::BatchesWaiting, waiting),
        (Metric::OldestWaitingMinutes, u64::try_from(minutes).unwrap_or(0)),
    ]);
}
