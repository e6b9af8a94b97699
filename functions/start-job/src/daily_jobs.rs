//! The day's jobs: one is claimed before its job is created, and released if the service surely made none.

use std::collections::BTreeSet;

use jiff::Timestamp;
use shared::daily::{ClaimOutcome, ClaimRequest, DailyBudget, DailyUnit};
use shared::port::{Store, StoreError};
use uuid::Uuid;

/// A claim of one invocation for one job.
pub(crate) struct JobClaim<'a> {
    budget: Option<DailyBudget>,
    job: &'a str,
    holder: String,
}

impl<'a> JobClaim<'a> {
    /// `None`: the day's jobs are used up. A job that was claimed before, on the same day, needs no second claim.
    pub(crate) async fn make(
        store: &impl Store,
        jobs_per_day: Option<u64>,
        job: &'a str,
        now: Timestamp,
    ) -> Result<Option<Self>, StoreError> {
        let claim = Self {
            budget: budget(jobs_per_day, now),
            job,
            holder: Uuid::new_v4().to_string(),
        };
        let Some(budget) = &claim.budget else {
            return Ok(Some(claim));
        };
        let request = ClaimRequest {
            name: job,
            amount: 1,
            holder: Some(&claim.holder),
        };
        Ok(match budget.claim(store, &request).await? {
            ClaimOutcome::Granted => Some(claim),
            ClaimOutcome::Refused => None,
        })
    }

    /// No job was made. Batches that are refused day after day would otherwise use up what others need. Not worth
    /// failing for: a claim that stays costs one job of this day.
    pub(crate) async fn release(self, store: &impl Store) {
        let Some(budget) = &self.budget else { return };
        if let Err(error) = budget.release(store, self.job, &self.holder).await {
            tracing::warn!(job = self.job, %error, "failed to release the claim of a job that was not started");
        }
    }
}

pub(crate) fn budget(jobs_per_day: Option<u64>, now: Timestamp) -> Option<DailyBudget> {
    DailyBudget::new(DailyUnit::Jobs, jobs_per_day, now)
}

/// Jobs that still may be started once the day's are used up: they are counted already.
pub(crate) async fn claimed_jobs(
    store: &impl Store,
    jobs_per_day: Option<u64>,
    now: Timestamp,
) -> Result<BTreeSet<String>, StoreError> {
    match budget(jobs_per_day, now) {
        Some(budget) => budget.claims(store).await,
        None => Ok(BTreeSet::new()),
    }
}
