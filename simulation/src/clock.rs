//! What tokio takes for time. sync-team measures how long it has run, and waits; assign-worker gives up in time. Both
//! ask tokio, whose clock stands still here and is moved with the schedule's.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use lambda::HandlerError;
use serde_json::Value;
use tokio::runtime::{Builder, EnterGuard, Runtime};

use crate::processes::InvocationFuture;
use crate::time::Ms;

pub(crate) struct Clock {
    runtime: Runtime,
    at: Ms,
}

impl Clock {
    pub(crate) fn new() -> Option<Self> {
        let runtime = Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build();
        Some(Self {
            runtime: runtime.ok()?,
            at: 0,
        })
    }

    /// Wakes what waited for a time that has come.
    pub(crate) fn set(&mut self, now: Ms) {
        let Ok(passed @ 1..) = u64::try_from(now - self.at) else {
            return;
        };
        self.at = now;
        let moved = tokio::time::advance(Duration::from_millis(passed));
        self.runtime.block_on(moved);
    }

    /// While this lives, tokio answers with this time.
    pub(crate) fn enter(&self) -> EnterGuard<'_> {
        self.runtime.enter()
    }
}

/// Whether an invocation that was polled has to be polled again at once: what has come to rest waits for a turn.
#[derive(Default)]
pub(crate) struct InvocationPoller(Arc<WakeFlag>);

#[derive(Default)]
struct WakeFlag(AtomicBool);

impl Wake for WakeFlag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl InvocationPoller {
    pub(crate) fn poll(&self, doing: &mut InvocationFuture) -> Poll<Result<Value, HandlerError>> {
        let waker = Waker::from(Arc::clone(&self.0));
        loop {
            self.0.0.store(false, Ordering::Relaxed);
            let polled = doing.as_mut().poll(&mut Context::from_waker(&waker));
            if polled.is_ready() || !self.0.0.load(Ordering::Relaxed) {
                return polled;
            }
        }
    }
}
