//! A request body that fails when nothing of it has come for a while, or so little that it only holds the connection.

use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use tokio::time::{Instant, Sleep};

/// Bytes that earn a second of waiting: a tenth of what a modem of 1998 sends.
const BYTES_PER_SECOND: u64 = 500;

pub(super) struct SlowBodyGuard {
    body: Incoming,
    timeout: Duration,
    /// What is left of the timeout: waiting takes of it, bytes give it back.
    left: Duration,
    /// Since when bytes are awaited, and until when.
    waiting: Option<(Instant, Pin<Box<Sleep>>)>,
    was_read: bool,
}

impl SlowBodyGuard {
    pub(super) fn new(body: Incoming, timeout: Duration) -> Self {
        Self {
            body,
            timeout,
            left: timeout,
            waiting: None,
            was_read: false,
        }
    }

    /// Whether anything was read, which also sends the `100 Continue` that a client may wait for.
    pub(super) fn was_read(&self) -> bool {
        self.was_read
    }

    fn credit(&mut self, bytes: usize) {
        if let Some((since, _)) = self.waiting.take() {
            self.left = self.left.saturating_sub(since.elapsed());
        }
        let earned = Duration::from_millis(bytes as u64 * 1000 / BYTES_PER_SECOND);
        self.left = self.timeout.min(self.left + earned);
    }
}

impl Body for SlowBodyGuard {
    type Data = Bytes;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.was_read = true;
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
            let bytes = frame.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref());
            let bytes = bytes.map_or(0, Bytes::len);
            self.credit(bytes);
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let left = self.left;
        let (_, timeout) = self
            .waiting
            .get_or_insert_with(|| (Instant::now(), Box::pin(tokio::time::sleep(left))));
        ready!(timeout.as_mut().poll(context));
        Poll::Ready(Some(Err("the body came too slowly".into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    /// S3 goes by it where a request has no `Content-Length`.
    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
