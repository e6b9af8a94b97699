//! Metrics that are kept, not written.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use lambda::metric::{Metric, Metrics};

/// What a function counted; clones are the same.
#[derive(Clone, Debug, Default)]
pub struct FakeMetrics(Arc<Mutex<Vec<Value>>>);

impl FakeMetrics {
    /// To be handed to the function.
    pub fn metrics(&self) -> Metrics {
        let lines = self.0.clone();
        Metrics::written_by("function", move |line| {
            let line = serde_json::from_str(line).unwrap_or_default();
            lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        })
    }

    /// Every value this metric was given, in order.
    pub fn values(&self, metric: Metric) -> Vec<u64> {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines
            .iter()
            .filter_map(|line| line[metric.name()].as_u64())
            .collect()
    }
}
