//! Serving the two ports until they are stopped, such that no client can keep them busy by sending slowly or by connecting
//! often.

mod client_limit;
mod connection;
mod file_limit;
mod listen;
mod long_head;
mod slow_body;
#[cfg(test)]
mod tests;
mod unread_body;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::serve::Listener;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use client_limit::ClientLimit;
use connection::{Timeouts, serve_connection};
#[cfg(test)]
pub(crate) use listen::listen;
pub(crate) use listen::{BoundListener, listen_on_both};

/// Requests under way when the server stops have this long to end. Pages that listen for news never end by themselves.
const SHUTDOWN_GRACE: Duration = Duration::from_millis(300);

const TIMEOUTS: Timeouts = Timeouts {
    head: Duration::from_secs(30),
    body: Duration::from_secs(60),
};

/// How many connections a port takes, and how many of them from one client.
struct Limits {
    connections: usize,
    clients: ClientLimit,
}

/// Serves `router` until `stop`; requests under way then have [`SHUTDOWN_GRACE`] to end.
pub(crate) fn serve(listening: BoundListener, router: Router, stop: CancellationToken) -> JoinHandle<()> {
    let connections = file_limit::connections();
    let clients = ClientLimit::of(connections, &listening.proxies);
    let limits = Limits { connections, clients };
    serve_with(TIMEOUTS, limits, listening, router, stop)
}

fn serve_with(
    timeouts: Timeouts,
    limits: Limits,
    listening: BoundListener,
    router: Router,
    stop: CancellationToken,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        let (mut listener, long_head) = (listening.listener, listening.long_head);
        let mut connections = JoinSet::new();
        let permits = Arc::new(Semaphore::new(limits.connections));
        loop {
            tokio::select! {
                (permit, (stream, peer)) = accept(&mut listener, &permits) => {
                    // A client over its limit is disconnected at once.
                    let Some(client) = limits.clients.admit(peer.ip()) else {
                        tracing::debug!(%peer, "connection refused: the client has as many as it may have");
                        continue;
                    };
                    let connection = serve_connection(stream, (peer, long_head), router.clone(), timeouts, stop.clone());
                    connections.spawn(async move {
                        connection.await;
                        drop((permit, client));
                    });
                }
                Some(_ended) = connections.join_next() => {}
                () = stop.cancelled() => break,
            }
        }
        drop(listener);
        // Connections that are still open after the grace are cut when `connections` is dropped.
        let ended = async { while connections.join_next().await.is_some() {} };
        let _cut = tokio::time::timeout(SHUTDOWN_GRACE, ended).await;
    })
}

/// The next connection, once there is a permit for it; until then it waits in the system's queue.
async fn accept(
    listener: &mut TcpListener,
    permits: &Arc<Semaphore>,
) -> (Option<OwnedSemaphorePermit>, (TcpStream, SocketAddr)) {
    let permit = permits.clone().acquire_owned().await.ok();
    (permit, Listener::accept(listener).await)
}
