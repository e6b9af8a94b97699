//! How the reconcile of a dataset ended.

use jiff::Timestamp;
use shared::documents::DocumentError;
use shared::notice::AnnounceError;
use shared::port::StoreError;
use shared::status::DatasetState;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    pub state: DatasetState,
    /// Batches cut by this reconcile.
    pub cut: u32,
    /// Files that no process had looked at although their events should have arrived long before.
    pub without_event: usize,
    /// When looking again can change something, if time alone can.
    pub check_at: Option<Timestamp>,
}

/// Why a reconcile did not finish. Everything written before is true and stays.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Document(#[from] DocumentError),
    #[error(transparent)]
    Announce(#[from] AnnounceError),
}
