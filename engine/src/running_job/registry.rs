//! The jobs that run in this engine.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use super::job::RunningJob;
use crate::lock::lock;

/// By name in lower case.
#[derive(Default)]
pub(crate) struct RunningJobs(Mutex<HashMap<String, Arc<RunningJob>>>);

impl RunningJobs {
    pub(crate) fn get(&self, job: &str) -> Option<Arc<RunningJob>> {
        lock(&self.0).get(&job.to_ascii_lowercase()).cloned()
    }

    pub(crate) fn list(&self) -> Vec<Arc<RunningJob>> {
        lock(&self.0).values().cloned().collect()
    }

    pub(crate) fn insert(&self, job: Arc<RunningJob>) {
        lock(&self.0).insert(job.spec.name.to_ascii_lowercase(), job);
    }

    pub(crate) fn remove(&self, job: &str) {
        lock(&self.0).remove(&job.to_ascii_lowercase());
    }
}
