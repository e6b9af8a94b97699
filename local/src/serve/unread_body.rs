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

use super::slow_body::SlowBodyGuard;
use crate::lock::lock;

/// A client that sends more than this after it was refused does not read the answer: the connection is closed.
const MOST_DRAINED: usize = 1 << 20;

/// Receives the body of a request whose handler did not read it to its end.
#[derive(Clone, Default)]
pub(super) struct UnreadBody(Arc<Mutex<Option<SlowBodyGuard>>>);

impl UnreadBody {
    /// Called with the answer in hand. A client that waits for `100 Continue` has sent nothing yet, and may or may not
    /// send its body after the answer: only a new connection is sure to begin with a request.
    pub(super) async fn settle(self, expects_continue: bool, response: &mut HeaderMap) {
        let unread = lock(&self.0).take();
        let Some(body) = unread.filter(|body| !body.is_end_stream()) else {
            return;
        };
        let client_waits = expects_continue && !body.was_read();
        if client_waits || !drain(body).await {
            response.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
    }
}

/// Whether the body came to its end.
async fn drain(mut body: SlowBodyGuard) -> bool {
    let mut read = 0;
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        let Ok(frame) = frame else { return false };
        read += frame.data_ref().map_or(0, Bytes::len);
        if read > MOST_DRAINED {
            return false;
        }
    }
    true
}

/// A request's body, handed to [`UnreadBody`] when it is dropped before its end.
pub(super) struct RequestBody {
    body: Option<SlowBodyGuard>,
    unread: UnreadBody,
}

impl RequestBody {
    pub(super) fn new(body: SlowBodyGuard, unread: UnreadBody) -> Self {
        Self {
            body: Some(body),
            unread,
        }
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        *lock(&self.unread.0) = self.body.take();
    }
}

impl HttpBody for RequestBody {
    type Data = Bytes;
    type Error = <SlowBodyGuard as HttpBody>::Error;

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
