//! A body that gives up when nothing of it has come for a while.

use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use tokio::time::Sleep;

pub(super) struct Hurried {
    body: Incoming,
    patience: Duration,
    /// Runs while something is awaited.
    silence: Option<Pin<Box<Sleep>>>,
}

impl Hurried {
    pub(super) fn new(body: Incoming, patience: Duration) -> Self {
        Self {
            body,
            patience,
            silence: None,
        }
    }
}

impl Body for Hurried {
    type Data = Bytes;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
            self.silence = None;
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let patience = self.patience;
        let silence = self
            .silence
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(patience)));
        ready!(silence.as_mut().poll(context));
        Poll::Ready(Some(Err(format!(
            "nothing of the body has come for {patience:?}"
        )
        .into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    /// S3 goes by it where a request has no `Content-Length`.
    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
