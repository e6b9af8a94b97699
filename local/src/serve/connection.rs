//! One connection from its first byte to its last.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use super::long_head::{LongHead, LongHeadBody, TakenUp};
use super::slow_body::SlowBodyGuard;
use super::unread_body::{RequestBody, UnreadBody};

/// How long a client may be silent. A slow client gets through; a silent one does not hold a socket.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timeouts {
    /// For all the headers of a request.
    pub(super) head: Duration,
    /// Between two pieces of a body. A body that keeps coming may take as long as it likes.
    pub(super) body: Duration,
}

/// Serves requests until the client or `stop` ends the connection.
pub(super) async fn serve_connection(
    stream: TcpStream,
    (peer, long_head): (SocketAddr, LongHeadBody),
    router: Router,
    timeouts: Timeouts,
    stop: CancellationToken,
) {
    // Answers are small and written at once: waiting for more to send only delays them.
    let _slower = stream.set_nodelay(true);
    let taken_up = TakenUp::default();
    let stream = LongHead::new(stream, long_head, taken_up.clone());
    let service = tower::service_fn(move |request: hyper::Request<Incoming>| {
        taken_up.set();
        respond(router.clone(), request, peer, timeouts)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(timeouts.head)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "connection broke");
    }
}

async fn respond(
    router: Router,
    request: hyper::Request<Incoming>,
    peer: SocketAddr,
    timeouts: Timeouts,
) -> Result<Response, Infallible> {
    let unread = UnreadBody::default();
    let expects_continue = request.headers().contains_key(header::EXPECT);
    let mut request = request.map(|body| {
        Body::new(RequestBody::new(
            SlowBodyGuard::new(body, timeouts.body),
            unread.clone(),
        ))
    });
    request.extensions_mut().insert(ConnectInfo(peer));
    let mut response = handle(router, request).await;
    unread.settle(expects_continue, response.headers_mut()).await;
    Ok(response)
}

/// A handler that panics is answered like any other failure, and the connection goes on.
async fn handle(router: Router, request: Request<Body>) -> Response {
    match AssertUnwindSafe(router.oneshot(request)).catch_unwind().await {
        Ok(Ok(response)) => response,
        Ok(Err(never)) => match never {},
        // The panic hook has logged it.
        Err(_panic) => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "Groundcrew failed to answer this request. Its log says why.",
        )
            .into_response(),
    }
}
