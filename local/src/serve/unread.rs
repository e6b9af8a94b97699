//! What is left of a request's body when its answer comes first. The next request on the connection follows that body:
//! it is read to its end where that is soon, else the connection ends with the answer.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use axum::body::HttpBody;
use axum::http::{HeaderMap, HeaderValue, header};
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};

use crate::lock::lock;

use super::hurried::Hurried;

/// More is not waited for: a client that sends this much after it was refused is not listening.
const MOST: usize = 1 << 20;

/// Where a body goes when the request that had it is gone.
#[derive(Clone, Default)]
pub(super) struct Leftover(Arc<Mutex<Option<Hurried>>>);

impl Leftover {
    pub(super) fn keep(&self, body: Hurried) {
        *lock(&self.0) = Some(body);
    }

    /// Called with the answer in hand. A client that waits for `100 Continue` has sent nothing yet, and may or may not
    /// send its body after the answer: only a new connection is sure to begin with a request.
    pub(super) async fn settle(self, expects: bool, answer: &mut HeaderMap) {
        let left = lock(&self.0).take();
        let Some(body) = left.filter(|body| !body.is_end_stream()) else {
            return;
        };
        let waits = expects && !body.was_asked_for();
        if waits || !drained(body).await {
            answer.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
    }
}

async fn drained(mut body: Hurried) -> bool {
    let mut read = 0;
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        let Ok(frame) = frame else { return false };
        read += frame.data_ref().map_or(0, Bytes::len);
        if read > MOST {
            return false;
        }
    }
    true
}

/// A body that is kept when it is dropped before its end.
pub(super) struct Kept {
    body: Option<Hurried>,
    leftover: Leftover,
}

impl Kept {
    pub(super) fn new(body: Hurried, leftover: Leftover) -> Self {
        Self {
            body: Some(body),
            leftover,
        }
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        if let Some(body) = self.body.take() {
            self.leftover.keep(body);
        }
    }
}

impl HttpBody for Kept {
    type Data = Bytes;
    type Error = <Hurried as HttpBody>::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match &mut self.body {
            Some(body) => Pin::new(body).poll_frame(context),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map(HttpBody::size_hint).unwrap_or_default()
    }
}
