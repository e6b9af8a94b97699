//! A body that gives up when nothing of it has come for a while, or too little to be more than a way of holding on.

use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use tokio::time::{Instant, Sleep};

/// Bytes that earn a second of waiting: a tenth of what a modem of 1998 sends.
const LEAST: u64 = 500;

pub(super) struct Hurried {
    body: Incoming,
    patience: Duration,
    /// What is left of the patience: waiting takes of it, bytes give it back.
    left: Duration,
    /// Since when something is awaited, and until when.
    silence: Option<(Instant, Pin<Box<Sleep>>)>,
    asked_for: bool,
}

impl Hurried {
    pub(super) fn new(body: Incoming, patience: Duration) -> Self {
        Self {
            body,
            patience,
            left: patience,
            silence: None,
            asked_for: false,
        }
    }

    /// Whether anything was read, which also sends the `100 Continue` that a client may wait for.
    pub(super) fn was_asked_for(&self) -> bool {
        self.asked_for
    }

    fn heard(&mut self, bytes: usize) {
        if let Some((since, _)) = self.silence.take() {
            self.left = self.left.saturating_sub(since.elapsed());
        }
        let earned = Duration::from_millis(bytes as u64 * 1000 / LEAST);
        self.left = self.patience.min(self.left + earned);
    }
}

impl Body for Hurried {
    type Data = Bytes;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.asked_for = true;
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
            let bytes = frame.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref());
            let bytes = bytes.map_or(0, Bytes::len);
            self.heard(bytes);
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let left = self.left;
        let (_, silence) = self
            .silence
            .get_or_insert_with(|| (Instant::now(), Box::pin(tokio::time::sleep(left))));
        ready!(silence.as_mut().poll(context));
        Poll::Ready(Some(Err("too little of the body has come for too long".into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    /// S3 goes by it where a request has no `Content-Length`.
    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
