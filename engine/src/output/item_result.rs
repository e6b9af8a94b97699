//! The result of each item of a job.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::consolidate::{ConsolidatedAnnotation, WorkerAnnotation, consolidate};
use crate::run_blocking::run_blocking;
use crate::running_job::{ItemState, RunningJob, WorkerAnswer, last_submission};
use crate::state::{Counters, StoreError};

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ItemResult {
    /// Had its label before the job.
    PassedThrough,
    Labeled {
        annotation: ConsolidatedAnnotation,
        at: Timestamp,
    },
    Failed {
        reason: &'static str,
        at: Timestamp,
    },
    Unlabeled,
}

/// What becomes of items that do not have all their answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IncompletePolicy {
    /// They stay unlabeled: the job goes on, was stopped, or reached its limit.
    LeaveUnlabeled,
    /// Their time is over. Items with at least one answer are consolidated from what there is, the others have failed.
    /// (Developer guide, "Annotation consolidation": the function runs when all workers are done or the task expired.)
    Expire,
}

const DECLINED: &str = "The task was declined by as many workers as were to answer it.";
const DAMAGED: &str = "The stored answers to this object were damaged and cannot be read.";
const EXPIRED: &str = "The task expired before any worker answered it.";

/// The results of all items. Consolidation is arithmetic that may take a second.
pub(crate) async fn item_results(
    job: &Arc<RunningJob>,
    policy: IncompletePolicy,
) -> Result<Arc<Vec<ItemResult>>, StoreError> {
    let job = job.clone();
    run_blocking(move || Arc::new(compute(&job, policy))).await
}

fn compute(job: &RunningJob, policy: IncompletePolicy) -> Vec<ItemResult> {
    let expiry = job.opened + SignedDuration::from_secs(i64::from(job.spec.availability));
    let mut results = Vec::new();
    let mut answered: Vec<(usize, Vec<WorkerAnswer>)> = Vec::new();
    for (position, state) in job.index().states().enumerate() {
        results.push(match state {
            ItemState::PassedThrough => ItemResult::PassedThrough,
            ItemState::Failed(answers) => ItemResult::Failed {
                reason: DECLINED,
                at: last_submission(answers).unwrap_or(job.opened),
            },
            ItemState::Damaged => ItemResult::Failed {
                reason: DAMAGED,
                at: job.opened,
            },
            ItemState::Done(answers) => {
                answered.push((position, answers.to_vec()));
                ItemResult::Unlabeled
            }
            ItemState::Open(answers) if policy == IncompletePolicy::Expire && !answers.is_empty() => {
                answered.push((position, answers));
                ItemResult::Unlabeled
            }
            ItemState::Open(_) if policy == IncompletePolicy::Expire => ItemResult::Failed {
                reason: EXPIRED,
                at: expiry,
            },
            ItemState::Open(_) => ItemResult::Unlabeled,
        });
    }
    let annotations = consolidate_answers(job, &answered);
    for ((position, answers), annotation) in answered.iter().zip(annotations) {
        let at = last_submission(answers).unwrap_or(job.opened);
        results[*position] = ItemResult::Labeled { annotation, at };
    }
    results
}

fn consolidate_answers(
    job: &RunningJob,
    answered: &[(usize, Vec<WorkerAnswer>)],
) -> Vec<ConsolidatedAnnotation> {
    let by_worker = |answer| {
        let WorkerAnswer {
            person, annotation, ..
        }: &WorkerAnswer = answer;
        WorkerAnnotation {
            worker: &person.id,
            annotation,
        }
    };
    let items: Vec<Vec<WorkerAnnotation<'_>>> = answered
        .iter()
        .map(|(_, answers)| answers.iter().map(by_worker).collect())
        .collect();
    consolidate(job.spec.task, job.categories.names().len(), &items)
}

pub(crate) fn counters(results: &[ItemResult]) -> Counters {
    let count = |is_counted: fn(&ItemResult) -> bool| {
        results.iter().filter(|result| is_counted(result)).count() as u32
    };
    let human = count(|result| matches!(result, ItemResult::Labeled { .. }));
    Counters {
        total_labeled: human + count(|result| matches!(result, ItemResult::PassedThrough)),
        human_labeled: human,
        failed: count(|result| matches!(result, ItemResult::Failed { .. })),
        unlabeled: count(|result| matches!(result, ItemResult::Unlabeled)),
    }
}
