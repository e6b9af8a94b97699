//! The document of one data object, and the rules by which it changes. Every change is a pure step on the newest version,
//! written back on condition that it still is the newest.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::types::{IdentityProvider, WorkError, Worker};

/// `jobs/<job>/items/<index>.json`; an object nobody was given yet has none.
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
    /// Answers from before there were two kinds have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) provider: Option<IdentityProvider>,
    pub(crate) accepted: Timestamp,
    pub(crate) submitted: Timestamp,
    pub(crate) content: Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// So many more people can be given the object now; 0 while all places are leased.
    Open { free: u32 },
    /// Enough answers.
    Done,
    /// Declined by as many people as were to answer it.
    Failed,
    /// The job ended before there were enough answers.
    Closed,
}

impl ItemRecord {
    pub(crate) fn standing(&self, workers: u32, now: Timestamp) -> Standing {
        let answers = self.answers.len() as u32;
        if answers >= workers {
            return Standing::Done;
        }
        if self.declined.len() as u32 >= workers {
            return Standing::Failed;
        }
        if self.closed {
            return Standing::Closed;
        }
        let leased = self.leases.iter().filter(|lease| lease.until > now).count() as u32;
        Standing::Open {
            free: workers.saturating_sub(answers + leased),
        }
    }

    /// The person had the object before: a second look by the same person is worth nothing.
    pub(crate) fn knows(&self, worker: &str, now: Timestamp) -> bool {
        self.answers.iter().any(|answer| answer.worker == worker)
            || self.declined.iter().any(|declined| declined == worker)
            || self.held(worker, now).is_some()
    }

    pub(crate) fn held(&self, worker: &str, now: Timestamp) -> Option<&LeaseRecord> {
        self.leases
            .iter()
            .find(|lease| lease.worker == worker && lease.until > now)
    }

    pub(crate) fn lease(&mut self, worker: &str, now: Timestamp, seconds: u32) {
        self.forget(worker, now);
        let until = now + SignedDuration::from_secs(i64::from(seconds));
        self.leases.push(LeaseRecord {
            worker: worker.to_owned(),
            accepted: now,
            until,
        });
    }

    /// `false` if this answer is there already: it was handed in twice.
    pub(crate) fn submit(
        &mut self,
        worker: &Worker,
        now: Timestamp,
        content: Value,
    ) -> Result<bool, WorkError> {
        if self.answers.iter().any(|answer| answer.worker == worker.id) {
            return Ok(false);
        }
        let accepted = self.lease_of(&worker.id, now)?.accepted;
        self.forget(&worker.id, now);
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
        self.lease_of(worker, now)?;
        self.forget(worker, now);
        self.declined.push(worker.to_owned());
        Ok(true)
    }

    pub(crate) fn release(&mut self, worker: &str, now: Timestamp) -> Result<bool, WorkError> {
        self.lease_of(worker, now)?;
        self.forget(worker, now);
        Ok(true)
    }

    pub(crate) fn close(&mut self) {
        self.leases.clear();
        self.closed = true;
    }

    fn lease_of(&self, worker: &str, now: Timestamp) -> Result<&LeaseRecord, WorkError> {
        match self.held(worker, now) {
            Some(_) if self.closed => Err(WorkError::JobOver),
            Some(lease) => Ok(lease),
            None if self.closed => Err(WorkError::JobOver),
            None => Err(WorkError::NotHeld),
        }
    }

    /// Drops this worker's lease and whatever has expired.
    fn forget(&mut self, worker: &str, now: Timestamp) {
        self.leases
            .retain(|lease| lease.worker != worker && lease.until > now);
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::json;

    use super::*;

    pub(crate) fn worker(id: &str) -> Worker {
        Worker {
            id: id.to_owned(),
            sub: format!("sub-{id}"),
            issuer: "https://issuer.example".into(),
            provider: IdentityProvider::Cognito,
            name: id.to_owned(),
            groups: vec!["crew".into()],
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second).unwrap()
    }

    #[test]
    fn a_place_is_taken_by_a_lease_and_freed_by_its_end() {
        let mut item = ItemRecord::default();
        item.lease("a", at(0), 30);
        assert_eq!(item.standing(1, at(29)), Standing::Open { free: 0 });
        assert_eq!(item.standing(1, at(30)), Standing::Open { free: 1 });
        assert_eq!(
            item.submit(&worker("a"), at(30), json!({})),
            Err(WorkError::NotHeld)
        );
    }

    #[test]
    fn handing_in_twice_is_one_answer() {
        let mut item = ItemRecord::default();
        item.lease("a", at(0), 30);
        assert_eq!(item.submit(&worker("a"), at(5), json!(1)), Ok(true));
        assert_eq!(item.submit(&worker("a"), at(6), json!(2)), Ok(false));
        assert_eq!((item.answers.len(), &item.answers[0].content), (1, &json!(1)));
        assert_eq!(item.standing(1, at(6)), Standing::Done);
    }

    #[test]
    fn as_many_declines_as_workers_fail_the_object() {
        let mut item = ItemRecord::default();
        for (second, id) in [(0, "a"), (1, "b")] {
            item.lease(id, at(second), 30);
            assert_eq!(item.decline(id, at(second)), Ok(true));
            assert!(item.knows(id, at(second)));
        }
        assert_eq!(item.standing(3, at(2)), Standing::Open { free: 3 });
        assert_eq!(item.standing(2, at(2)), Standing::Failed);
    }

    #[test]
    fn a_closed_object_takes_nothing_more() {
        let mut item = ItemRecord::default();
        item.lease("a", at(0), 30);
        item.close();
        assert_eq!(
            item.submit(&worker("a"), at(1), json!({})),
            Err(WorkError::JobOver)
        );
        assert_eq!(item.standing(1, at(1)), Standing::Closed);
    }

    #[test]
    fn what_is_given_back_may_be_taken_again() {
        let mut item = ItemRecord::default();
        item.lease("a", at(0), 30);
        assert_eq!(item.release("a", at(1)), Ok(true));
        assert!(!item.knows("a", at(1)));
        assert_eq!(item.release("a", at(1)), Err(WorkError::NotHeld));
    }
}
