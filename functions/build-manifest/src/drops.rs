//! Queue messages, each a hint that files were dropped: collapsed to the datasets they are about.

use std::collections::BTreeMap;

use futures::stream::{self, StreamExt};
use jiff::Timestamp;
use lambda::event::{Body, Dropped, Message, failed_messages};
use serde_json::Value;
use shared::layout::InputKey;
use shared::name::DatasetName;
use shared::port::{Store, Topic};

use crate::Deps;
use crate::misplaced::Misplaced;
use crate::reconcile::reconcile;
use crate::sweep::AT_ONCE;

/// What a batch of messages asks for.
#[derive(Debug, Default)]
struct Asked {
    datasets: BTreeMap<DatasetName, Hint>,
    misplaced: BTreeMap<Misplaced, String>,
    /// Messages that only the dead letters can be the end of.
    unreadable: Vec<String>,
    /// Events about another bucket.
    foreign: usize,
}

/// One message stands for all that name the dataset, so that dead letters stay few enough to read.
#[derive(Debug)]
struct Hint {
    message: String,
    latest: Option<Timestamp>,
}

pub(crate) async fn answer<S: Store, T: Topic>(deps: &Deps<S, T>, messages: Vec<Message>) -> Value {
    let Asked {
        datasets,
        misplaced,
        unreadable: mut failed,
        foreign,
    } = Asked::read(messages, &deps.input_bucket);
    deps.metrics.foreign(foreign);
    let reconciled = stream::iter(datasets).map(|(dataset, hint)| async move {
        let outcome = reconcile(deps, &dataset, hint.latest).await;
        outcome.err().map(|error| {
            tracing::error!(%dataset, %error, "not brought up to date; its message comes again");
            hint.message
        })
    });
    failed.extend(
        reconciled
            .buffer_unordered(AT_ONCE)
            .filter_map(std::future::ready)
            .collect::<Vec<_>>()
            .await,
    );
    for (what, message) in misplaced {
        if let Err(error) = what.tell(deps).await {
            tracing::error!(%error, "a notice did not leave; its message comes again");
            failed.push(message);
        }
    }
    failed_messages(failed.iter().map(String::as_str))
}

impl Asked {
    fn read(messages: Vec<Message>, input_bucket: &str) -> Self {
        let mut asked = Self::default();
        for Message {
            id,
            body,
            receive_count,
        } in messages
        {
            match Body::parse(&body) {
                Body::Dropped(dropped) => dropped
                    .into_iter()
                    .for_each(|d| asked.dropped(&d, &id, input_bucket)),
                Body::Nothing(what) => tracing::info!(what, "acknowledged a message that says nothing"),
                Body::JobEnded(_) => tracing::warn!(why = "not about files", "dropped an event"),
                Body::Unsupported(what) => {
                    tracing::error!(what, receive_count, "a message goes to the dead letters");
                    asked.unreadable.push(id);
                }
            }
        }
        asked
    }

    fn dropped(&mut self, dropped: &Dropped, message: &str, input_bucket: &str) {
        if dropped.bucket != input_bucket {
            tracing::warn!(why = "another bucket", "dropped an event");
            self.foreign += 1;
            return;
        }
        match InputKey::parse(&dropped.key) {
            InputKey::Team(_) | InputKey::BadTeam(_) | InputKey::TeamsFolder => {}
            InputKey::Spec(dataset) | InputKey::Ready(dataset) => self.ask(dataset, message, None),
            InputKey::Manifest(dataset) | InputKey::File(dataset) => self.ask(dataset, message, dropped.at),
            InputKey::Loose => {
                self.misplaced
                    .entry(Misplaced::loose(&dropped.key))
                    .or_insert_with(|| message.to_owned());
            }
            InputKey::BadDataset(error) => {
                let what = Misplaced::folder(&dropped.key, &error);
                self.misplaced.entry(what).or_insert_with(|| message.to_owned());
            }
        }
    }

    fn ask(&mut self, dataset: DatasetName, message: &str, at: Option<Timestamp>) {
        let hint = self.datasets.entry(dataset);
        let hint = hint.or_insert_with(|| Hint {
            message: message.to_owned(),
            latest: None,
        });
        hint.latest = hint.latest.max(at);
    }
}
