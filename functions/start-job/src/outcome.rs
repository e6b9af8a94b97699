//! How the start of a batch's job ended.

use shared::documents::DocumentError;
use shared::notice::AnnounceError;
use shared::port::{LabelingError, StoreError};
use shared::status::WaitingReason;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartOutcome {
    /// The batch has its job now.
    Started,
    /// It had it before.
    StartedBefore,
    /// There is no such batch.
    NoBatch,
    /// It has to wait.
    Waiting(WaitingReason),
}

/// Why a start did not finish. Calling it again goes on where it stopped.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Document(#[from] DocumentError),
    #[error(transparent)]
    Labeling(#[from] LabelingError),
    #[error(transparent)]
    Announce(#[from] AnnounceError),
}
