//! What time it is, asked in one place, so that tests can move it: what runs out (passwords, codes, tokens, locks) runs
//! out by this clock alone.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

#[derive(Default)]
pub(super) struct Time {
    /// Seconds; only a test puts any here.
    ahead: AtomicU64,
}

impl Time {
    pub(super) fn now(&self) -> Timestamp {
        let ahead = self.ahead.load(Ordering::Relaxed);
        Timestamp::now() + SignedDuration::from_secs(i64::try_from(ahead).unwrap_or_default())
    }

    /// For what lives as long as this process.
    pub(super) fn instant(&self) -> Instant {
        Instant::now() + Duration::from_secs(self.ahead.load(Ordering::Relaxed))
    }

    #[cfg(test)]
    pub(super) fn pass(&self, time: Duration) {
        self.ahead.fetch_add(time.as_secs(), Ordering::Relaxed);
    }
}
