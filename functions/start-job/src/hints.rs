//! Queue messages: a manifest was written, or a job ended and its slot is free.

use std::collections::BTreeMap;

use jiff::Timestamp;
use lambda::event::{Body, Message, failed_messages};
use serde_json::Value;
use shared::layout;
use shared::name::{BatchNumber, DatasetName};
use shared::port::{Labeling, Store, Topic};

use crate::Deps;
use crate::all::start_all;
use crate::start::start;

/// What a batch of messages asks for.
#[derive(Debug, Default)]
struct Asked {
    /// In the order of their numbers, each with the messages that name it.
    batches: BTreeMap<(DatasetName, BatchNumber), String>,
    /// The message that says that a slot is free.
    slot: Option<String>,
    unreadable: Vec<String>,
    /// Events about another bucket.
    foreign: usize,
}

pub(crate) async fn answer<S: Store, L: Labeling, T: Topic>(
    deps: &Deps<S, L, T>,
    messages: Vec<Message>,
    now: Timestamp,
) -> Value {
    let Asked {
        batches,
        slot,
        unreadable: mut failed,
        foreign,
    } = Asked::read(messages, &deps.stack.output_bucket);
    deps.metrics.foreign(foreign);
    // Those that have waited come before the new ones.
    if let Some(message) = slot {
        let all = start_all(deps, None, now).await;
        if all.is_err() || all.is_ok_and(|counts| !counts.errors.is_empty()) {
            failed.push(message);
        }
    }
    for ((dataset, batch), message) in batches {
        if let Err(error) = start(deps, &dataset, batch, now).await {
            tracing::error!(%dataset, batch = batch.get(), %error, "not started; its message comes again");
            failed.push(message);
        }
    }
    failed_messages(failed.iter().map(String::as_str))
}

impl Asked {
    fn read(messages: Vec<Message>, output_bucket: &str) -> Self {
        let mut asked = Self::default();
        for Message {
            id,
            body,
            receive_count,
        } in messages
        {
            match Body::parse(&body) {
                Body::Dropped(dropped) => {
                    let (ours, foreign): (Vec<_>, Vec<_>) =
                        dropped.into_iter().partition(|d| d.bucket == output_bucket);
                    if !foreign.is_empty() {
                        tracing::warn!(why = "another bucket", "dropped an event");
                    }
                    asked.foreign += foreign.len();
                    for batch in ours
                        .iter()
                        .filter_map(|dropped| layout::parse_manifest(&dropped.key))
                    {
                        asked.batches.entry(batch).or_insert_with(|| id.clone());
                    }
                }
                Body::JobEnded(ended) if ended.state.is_terminal() => asked.slot = asked.slot.or(Some(id)),
                Body::JobEnded(_) => tracing::info!(why = "the job goes on", "dropped an event"),
                Body::Nothing(what) => tracing::info!(what, "acknowledged a message that says nothing"),
                Body::Unsupported(what) => {
                    tracing::error!(what, receive_count, "a message goes to the dead letters");
                    asked.unreadable.push(id);
                }
            }
        }
        asked
    }
}
