//! What every operation of the labeling API works on.

use std::sync::Arc;

use tokio::sync::Mutex;
use tokio_util::sync::DropGuard;

use crate::core::Core;

/// Cheap to clone.
#[derive(Clone)]
pub(crate) struct Api {
    pub(super) core: Arc<Core>,
    /// Creating a job counts the running ones first: one at a time.
    pub(super) creating: Arc<Mutex<()>>,
    /// The engine runs as long as its API exists.
    _alive: Arc<DropGuard>,
}

impl Api {
    pub(crate) fn new(core: Arc<Core>, alive: Arc<DropGuard>) -> Api {
        Api {
            core,
            creating: Arc::default(),
            _alive: alive,
        }
    }
}
