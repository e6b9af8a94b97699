//! Queue messages: a manifest was written, or a job ended and its slot is free.

use std::collections::BTreeMap;

use jiff::Timestamp;
use lambda::event::{QueueMessage, failed_messages};
use lambda::pending_work::{HandledEvents, MessageId, PendingWork};
use serde_json::Value;
use shared::layout;
use shared::name::{BatchNumber, DatasetName};
use shared::port::{Labeling, Store, Topic};

use crate::backlog::start_backlog;
use crate::deps::Deps;
use crate::reconcile::reconcile;

pub(crate) async fn handle_messages<S: Store, L: Labeling, T: Topic>(
    deps: &Deps<S, L, T>,
    messages: Vec<QueueMessage>,
    now: Timestamp,
) -> Value {
    let handled = HandledEvents {
        buckets: &[&deps.stack.output_bucket],
        ended_jobs: true,
    };
    let work = PendingWork::read(messages, handled, &deps.metrics);
    let batches = written_batches(&work);
    let mut failed = work.unreadable;
    // Batches that have waited for a slot come before the new ones.
    if let Some((message, _)) = work.ended.into_iter().find(|(_, job)| job.state.is_terminal()) {
        let all = start_backlog(deps, None, now).await;
        if all.is_err() || all.is_ok_and(|counts| !counts.errors.is_empty()) {
            failed.push(message);
        }
    }
    for ((dataset, batch), message) in batches {
        if let Err(error) = reconcile(deps, &dataset, batch, now).await {
            tracing::error!(%dataset, batch = batch.get(), %error, "reconcile failed; message will be retried");
            failed.push(message);
        }
    }
    failed_messages(failed.iter().map(String::as_str))
}

/// In the order of their numbers, each with one of the messages that name it.
fn written_batches(work: &PendingWork) -> BTreeMap<(DatasetName, BatchNumber), MessageId> {
    let mut batches = BTreeMap::new();
    for (message, object) in &work.dropped {
        if let Some(batch) = layout::parse_manifest(&object.key) {
            batches.entry(batch).or_insert_with(|| message.clone());
        }
    }
    batches
}
