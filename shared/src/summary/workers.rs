//! `results/<dataset>/<n>/workers.json`: how much each person answered of one batch. Who a person is, other documents say:
//! here is no address, only the ids the labeling service writes.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Beside `summary.json`, in the folder of the batch's results.
pub const WORKERS_FILE: &str = "workers.json";
/// Worker responses counted of one job: one an item, and no job of the supported tasks has more items.
pub const MOST_RESPONSES: u64 = 100_000;

/// Created once, when the job has ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Workers {
    pub job: String,
    /// Worker responses read: one an item.
    pub responses: u64,
    /// Those of them that are unreadable.
    #[serde(skip_serializing_if = "super::is_zero", default)]
    pub unreadable: u64,
    /// There are more than [`MOST_RESPONSES`]; the rest is not counted.
    #[serde(default)]
    pub cut: bool,
    /// Most answers first.
    pub workers: Vec<WorkerTotals>,
}

/// What one person did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorkerTotals {
    /// The labeling service's id of the worker.
    pub worker: String,
    /// The `sub` the person signs in with; absent in workforces that have none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sub: Option<String>,
    pub answers: u64,
    /// From accepting to submitting, in all.
    pub seconds: f64,
    /// The last submission.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub last: Option<Timestamp>,
}

/// Adds up worker responses one by one; memory grows with the people, not with the items.
#[derive(Debug, Default)]
pub struct WorkTally {
    responses: u64,
    unreadable: u64,
    people: HashMap<String, WorkerTotals>,
    /// Item the last response was of, and the answers seen of it.
    item: String,
    seen: HashSet<(String, Option<Timestamp>)>,
}

impl WorkTally {
    /// One file of worker responses. The files of an item follow each other: an answer that is in several of them
    /// counts once.
    pub fn add(&mut self, item: &str, response: &[u8]) {
        self.responses += 1;
        if self.item != item {
            item.clone_into(&mut self.item);
            self.seen.clear();
        }
        let Ok(Response { answers }) = serde_json::from_slice(response) else {
            self.unreadable += 1;
            return;
        };
        for answer in answers {
            if self
                .seen
                .insert((answer.worker_id.clone(), answer.submission_time))
            {
                self.count(answer);
            }
        }
    }

    /// A response that is there and cannot be had.
    pub fn add_unreadable(&mut self) {
        self.responses += 1;
        self.unreadable += 1;
    }

    fn count(&mut self, answer: WorkerAnswer) {
        let sub = answer.worker_metadata.identity_data.sub;
        let key = sub.clone().unwrap_or_else(|| answer.worker_id.clone());
        let person = self.people.entry(key).or_insert_with(|| WorkerTotals {
            worker: answer.worker_id,
            sub,
            answers: 0,
            seconds: 0.0,
            last: None,
        });
        person.answers += 1;
        person.seconds += answer.time_spent_in_seconds.max(0.0);
        person.last = person.last.max(answer.submission_time);
    }

    pub fn finish(self, job: &str, cut: bool) -> Workers {
        let mut workers: Vec<WorkerTotals> = self.people.into_values().collect();
        for worked in &mut workers {
            worked.seconds = (worked.seconds * 1000.0).round() / 1000.0;
        }
        workers.sort_by(|a, b| b.answers.cmp(&a.answers).then_with(|| a.worker.cmp(&b.worker)));
        Workers {
            job: job.to_owned(),
            responses: self.responses,
            unreadable: self.unreadable,
            cut,
            workers,
        }
    }
}

