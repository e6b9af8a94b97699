//! The batching protocol against a store in memory, fault by fault. All times are the store's.

mod changed_files;
mod cut;
mod daily_bound;
mod events;
mod faults;
mod large;
mod linking;
mod logging;
mod memory;
mod rejects;

use serde_json::{Value, json};
use shared::name::DatasetName;
use shared::port::Bucket;
use shared::status::{DatasetState, DatasetStatus};
use testkit::{FakeMetrics, FakeStore, FakeTopic};

use crate::{Deps, Outcome, reconcile};

const SPEC: &str = "\
task: text-classification
labels: [Even, Odd]
team: numbers-team
title: Even or odd?
batch: {quiet: 2m, max_wait: 1h, max_items: 5}
";

const ROWS: &str = "\
task: text-classification
labels: [Even, Odd]
team: numbers-team
title: Even or odd?
text: {split: row, column: n}
batch: {quiet: 2m, max_wait: 1h, max_items: 5}
";

/// One dataset, `d`, and what looks after it.
struct World {
    store: FakeStore,
    topic: FakeTopic,
    metrics: FakeMetrics,
    deps: Deps<FakeStore, FakeTopic>,
}

impl World {
    fn new() -> Self {
        let store = FakeStore::at("2026-11-21T10:00:00Z");
        let topic = FakeTopic::default();
        let metrics = FakeMetrics::default();
        let deps = Deps {
            metrics: metrics.metrics(),
            ..Deps::new(store.clone(), topic.clone(), "in".to_owned())
        };
        Self {
            store,
            topic,
            metrics,
            deps,
        }
    }

    /// With a spec, and so many text files dropped now.
    fn with_files(spec: &str, files: usize) -> Self {
        let world = Self::new();
        world.store.drop_file("d/labeling.yaml", spec);
        (0..files).for_each(|n| world.store.drop_file(&format!("d/{n:03}.txt"), n.to_string()));
        world
    }

    /// Another instance of the function, which knows nothing yet.
    fn another(&self) -> Deps<FakeStore, FakeTopic> {
        Deps::new(self.store.clone(), self.topic.clone(), "in".to_owned())
    }

    async fn reconcile(&self) -> Outcome {
        reconcile(&self.deps, &d(), None).await.unwrap()
    }

    async fn after(&self, seconds: i64) -> Outcome {
        self.store.pass(seconds);
        self.reconcile().await
    }

    fn status(&self) -> DatasetStatus {
        serde_json::from_str(&self.store.output("status/d.json").unwrap()).unwrap()
    }

    /// Keys (and rows) of the items of each batch.
    fn batches(&self) -> Vec<Vec<String>> {
        let manifests = self.store.outputs("manifests/d/");
        manifests
            .iter()
            .map(|key| items(&self.store.output(key).unwrap()))
            .collect()
    }

    fn notice_kinds(&self) -> Vec<String> {
        self.topic
            .messages()
            .iter()
            .map(|message| message.attributes["kind"].clone())
            .collect()
    }
}

fn d() -> DatasetName {
    DatasetName::new("d").unwrap()
}

fn items(manifest: &str) -> Vec<String> {
    let item = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap();
        let origin = &line["groundcrew"];
        let row = origin["row"]
            .as_u64()
            .map(|row| format!("#{row}"))
            .unwrap_or_default();
        format!("{}{row}", origin["key"].as_str().unwrap())
    };
    manifest.lines().map(item).collect()
}

fn keys(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|n| format!("d/{n:03}.txt")).collect()
}
