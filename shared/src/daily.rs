//! What one day may cost: items and jobs are claimed in a document of the UTC day before they are made, so that
//! several invocations together never make more than the operator allows.
//!
//! A claim is named after its batch: another attempt at the same batch, after a lost response or a crash, does not
//! count it twice. A crash between the claim and what it is for costs that claim, and never makes more than was claimed.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::port::{Store, StoreError};
use crate::{documents, layout};

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DailyUnit {
    /// Items in batches: build-manifest.
    Items,
    /// Labeling jobs: start-job.
    Jobs,
}

impl DailyUnit {
    /// The folder of its documents, and the word people read.
    pub fn name(self) -> &'static str {
        match self {
            Self::Items => "items",
            Self::Jobs => "jobs",
        }
    }

    /// The stack's parameter that bounds it.
    pub fn parameter(self) -> &'static str {
        match self {
            Self::Items => "ItemsPerDay",
            Self::Jobs => "JobsPerDay",
        }
    }
}

/// So many of a unit on one day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DailyBudget {
    pub unit: DailyUnit,
    pub most: u64,
    /// `2026-12-01`, in UTC.
    pub day: String,
    /// When the next day begins.
    pub ends: Timestamp,
}

/// A part of the day's budget, for one batch.
#[derive(Clone, Copy, Debug)]
pub struct ClaimRequest<'a> {
    /// Names the batch. The same name again is the same claim; of two amounts the larger counts.
    pub name: &'a str,
    pub amount: u64,
    /// Names the invocation, where it may release the claim: a claim counts until all its holders have released it.
    pub holder: Option<&'a str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClaimOutcome {
    Granted,
    /// It does not fit into the day.
    Refused,
}

/// `daily/<unit>/<day>.json`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct DailyLedger {
    claims: BTreeMap<String, Claim>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Claim {
    amount: u64,
    #[serde(skip_serializing_if = "BTreeSet::is_empty", default)]
    holders: BTreeSet<String>,
}

impl DailyLedger {
    /// What a claim of this name may be at most: what it has already is not in its own way.
    fn remainder(&self, most: u64, name: &str) -> u64 {
        let others = self.claims.iter().filter(|(claimed, _)| *claimed != name);
        let others = others.fold(0_u64, |sum, (_, claim)| sum.saturating_add(claim.amount));
        most.saturating_sub(others)
    }

    fn claim(&mut self, most: u64, request: &ClaimRequest<'_>) -> ClaimOutcome {
        if request.amount > self.remainder(most, request.name) {
            return ClaimOutcome::Refused;
        }
        let claim = self.claims.entry(request.name.to_owned()).or_default();
        claim.amount = claim.amount.max(request.amount);
        claim.holders.extend(request.holder.map(str::to_owned));
        ClaimOutcome::Granted
    }

    fn release(&mut self, name: &str, holder: &str) {
        if let Some(claim) = self.claims.get_mut(name)
            && claim.holders.remove(holder)
            && claim.holders.is_empty()
        {
            self.claims.remove(name);
        }
    }
}

impl DailyBudget {
    /// Of the day in which this is; `None` where the operator sets no bound.
    pub fn new(unit: DailyUnit, most: Option<u64>, now: Timestamp) -> Option<Self> {
        const DAY: SignedDuration = SignedDuration::from_hours(24);
        let day = now.as_second().div_euclid(DAY.as_secs());
        let ends = Timestamp::from_second(day.saturating_add(1).saturating_mul(DAY.as_secs()));
        Some(Self {
            unit,
            most: most?,
            day: now.to_zoned(TimeZone::UTC).date().to_string(),
            ends: ends.unwrap_or(Timestamp::MAX),
        })
    }

    /// How much a claim of this name may be.
    pub async fn remainder(&self, store: &impl Store, name: &str) -> Result<u64, StoreError> {
        Ok(self.load(store).await?.remainder(self.most, name))
    }

    /// Names of everything claimed on the day.
    pub async fn claims(&self, store: &impl Store) -> Result<BTreeSet<String>, StoreError> {
        Ok(self.load(store).await?.claims.into_keys().collect())
    }

