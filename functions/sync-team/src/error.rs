//! Why something is not as it should be yet.

use shared::documents::DocumentError;
use shared::notice::AnnounceError;
use shared::port::crew::CrewError;
use shared::port::{PublishError, StoreError};

/// Trying again goes on where it stopped.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Document(#[from] DocumentError),
    #[error(transparent)]
    Crew(#[from] CrewError),
    #[error(transparent)]
    Publish(#[from] PublishError),
    #[error("{key} changed during each of {attempts} attempts to apply it")]
    TeamFileChanged { key: String, attempts: usize },
    #[error("the workforce is not ready ({0}); the next attempt looks again")]
    WorkforceNotReady(String),
    #[error("the portal has no address yet; the next attempt looks again")]
    NoPortal,
    #[error("{failed} of {of} people failed; the first: {first}")]
    People { failed: usize, of: usize, first: String },
}

impl From<AnnounceError> for SyncError {
    fn from(error: AnnounceError) -> Self {
        match error {
            AnnounceError::Store(error) => Self::Store(error),
            AnnounceError::Publish(error) => Self::Publish(error),
        }
    }
}