/// As the labeling service writes it.
/// <https://docs.aws.amazon.com/sagemaker/latest/dg/sms-data-output.html>
#[derive(Deserialize)]
struct Response {
    answers: Vec<WorkerAnswer>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WorkerAnswer {
    #[serde(default)]
    submission_time: Option<Timestamp>,
    #[serde(default)]
    time_spent_in_seconds: f64,
    worker_id: String,
    #[serde(default)]
    worker_metadata: Metadata,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    #[serde(default)]
    identity_data: Identity,
}

#[derive(Default, Deserialize)]
struct Identity {
    #[serde(default)]
    sub: Option<String>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answer(worker: &str, sub: Option<&str>, at: &str, seconds: f64) -> serde_json::Value {
        let metadata =
            sub.map(|sub| json!({"identityData": {"identityProviderType": "Cognito", "sub": sub}}));
        json!({
            "acceptanceTime": at, "submissionTime": at, "timeSpentInSeconds": seconds,
            "answerContent": {"crowd-classifier": {"label": "Even"}}, "workerId": worker,
            "workerMetadata": metadata.unwrap_or_else(|| json!({})),
        })
    }

    fn response(answers: &[serde_json::Value]) -> Vec<u8> {
        json!({ "answers": answers }).to_string().into_bytes()
    }

    #[test]
    fn answers_seconds_and_the_last_submission_are_added_up_by_person() {
        let mut tally = WorkTally::default();
        let ana = |at| answer("private.a", Some("sub-a"), at, 1.25);
        let bo = answer("private.b", Some("sub-b"), "2026-11-21T09:00:00Z", 2.0);
        tally.add("0", &response(&[ana("2026-11-21T10:00:00Z"), bo]));
        tally.add("1", &response(&[ana("2026-11-21T08:00:00.500Z")]));
        let workers = tally.finish("job", false);
        assert_eq!((workers.responses, workers.unreadable), (2, 0));
        let of = |n: usize| {
            let w = &workers.workers[n];
            (
                w.sub.as_deref(),
                w.answers,
                w.seconds,
                w.last.map(|t| t.to_string()),
            )
        };
        assert_eq!(
            of(0),
            (Some("sub-a"), 2, 2.5, Some("2026-11-21T10:00:00Z".into()))
        );
        assert_eq!(
            of(1),
            (Some("sub-b"), 1, 2.0, Some("2026-11-21T09:00:00Z".into()))
        );
    }

    #[test]
    fn an_answer_that_two_files_of_an_item_hold_counts_once() {
        let mut tally = WorkTally::default();
        let first = answer("private.a", Some("sub-a"), "2026-11-21T10:00:00Z", 1.0);
        let second = answer("private.b", Some("sub-b"), "2026-11-21T10:01:00Z", 1.0);
        tally.add("iteration-1/0", &response(std::slice::from_ref(&first)));
        tally.add("iteration-1/0", &response(&[first.clone(), second]));
        tally.add("iteration-1/1", &response(&[first]));
        let answers: Vec<u64> = tally
            .finish("job", false)
            .workers
            .iter()
            .map(|w| w.answers)
            .collect();
        assert_eq!(answers, [2, 1]);
    }

    #[test]
    fn what_is_not_what_it_should_be_is_counted_as_unreadable_and_stops_nothing() {
        let mut tally = WorkTally::default();
        tally.add("0", b"{broken");
        tally.add("1", b"[]");
        tally.add_unreadable();
        tally.add(
            "2",
            &response(&[answer("public.x", None, "2026-11-21T10:00:00Z", -3.0)]),
        );
        let workers = tally.finish("job", true);
        assert_eq!((workers.responses, workers.unreadable, workers.cut), (4, 3, true));
        let worked = &workers.workers[0];
        assert_eq!(
            (worked.worker.as_str(), worked.sub.as_deref(), worked.seconds),
            ("public.x", None, 0.0)
        );
    }

    #[test]
    fn it_reads_back_as_it_was_written() {
        let mut tally = WorkTally::default();
        tally.add(
            "0",
            &response(&[answer("a", Some("s"), "2026-11-21T10:00:00Z", 1.0)]),
        );
        let workers = tally.finish("job", false);
        let json = serde_json::to_string(&workers).unwrap();
        assert_eq!(serde_json::from_str::<Workers>(&json).unwrap(), workers);
        assert!(!json.contains('@'), "{json}");
    }
}