    /// Claims a part of the day. What is granted stays so, whatever is asked next. After a lost response the document
    /// that is read again shows the claim, and nothing is left to write.
    pub async fn claim(
        &self,
        store: &impl Store,
        request: &ClaimRequest<'_>,
    ) -> Result<ClaimOutcome, StoreError> {
        let mut outcome = ClaimOutcome::Refused;
        documents::update(store, &self.key(), |before: Option<&DailyLedger>| {
            let mut ledger = before.cloned().unwrap_or_default();
            outcome = ledger.claim(self.most, request);
            (outcome == ClaimOutcome::Granted).then_some(ledger)
        })
        .await?;
        Ok(outcome)
    }

    /// What the claim was for is surely not made by this holder. Others who hold it keep it.
    pub async fn release(&self, store: &impl Store, name: &str, holder: &str) -> Result<(), StoreError> {
        documents::update(store, &self.key(), |before: Option<&DailyLedger>| {
            let mut ledger = before?.clone();
            ledger.release(name, holder);
            Some(ledger)
        })
        .await?;
        Ok(())
    }

    fn key(&self) -> String {
        layout::daily_ledger(self.unit.name(), &self.day)
    }

    /// An unreadable ledger is an error: better no more on this day than without a bound.
    async fn load(&self, store: &impl Store) -> Result<DailyLedger, StoreError> {
        let snapshot = documents::load(store, &self.key()).await?;
        Ok(snapshot.document.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(name: &str, amount: u64) -> ClaimRequest<'_> {
        ClaimRequest {
            name,
            amount,
            holder: None,
        }
    }

    fn claim_request<'a>(name: &'a str, holder: &'a str) -> ClaimRequest<'a> {
        ClaimRequest {
            name,
            amount: 1,
            holder: Some(holder),
        }
    }

    #[test]
    fn a_day_begins_at_midnight_utc() {
        for (now, day, ends) in [
            ("2026-12-01T00:00:00Z", "2026-12-01", "2026-12-02T00:00:00Z"),
            ("2026-12-01T23:59:59Z", "2026-12-01", "2026-12-02T00:00:00Z"),
            ("2026-12-31T12:00:00Z", "2026-12-31", "2027-01-01T00:00:00Z"),
        ] {
            let budget = DailyBudget::new(DailyUnit::Items, Some(1), now.parse().unwrap()).unwrap();
            assert_eq!(
                (budget.day.as_str(), budget.ends),
                (day, ends.parse().unwrap()),
                "{now}"
            );
        }
        assert_eq!(DailyBudget::new(DailyUnit::Items, None, Timestamp::now()), None);
    }

    #[test]
    fn claims_add_up_to_the_bound_and_no_further() {
        let mut ledger = DailyLedger::default();
        assert_eq!(ledger.claim(10, &request("a/1", 7)), ClaimOutcome::Granted);
        assert_eq!(ledger.claim(10, &request("b/1", 4)), ClaimOutcome::Refused);
        assert_eq!(ledger.remainder(10, "b/1"), 3);
        assert_eq!(ledger.claim(10, &request("b/1", 3)), ClaimOutcome::Granted);
        assert_eq!(ledger.remainder(10, "c/1"), 0);
    }

    #[test]
    fn a_batch_that_claimed_is_not_counted_twice() {
        let mut ledger = DailyLedger::default();
        ledger.claim(10, &request("a/1", 7));
        assert_eq!(ledger.remainder(10, "a/1"), 10, "its own claim is not in its way");
        assert_eq!(ledger.claim(10, &request("a/1", 9)), ClaimOutcome::Granted);
        assert_eq!(ledger.claim(10, &request("a/1", 2)), ClaimOutcome::Granted);
        assert_eq!(
            ledger.remainder(10, "b/1"),
            1,
            "the largest that was claimed counts"
        );
    }

    #[test]
    fn a_released_claim_counts_while_another_invocation_holds_it() {
        let mut ledger = DailyLedger::default();
        ledger.claim(1, &claim_request("j", "first"));
        ledger.claim(1, &claim_request("j", "second"));
        ledger.release("j", "first");
        ledger.release("j", "first");
        assert_eq!(ledger.remainder(1, "k"), 0);
        ledger.release("j", "second");
        assert_eq!(ledger.remainder(1, "k"), 1);
        assert_eq!(ledger, DailyLedger::default());
    }
}
