//! A batch that has no job yet: why, since when, and a notice where an admin has to do something.

use jiff::Timestamp;
use shared::daily::DailyUnit;
use shared::documents::{self, DocumentError};
use shared::layout;
use shared::name::{BatchNumber, DatasetName, JobName};
use shared::notice::{JobRefusal, Notice, announce};
use shared::port::{Labeling, Store, Topic};
use shared::status::{WaitingBatch, WaitingReason};

use crate::daily_jobs::budget;
use crate::deps::Deps;
use crate::outcome::{StartError, StartOutcome};

/// Why a batch waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WaitCause {
    reason: WaitingReason,
    message: String,
}

impl WaitCause {
    /// Starts by itself, so no notice is published.
    pub(crate) fn full_quota() -> Self {
        let message =
            "as many labeling jobs are running as the account may run at once; it starts when one ends";
        Self {
            reason: WaitingReason::Quota,
            message: message.to_owned(),
        }
    }

    /// The same on every day, so that a batch has waited since its first day.
    pub(crate) fn daily_bound(jobs_per_day: Option<u64>) -> Self {
        let jobs = jobs_per_day.unwrap_or_default();
        Self {
            reason: WaitingReason::DailyBound,
            message: format!(
                "the {jobs} labeling jobs that this stack starts a day (UTC) are used up; it starts by itself on the next day. \
                 For more today, raise the stack's parameter {}",
                DailyUnit::Jobs.parameter()
            ),
        }
    }

    pub(crate) fn refusal(message: String) -> Self {
        Self {
            reason: WaitingReason::Refused,
            message,
        }
    }

    pub(crate) fn name_taken(job: &str, manifest: &str) -> Self {
        let message = format!(
            "a labeling job called {job} exists and is not this batch's, but made from {manifest}: job names are never free again, \
             so deploy the stack with another job prefix"
        );
        Self {
            reason: WaitingReason::NameTaken,
            message,
        }
    }
}

/// Writes `waiting.json` when it says something new, and announces once what an admin has to fix.
pub(crate) async fn record_wait<S: Store, L: Labeling, T: Topic>(
    deps: &Deps<S, L, T>,
    dataset: &DatasetName,
    batch: BatchNumber,
    cause: WaitCause,
    now: Timestamp,
) -> Result<StartOutcome, StartError> {
    let WaitCause { reason, message } = cause;
    let job = JobName::new(&deps.stack.prefix, dataset, batch).to_string();
    tracing::info!(%dataset, batch = batch.get(), job, ?reason, "batch waits for its job");
    let refusal = JobRefusal {
        dataset,
        batch,
        job: &job,
        reason,
        message: &message,
    };
    let notice = match reason {
        WaitingReason::Quota => None,
        WaitingReason::DailyBound => {
            budget(deps.jobs_per_day, now).map(|budget| Notice::daily_bound(&budget, dataset))
        }
        WaitingReason::Refused | WaitingReason::NameTaken => Some(Notice::job_refused(refusal)),
    };
    write_waiting(
        &deps.store,
        dataset,
        batch,
        WaitingBatch {
            job,
            reason,
            message,
            since: now,
        },
    )
    .await?;
    if let Some(notice) = notice {
        announce(&deps.store, &deps.topic, &notice, now).await?;
    }
    Ok(StartOutcome::Waiting(reason))
}

async fn write_waiting(
    store: &impl Store,
    dataset: &DatasetName,
    batch: BatchNumber,
    waiting: WaitingBatch,
) -> Result<(), DocumentError> {
    let key = layout::job_waiting(dataset, batch);
    let snapshot = documents::load_if_readable::<WaitingBatch>(store, &key).await?;
    let says_the_same = |before: &WaitingBatch| {
        let since = waiting.since;
        let before = before.clone();
        WaitingBatch { since, ..before } == waiting
    };
    if !snapshot.document.as_ref().is_some_and(says_the_same) {
        // Changed in between: another process has just written why.
        snapshot.replace(store, &waiting).await?;
    }
    Ok(())
}
