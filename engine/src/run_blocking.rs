//! Runs a computation that may take longer than a moment, away from the threads that serve requests.

use crate::state::StoreError;

pub(crate) async fn run_blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, StoreError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| StoreError::Failed(format!("a computation panicked: {error}")))
}
