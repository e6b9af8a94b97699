//! What became of each object of a job.

use std::collections::HashMap;

use jiff::Timestamp;

use super::completed;
use crate::consolidate::{Opinion, Verdict, multi_label, single_label};
use crate::job::Choice;
use crate::state::Counters;
use crate::work::{Answer, Outcome, Running};

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Decision {
    /// Had its label before the job.
    PassedThrough,
    /// One class in single-label tasks; any number, ascending, otherwise.
    Labeled {
        verdicts: Vec<Verdict>,
        at: Timestamp,
    },
    Failed {
        reason: &'static str,
        at: Timestamp,
    },
    Unlabeled,
}

/// What is made of objects that have not got all their answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rest {
    /// Nothing: the job goes on, was stopped, or reached its limit.
    Unlabeled,
    /// Their time is over: those with any answer are consolidated from what there is, the others have failed.
    /// (Developer guide, "Annotation consolidation": the function runs when all workers are done or the task expired.)
    Expired,
}

const DECLINED: &str = "The task was declined by as many workers as were to answer it.";
const DAMAGED: &str = "The stored answers to this object were damaged and cannot be read.";
const EXPIRED: &str = "The task expired before any worker answered it.";

/// Weighs all answers of the job together: who is careful shows over all objects.
pub(crate) fn decide(job: &Running, rest: Rest) -> Vec<Decision> {
    let expiry = job.opened + jiff::SignedDuration::from_secs(i64::from(job.spec.availability));
    let mut decisions = Vec::new();
    let mut answered: Vec<(usize, Vec<Answer>)> = Vec::new();
    for (position, outcome) in job.index().outcomes().enumerate() {
        decisions.push(match outcome {
            Outcome::PassedThrough => Decision::PassedThrough,
            Outcome::Failed(answers) => Decision::Failed {
                reason: DECLINED,
                at: completed(answers).unwrap_or(job.opened),
            },
            Outcome::Damaged => Decision::Failed {
                reason: DAMAGED,
                at: job.opened,
            },
            Outcome::Done(answers) => {
                answered.push((position, answers.to_vec()));
                Decision::Unlabeled
            }
            Outcome::Open(answers) if rest == Rest::Expired && !answers.is_empty() => {
                answered.push((position, answers));
                Decision::Unlabeled
            }
            Outcome::Open(_) if rest == Rest::Expired => Decision::Failed {
                reason: EXPIRED,
                at: expiry,
            },
            Outcome::Open(_) => Decision::Unlabeled,
        });
    }
    for ((position, answers), verdicts) in answered.iter().zip(weigh(job, &answered)) {
        let at = completed(answers).unwrap_or(job.opened);
        decisions[*position] = Decision::Labeled { verdicts, at };
    }
    decisions
}

pub(crate) fn counters(decisions: &[Decision]) -> Counters {
    let count =
        |which: fn(&Decision) -> bool| decisions.iter().filter(|decision| which(decision)).count() as u32;
    let human = count(|decision| matches!(decision, Decision::Labeled { .. }));
    Counters {
        total_labeled: human + count(|decision| matches!(decision, Decision::PassedThrough)),
        human_labeled: human,
        failed: count(|decision| matches!(decision, Decision::Failed { .. })),
        unlabeled: count(|decision| matches!(decision, Decision::Unlabeled)),
    }
}

fn weigh(job: &Running, answered: &[(usize, Vec<Answer>)]) -> Vec<Vec<Verdict>> {
    let mut workers: HashMap<&str, u32> = HashMap::new();
    let opinions: Vec<Vec<Opinion>> = answered
        .iter()
        .map(|(_, answers)| {
            answers
                .iter()
                .map(|answer| opinion(&mut workers, answer))
                .collect()
        })
        .collect();
    let classes = job.categories.names().len();
    match job.spec.task.choice() {
        Choice::One => single_label(&opinions, classes)
            .into_iter()
            .map(|verdict| verdict.into_iter().collect())
            .collect(),
        Choice::Several => multi_label(&opinions, classes),
    }
}

/// Gives workers numbers.
fn opinion<'a>(workers: &mut HashMap<&'a str, u32>, answer: &'a Answer) -> Opinion {
    let next = workers.len() as u32;
    Opinion {
        worker: *workers.entry(answer.person.id.as_str()).or_insert(next),
        classes: answer.classes.to_vec(),
    }
}
