//! Waiting on a level: look again until it holds, at most so long, and say what was seen last.

use std::fmt::Debug;
use std::future::Future;
use std::time::{Duration, Instant};

const PAUSE: Duration = Duration::from_millis(50);

/// Looks every 50 ms until `look` answers `Ok`, and gives up after `limit` with the last `Err`.
pub async fn until<T, S: Debug, F: Future<Output = Result<T, S>>>(
    what: &str,
    limit: Duration,
    mut look: impl FnMut() -> F,
) -> T {
    let start = Instant::now();
    loop {
        match look().await {
            Ok(value) => return value,
            Err(seen) if start.elapsed() > limit => {
                panic!("{what}: not within {limit:?}; last seen: {seen:?}")
            }
            Err(_) => tokio::time::timeout(PAUSE, std::future::pending::<()>())
                .await
                .unwrap_or(()),
        }
    }
}
