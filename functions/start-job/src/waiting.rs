//! A batch that has no job yet: why, since when, and who has to do something.

use jiff::Timestamp;
use shared::daily::DailyUnit;
use shared::layout;
use shared::name::{BatchNumber, DatasetName, JobName};
use shared::notice::{JobRefusal, Notice, announce};
use shared::port::{Bucket, Labeling, Store, StoreError, Topic};
use shared::status::{WaitingBatch, WaitingReason};

use crate::Deps;
use crate::daily_jobs::budget;
use crate::start::{StartError, Started};

/// Why a batch waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cause {
    reason: WaitingReason,
    message: String,
}

impl Cause {
    /// Starts by itself, so nobody is told.
    pub(crate) fn quota() -> Self {
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

    pub(crate) fn refused(message: String) -> Self {
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

/// Writes `waiting.json` when it says something new, and tells once what somebody has to mend.
pub(crate) async fn wait<S: Store, L: Labeling, T: Topic>(
    deps: &Deps<S, L, T>,
    dataset: &DatasetName,
    batch: BatchNumber,
    cause: Cause,
    now: Timestamp,
) -> Result<Started, StartError> {
    let Cause { reason, message } = cause;
    let job = JobName::new(&deps.stack.prefix, dataset, batch).to_string();
    tracing::info!(%dataset, batch = batch.get(), job, ?reason, "the batch waits for its job");
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
    write(
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
    Ok(Started::Waits(reason))
}

async fn write(
    store: &impl Store,
    dataset: &DatasetName,
    batch: BatchNumber,
    waiting: WaitingBatch,
) -> Result<(), StoreError> {
    let key = layout::job_waiting(dataset, batch);
    let there = store.get(Bucket::Output, &key, None).await?;
    let before: Option<WaitingBatch> = there
        .as_ref()
        .and_then(|there| serde_json::from_slice(&there.bytes).ok());
    if before.is_some_and(|before| {
        WaitingBatch {
            since: waiting.since,
            ..before
        } == waiting
    }) {
        return Ok(());
    }
    let body = serde_json::to_vec_pretty(&waiting).unwrap_or_default();
    // Changed meanwhile: another instance has just said why.
    store
        .replace(&key, body, there.as_ref().map(|there| there.etag.as_str()))
        .await?;
    Ok(())
}
