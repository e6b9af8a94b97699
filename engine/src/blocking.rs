//! Computing that may take more than a moment: not on the threads that answer people.

use crate::state::StoreError;

pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, StoreError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| StoreError::Failed(format!("a computation broke off: {error}")))
}
