//! The one workforce as this engine last saw it: read again every few seconds, and at once when it is changed here.

use std::sync::{Arc, PoisonError, RwLock};

use crate::state::WorkforceRecord;

/// Cheap to clone; all clones see the same.
#[derive(Clone, Default)]
pub(crate) struct CurrentWorkforce(Arc<RwLock<Option<Arc<WorkforceRecord>>>>);

impl CurrentWorkforce {
    pub(crate) fn get(&self) -> Option<Arc<WorkforceRecord>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set(&self, workforce: Option<WorkforceRecord>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = workforce.map(Arc::new);
    }
}
