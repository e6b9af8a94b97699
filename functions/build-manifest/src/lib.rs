//! `build-manifest` makes it true that every settled item of a dataset is in exactly one batch.

mod batches;
mod cut;
mod cutting;
mod events;
mod fill;
mod look;
mod memory;
mod misplaced;
mod reconcile;
mod rejects;
mod report;
mod spec;
mod sweep;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use aws::s3::Buckets;
use aws::sdk::Sdk;
use aws::topic::SnsTopic;
use lambda::bounds::{bounds, per_day};
use lambda::event::TriggerEvent;
use lambda::metric::Metrics;
use lambda::start::required_variable;
pub use lambda::start::{ConfigError, HandlerError};
use serde_json::Value;
use shared::bounds::Bounds;
use shared::name::DatasetName;
use shared::port::{Store, Topic};

use crate::batches::Batches;
pub use crate::reconcile::{Outcome, ReconcileError, reconcile};

/// What the function works with; the ports are the AWS SDK's unless a test says otherwise.
pub struct Deps<S = Buckets, T = SnsTopic> {
    pub store: S,
    pub topic: T,
    /// Events about another bucket are not ours.
    pub input_bucket: String,
    /// What specs and manifests may ask for.
    pub bounds: Bounds,
    /// Items that batches may take on one day, all datasets together; `None`: as many as there are.
    pub items_per_day: Option<u64>,
    pub metrics: Metrics,
    known: Mutex<BTreeMap<DatasetName, Batches>>,
    remember_every: usize,
}

/// Reads `INPUT_BUCKET`, `OUTPUT_BUCKET`, `NOTICE_TOPIC_ARN`, `ITEMS_PER_DAY` and the stack's other bounds. Makes no AWS call.
pub fn deps(env: &dyn Fn(&str) -> Option<String>, sdk: impl Into<Sdk>) -> Result<Deps, ConfigError> {
    let sdk = sdk.into();
    let input_bucket = required_variable(env, "INPUT_BUCKET")?;
    let output_bucket = required_variable(env, "OUTPUT_BUCKET")?;
    let bounds = bounds(env, &input_bucket, &output_bucket)?;
    let store = Buckets::new(input_bucket.clone(), output_bucket, env, sdk.clone());
    let topic = SnsTopic::new(required_variable(env, "NOTICE_TOPIC_ARN")?, sdk);
    Ok(Deps {
        metrics: Metrics::from_env(env),
        bounds,
        items_per_day: per_day(env, "ITEMS_PER_DAY")?,
        ..Deps::new(store, topic, input_bucket)
    })
}

/// Answers one event.
///
/// Queue messages are hints that something changed in some datasets. A dataset that cannot be brought up to date
/// (throttling, a conflict, a refused call) fails with *one* of its messages, which comes again after the queue's
/// visibility timeout and at last goes to the dead letters; its other messages are acknowledged, and the sweep looks
/// at the dataset anyway. A bad spec, bad files, a gap between batches, a day whose items are used up are states: told once and acknowledged, since
/// the same message again would change nothing. Messages that say nothing are acknowledged; events of an unknown
/// kind or major version fail until they are dead letters, where somebody sees them.
///
/// A sweep fails when any dataset failed, after all the others have been done.
pub async fn handle<S: Store, T: Topic>(deps: &Deps<S, T>, event: Value) -> Result<Value, HandlerError> {
    match TriggerEvent::parse(&event) {
        TriggerEvent::Messages(messages) => Ok(events::handle_messages(deps, messages).await),
        TriggerEvent::Sweep(which) => sweep::answer(deps, which).await,
        TriggerEvent::Unknown => Err(HandlerError::UnknownEvent),
    }
}

impl<S, T> Deps<S, T> {
    pub fn new(store: S, topic: T, input_bucket: String) -> Self {
        Self {
            store,
            topic,
            bounds: Bounds::closed(input_bucket.clone(), String::new()),
            items_per_day: None,
            input_bucket,
            metrics: Metrics::default(),
            known: Mutex::default(),
            remember_every: memory::EVERY,
        }
    }

    /// Writes down what the batches hold after so many new ones, and not after the usual number.
    #[must_use]
    pub fn remembering_every(self, batches: usize) -> Self {
        Self {
            remember_every: batches,
            ..self
        }
    }

    /// What this instance has read of the dataset's batches before; batches never change, so it stays true.
    fn take_known(&self, dataset: &DatasetName) -> Batches {
        self.known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(dataset)
            .unwrap_or_default()
    }

    /// Keeps at most a million keys, 16 bytes each and twice that in a hash set.
    fn keep_known(&self, dataset: &DatasetName, batches: Batches) {
        const KEYS: usize = 1_000_000;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.values().map(Batches::keys).sum::<usize>() + batches.keys() > KEYS {
            known.clear();
        }
        known.insert(dataset.clone(), batches);
    }
}
