//! The document of one item, and the rules by which it changes. Every change is a pure step on the newest version, written
//! on condition that it still is the newest.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::desk::WorkError;
use crate::worker::{IdentityProvider, Worker};

/// `jobs/<job>/items/<index>.json`. An item that was never handed out has no document.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct ItemRecord {
    pub(crate) leases: Vec<LeaseRecord>,
    pub(crate) answers: Vec<AnswerRecord>,
    /// Worker ids.
    pub(crate) declined: Vec<String>,
    /// The job ended: no more leases or answers.
    #[serde(default)]
    pub(crate) closed: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct LeaseRecord {
    pub(crate) worker: String,
    pub(crate) accepted: Timestamp,
    pub(crate) until: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct AnswerRecord {
    pub(crate) worker: String,
    pub(crate) sub: String,
    pub(crate) issuer: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) provider: Option<IdentityProvider>,
    pub(crate) accepted: Timestamp,
    pub(crate) submitted: Timestamp,
    pub(crate) content: Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ItemProgress {
    /// How many more people can get the item now; 0 while enough people hold it.
    Open { free: u32 },
    /// Enough answers.
    Done,
    /// As many people declined it as were to answer it.
    Failed,
    /// The job ended before there were enough answers.
    Closed,
}

impl ItemRecord {
    pub(crate) fn progress(&self, workers: u32, now: Timestamp) -> ItemProgress {
        let answers = self.answers.len() as u32;
        if answers >= workers {
            return ItemProgress::Done;
        }
        if self.declined.len() as u32 >= workers {
            return ItemProgress::Failed;
        }
        if self.closed {
            return ItemProgress::Closed;
        }
        let leased = self.leases.iter().filter(|lease| lease.until > now).count() as u32;
        ItemProgress::Open {
            free: workers.saturating_sub(answers + leased),
        }
    }

    /// Whether the person has or had the item: a second answer of the same person would not count.
    pub(crate) fn was_given_to(&self, worker: &str, now: Timestamp) -> bool {
        self.answers.iter().any(|answer| answer.worker == worker)
            || self.declined.iter().any(|declined| declined == worker)
            || self.lease_of(worker, now).is_some()
    }

    pub(crate) fn lease_of(&self, worker: &str, now: Timestamp) -> Option<&LeaseRecord> {
        self.leases
            .iter()
            .find(|lease| lease.worker == worker && lease.until > now)
    }

    pub(crate) fn lease(&mut self, worker: &str, now: Timestamp, seconds: u32) {
        self.drop_lease(worker, now);
        let until = now + SignedDuration::from_secs(i64::from(seconds));
        self.leases.push(LeaseRecord {
            worker: worker.to_owned(),
            accepted: now,
            until,
        });
    }

    /// `false` if the answer was submitted before.
    pub(crate) fn submit(
        &mut self,
        worker: &Worker,
        now: Timestamp,
        content: Value,
    ) -> Result<bool, WorkError> {
        if self.answers.iter().any(|answer| answer.worker == worker.id) {
            return Ok(false);
        }
        let accepted = self.require_lease(&worker.id, now)?.accepted;
        self.drop_lease(&worker.id, now);
        self.answers.push(AnswerRecord {
            worker: worker.id.clone(),
            sub: worker.sub.clone(),
            issuer: worker.issuer.clone(),
            provider: Some(worker.provider),
            accepted,
            submitted: now,
            content,
        });
        Ok(true)
    }

    pub(crate) fn decline(&mut self, worker: &str, now: Timestamp) -> Result<bool, WorkError> {
        if self.declined.iter().any(|declined| declined == worker) {
            return Ok(false);
        }
        self.require_lease(worker, now)?;
        self.drop_lease(worker, now);
        self.declined.push(worker.to_owned());
        Ok(true)
    }

    pub(crate) fn release(&mut self, worker: &str, now: Timestamp) -> Result<bool, WorkError> {
        self.require_lease(worker, now)?;
        self.drop_lease(worker, now);
        Ok(true)
    }

    pub(crate) fn close(&mut self) {
        self.leases.clear();
        self.closed = true;
    }

    fn require_lease(&self, worker: &str, now: Timestamp) -> Result<&LeaseRecord, WorkError> {
        match self.lease_of(worker, now) {
            Some(_) if self.closed => Err(WorkError::JobOver),
            Some(lease) => Ok(lease),
            None if self.closed => Err(WorkError::JobOver),
            None => Err(WorkError::NotHeld),
        }
    }

    /// Drops this worker's lease and every expired lease.
    fn drop_lease(&mut self, worker: &str, now: Timestamp) {
        self.leases
            .retain(|lease| lease.worker != worker && lease.until > now);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::worker;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second).unwrap()
    }

    #[test]
    fn a_lease_takes_a_place_until_it_expires() {
        let mut item = ItemRecord::default();
        item.lease("a", at(0), 30);
        assert_eq!(item.progress(1, at(29)), ItemProgress::Open { free: 0 });
        assert_eq!(item.progress(1, at(30)), ItemProgress::Open { free: 1 });
        assert_eq!(
            item.submit(&worker("a"), at(30), json!({})),
            Err(WorkError::NotHeld)
        );
    }

    #[test]
    fn submitting_twice_is_one_answer() {
        let mut item = ItemRecord::default();
        item.lease("a", at(0), 30);
        assert_eq!(item.submit(&worker("a"), at(5), json!(1)), Ok(true));
        assert_eq!(item.submit(&worker("a"), at(6), json!(2)), Ok(false));
        assert_eq!((item.answers.len(), &item.answers[0].content), (1, &json!(1)));
        assert_eq!(item.progress(1, at(6)), ItemProgress::Done);
    }

    #[test]
    fn as_many_declines_as_workers_fail_the_item() {
        let mut item = ItemRecord::default();
        for (second, id) in [(0, "a"), (1, "b")] {
            item.lease(id, at(second), 30);
            assert_eq!(item.decline(id, at(second)), Ok(true));
            assert!(item.was_given_to(id, at(second)));
        }
        assert_eq!(item.progress(3, at(2)), ItemProgress::Open { free: 3 });
        assert_eq!(item.progress(2, at(2)), ItemProgress::Failed);
    }

    #[test]
    fn a_closed_item_takes_no_answer() {
        let mut item = ItemRecord::default();
        item.lease("a", at(0), 30);
        item.close();
        assert_eq!(
            item.submit(&worker("a"), at(1), json!({})),
            Err(WorkError::JobOver)
        );
        assert_eq!(item.progress(1, at(1)), ItemProgress::Closed);
    }

    #[test]
    fn a_released_item_may_be_taken_again() {
        let mut item = ItemRecord::default();
        item.lease("a", at(0), 30);
        assert_eq!(item.release("a", at(1)), Ok(true));
        assert!(!item.was_given_to("a", at(1)));
        assert_eq!(item.release("a", at(1)), Err(WorkError::NotHeld));
    }
}
