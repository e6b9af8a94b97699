//! Where one machine differs from the table, and nowhere else.

use std::time::Duration;

/// How the queues of one machine differ from the table: a person waits in front of it, and an invocation costs nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalTiming {
    /// At most this long in a queue before the first read. Shorter than the quiet period does no harm here: the
    /// reconcile that comes too early writes `check_at`, and the clock looks again at that very time.
    pub longest_delay: Duration,
    /// At most this long waiting for a batch to fill.
    pub longest_window: Duration,
    /// A failed message is read again after this, doubled with each receive (AWS: the whole visibility timeout)...
    pub first_retry: Duration,
    /// ...but no longer than this.
    pub longest_retry: Duration,
}

pub const LOCAL_TIMING: LocalTiming = LocalTiming {
    longest_delay: Duration::from_secs(1),
    longest_window: Duration::from_millis(200),
    first_retry: Duration::from_secs(1),
    longest_retry: Duration::from_secs(60),
};
