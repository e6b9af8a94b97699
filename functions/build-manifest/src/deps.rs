//! What the function works with, from its environment, and what an instance remembers between invocations.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use aws::s3::Buckets;
use aws::sdk::Sdk;
use aws::topic::SnsTopic;
use lambda::ConfigError;
use lambda::bounds::{bounds, per_day};
use lambda::metric::Metrics;
use lambda::start::required_variable;
use shared::bounds::Bounds;
use shared::name::DatasetName;

use crate::batches::Batches;
use crate::memory;

/// What the function works with; the ports are the AWS SDK's unless a test says otherwise.
pub struct Deps<S = Buckets, T = SnsTopic> {
    pub store: S,
    pub topic: T,
    /// Events about another bucket are skipped.
    pub input_bucket: String,
    /// What specs and manifests may ask for.
    pub bounds: Bounds,
    /// Items that batches may take on one day, all datasets together; `None`: as many as there are.
    pub items_per_day: Option<u64>,
    pub metrics: Metrics,
    pub(crate) known: Mutex<BTreeMap<DatasetName, Batches>>,
    pub(crate) remember_every: usize,
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

impl<S, T> Deps<S, T> {
    pub fn new(store: S, topic: T, input_bucket: String) -> Self {
        Self {
            store,
            topic,
            bounds: Bounds::strictest(input_bucket.clone(), String::new()),
            items_per_day: None,
            input_bucket,
            metrics: Metrics::default(),
            known: Mutex::default(),
            remember_every: memory::EVERY,
        }
    }

    /// Writes what the batches hold after so many new ones, and not after the usual number.
    #[must_use]
    pub fn remembering_every(self, batches: usize) -> Self {
        Self {
            remember_every: batches,
            ..self
        }
    }

    /// What this instance has read of the dataset's batches before; batches never change, so it stays true.
    pub(crate) fn take_known(&self, dataset: &DatasetName) -> Batches {
        self.known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(dataset)
            .unwrap_or_default()
    }

    /// Keeps at most a million keys, 16 bytes each and twice that in a hash set.
    pub(crate) fn keep_known(&self, dataset: &DatasetName, batches: Batches) {
        const KEYS: usize = 1_000_000;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.values().map(Batches::keys).sum::<usize>() + batches.keys() > KEYS {
            known.clear();
        }
        known.insert(dataset.clone(), batches);
    }
}
