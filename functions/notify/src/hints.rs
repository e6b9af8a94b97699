//! Queue messages: a labeling job of the account came to an end.

use std::collections::BTreeMap;

use jiff::Timestamp;
use lambda::event::{Body, Message, failed_messages};
use serde_json::Value;
use shared::port::{Labeling, Store, Topic};

use crate::Deps;
use crate::ended::{Ended, ended};
use crate::workers::count_told;

pub(crate) async fn answer<S: Store, L: Labeling, T: Topic>(
    deps: &Deps<S, L, T>,
    messages: Vec<Message>,
    now: Timestamp,
) -> Value {
    let (jobs, mut failed) = read(messages);
    let (mut foreign, mut told) = (0, Vec::new());
    for (job, message) in jobs {
        match ended(deps, &job, now).await {
            Ok(Ended::Foreign) => {
                tracing::info!(why = "somebody else's job", "dropped an event");
                foreign += 1;
            }
            Ok(Ended::Told) => told.push(job),
            Ok(_) => {}
            Err(error) => {
                tracing::error!(job, %error, "an end was not told; its message comes again");
                failed.push(message);
            }
        }
    }
    deps.metrics.foreign(foreign);
    count_told(deps, &told).await;
    failed_messages(failed.iter().map(String::as_str))
}

/// Jobs, each with one of the messages that name it, and the messages nobody can read.
fn read(messages: Vec<Message>) -> (BTreeMap<String, String>, Vec<String>) {
    let (mut jobs, mut unreadable) = (BTreeMap::new(), Vec::new());
    for Message {
        id,
        body,
        receive_count,
    } in messages
    {
        match Body::parse(&body) {
            Body::JobEnded(ended) => {
                jobs.entry(ended.job).or_insert(id);
            }
            Body::Nothing(what) => tracing::info!(what, "acknowledged a message that says nothing"),
            Body::Dropped(_) => tracing::warn!(why = "not about a job", "dropped an event"),
            Body::Unsupported(what) => {
                tracing::error!(what, receive_count, "a message goes to the dead letters");
                unreadable.push(id);
            }
        }
    }
    (jobs, unreadable)
}
