//! The time, in one place so that tests can move it: passwords, codes, tokens and locks expire by this clock alone.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

#[derive(Default)]
pub(super) struct Time {
    /// Seconds; only tests set it.
    ahead: AtomicU64,
}

impl Time {
    pub(super) fn timestamp(&self) -> Timestamp {
        let ahead = self.ahead.load(Ordering::Relaxed);
        Timestamp::now() + SignedDuration::from_secs(i64::try_from(ahead).unwrap_or_default())
    }

    /// For what lasts only as long as this process.
    pub(super) fn instant(&self) -> Instant {
        Instant::now() + Duration::from_secs(self.ahead.load(Ordering::Relaxed))
    }

    #[cfg(test)]
    pub(super) fn advance(&self, time: Duration) {
        self.ahead.fetch_add(time.as_secs(), Ordering::Relaxed);
    }
}
