//! Queue messages: a labeling job of the account ended.

use std::collections::BTreeMap;

use jiff::Timestamp;
use lambda::event::{QueueMessage, failed_messages};
use lambda::pending_work::{HandledEvents, MessageId, PendingWork};
use serde_json::Value;
use shared::port::{Labeling, Store, Topic};

use crate::deps::Deps;
use crate::reconcile::{EndOutcome, reconcile};
use crate::worker_counts::count_announced;

const HANDLED: HandledEvents<'static> = HandledEvents {
    buckets: &[],
    ended_jobs: true,
};

pub(crate) async fn handle_messages<S: Store, L: Labeling, T: Topic>(
    deps: &Deps<S, L, T>,
    messages: Vec<QueueMessage>,
    now: Timestamp,
) -> Value {
    let work = PendingWork::read(messages, HANDLED, &deps.metrics);
    let mut failed = work.unreadable;
    // One message for each job.
    let mut jobs = BTreeMap::<String, MessageId>::new();
    for (message, ended) in work.ended {
        jobs.entry(ended.job).or_insert(message);
    }
    let (mut foreign, mut announced) = (0, Vec::new());
    for (job, message) in jobs {
        match reconcile(deps, &job, now).await {
            Ok(EndOutcome::Foreign) => {
                tracing::info!(reason = "a job of another stack", "event skipped");
                foreign += 1;
            }
            Ok(EndOutcome::Announced) => announced.push(job),
            Ok(_) => {}
            Err(error) => {
                tracing::error!(job, %error, "reconcile failed; message will be retried");
                failed.push(message);
            }
        }
    }
    deps.metrics.count_foreign_events(foreign);
    count_announced(deps, &announced).await;
    failed_messages(failed.iter().map(String::as_str))
}
