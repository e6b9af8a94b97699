//! The time of day, handed in so that tests can move it.

use std::sync::Arc;

use jiff::Timestamp;

pub(crate) type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

pub(crate) fn system() -> Clock {
    Arc::new(Timestamp::now)
}
