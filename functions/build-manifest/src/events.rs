//! Queue messages: files were dropped. Collapsed to the datasets they are about.

use std::collections::BTreeMap;

use futures::stream::{self, StreamExt};
use jiff::Timestamp;
use lambda::event::{QueueMessage, failed_messages};
use lambda::message_body::CreatedObject;
use lambda::pending_work::{HandledEvents, MessageId, PendingWork};
use serde_json::Value;
use shared::layout::InputKey;
use shared::name::DatasetName;
use shared::port::{Store, Topic};

use crate::deps::Deps;
use crate::misplaced_files::MisplacedFiles;
use crate::reconcile::reconcile;
use crate::sweep::AT_ONCE;

/// What dropped files ask for, each thing with the one message that fails if it fails: dead letters stay few enough to
/// read.
#[derive(Debug, Default)]
struct DroppedFiles {
    datasets: BTreeMap<DatasetName, DatasetEvent>,
    misplaced: BTreeMap<MisplacedFiles, MessageId>,
}

#[derive(Debug)]
struct DatasetEvent {
    message: MessageId,
    /// The latest time at which a file of the dataset was completed.
    latest: Option<Timestamp>,
}

pub(crate) async fn handle_messages<S: Store, T: Topic>(
    deps: &Deps<S, T>,
    messages: Vec<QueueMessage>,
) -> Value {
    let handled = HandledEvents {
        buckets: &[&deps.input_bucket],
        ended_jobs: false,
    };
    let work = PendingWork::read(messages, handled, &deps.metrics);
    let mut failed = work.unreadable;
    let DroppedFiles { datasets, misplaced } = DroppedFiles::of(work.dropped);
    let reconciled = stream::iter(datasets).map(|(dataset, event)| async move {
        let outcome = reconcile(deps, &dataset, event.latest).await;
        outcome.err().map(|error| {
            tracing::error!(%dataset, %error, "reconcile failed; message will be retried");
            event.message
        })
    });
    failed.extend(
        reconciled
            .buffer_unordered(AT_ONCE)
            .filter_map(std::future::ready)
            .collect::<Vec<_>>()
            .await,
    );
    for (misplaced, message) in misplaced {
        if let Err(error) = misplaced.announce(deps).await {
            tracing::error!(%error, "failed to publish notice; message will be retried");
            failed.push(message);
        }
    }
    failed_messages(failed.iter().map(String::as_str))
}

impl DroppedFiles {
    fn of(dropped: Vec<(MessageId, CreatedObject)>) -> Self {
        let mut files = Self::default();
        for (message, object) in dropped {
            files.add(message, &object);
        }
        files
    }

    fn add(&mut self, message: MessageId, object: &CreatedObject) {
        match InputKey::parse(&object.key) {
            InputKey::Team(_) | InputKey::BadTeam(_) | InputKey::TeamsFolder => {}
            InputKey::Spec(dataset) | InputKey::Ready(dataset) => self.add_dataset(dataset, message, None),
            InputKey::Manifest(dataset) | InputKey::File(dataset) => {
                self.add_dataset(dataset, message, object.at);
            }
            InputKey::Loose => self.add_misplaced(MisplacedFiles::loose(&object.key), message),
            InputKey::BadDataset(error) => {
                self.add_misplaced(MisplacedFiles::folder(&object.key, &error), message);
            }
        }
    }

    fn add_dataset(&mut self, dataset: DatasetName, message: MessageId, at: Option<Timestamp>) {
        let event = self.datasets.entry(dataset).or_insert(DatasetEvent {
            message,
            latest: None,
        });
        event.latest = event.latest.max(at);
    }

    fn add_misplaced(&mut self, misplaced: MisplacedFiles, message: MessageId) {
        self.misplaced.entry(misplaced).or_insert(message);
    }
}
