//! Listening: addresses taken with an error that says what to do, servers that stop when told, and that nobody can keep
//! busy by sending slowly or by connecting often.

mod hurried;
mod long_head;
mod room;
mod share;
mod unread;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::serve::Listener;
use futures::FutureExt;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::client_address::TrustedProxies;
use crate::error::StackError;
use hurried::Hurried;
use long_head::{LongHead, LongHeadBody, TakenUp};
use share::{Share, Shares};
use unread::{Kept, Leftover};

/// Pages that listen for news keep their connection open; they are cut off after this.
const LAST_WORDS: Duration = Duration::from_millis(300);

/// How long somebody may take to say what they want, and how long they may then say nothing in the middle of it. Slow
/// connections get through, silent ones do not take up sockets.
#[derive(Clone, Copy, Debug)]
struct Patience {
    head: Duration,
    /// For a body that does not come. What comes gives it back: a body itself may take as long as it likes.
    body: Duration,
}

const PATIENCE: Patience = Patience {
    head: Duration::from_secs(30),
    body: Duration::from_secs(60),
};

pub(crate) struct Listening {
    pub(crate) listener: TcpListener,
    pub(crate) address: SocketAddr,
    /// Their connections are not counted as those of one client.
    proxies: TrustedProxies,
    long_head: LongHeadBody,
}

pub(crate) async fn listen(
    address: SocketAddr,
    purpose: &'static str,
    flag: &'static str,
) -> Result<Listening, StackError> {
    let failed = |reason| StackError::Listen {
        address,
        purpose,
        flag,
        reason,
    };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok(Listening {
        listener,
        address,
        proxies: TrustedProxies::default(),
        long_head: LongHeadBody::Text,
    })
}

/// The AWS port and the web port. Where both are taken, both are named: whoever moved one would only then hear of the
/// other.
pub(crate) async fn listen_on_both(
    aws: SocketAddr,
    web: SocketAddr,
    proxies: &TrustedProxies,
) -> Result<(Listening, Listening), StackError> {
    let listening = (
        listen(aws, "the AWS endpoint", "--aws").await,
        listen(web, "the portal and the console", "--web").await,
    );
    match listening {
        (Ok(mut aws), Ok(mut web)) => {
            aws.long_head = LongHeadBody::Xml;
            web.proxies = proxies.clone();
            Ok((aws, web))
        }
        (Err(_), Err(StackError::Listen { reason, .. })) => Err(StackError::ListenBoth {
            aws,
            web,
            reason,
            free: (free_after(aws).await, free_after(web).await),
        }),
        (Err(reason), _) | (_, Err(reason)) => Err(reason),
    }
}

/// The next address that nobody listens on; port 0, which takes any, if there is none near.
async fn free_after(address: SocketAddr) -> SocketAddr {
    for port in (1..=20).filter_map(|more| address.port().checked_add(more)) {
        let next = SocketAddr::new(address.ip(), port);
        if TcpListener::bind(next).await.is_ok() {
            return next;
        }
    }
    SocketAddr::new(address.ip(), 0)
}

/// Until told to stop; requests under way then have a moment to end.
pub(crate) fn serve(listening: Listening, router: Router, stop: CancellationToken) -> JoinHandle<()> {
    let room = room::connections();
    let shares = Shares::of(room, &listening.proxies);
    serve_with(PATIENCE, (room, shares), listening, router, stop)
}

fn serve_with(
    patience: Patience,
    (connections_at_once, shares): (usize, Shares),
    listening: Listening,
    router: Router,
    stop: CancellationToken,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        let (mut listener, long_head) = (listening.listener, listening.long_head);
        let mut connections = JoinSet::new();
        let room = Arc::new(Semaphore::new(connections_at_once));
        loop {
            tokio::select! {
                (seat, (stream, peer)) = next(&mut listener, &room) => {
                    let Some(share) = share_of(&shares, peer) else {
                        continue;
                    };
                    let talk = talk(stream, (peer, long_head), router.clone(), patience, stop.clone());
                    connections.spawn(async move {
                        talk.await;
                        drop((seat, share));
                    });
                }
                Some(_ended) = connections.join_next() => {}
                () = stop.cancelled() => break,
            }
        }
        drop(listener);
        // Whoever is not done by then is cut off when `connections` goes.
        let ended = async { while connections.join_next().await.is_some() {} };
        let _cut_off = tokio::time::timeout(LAST_WORDS, ended).await;
    })
}

/// The next connection, once there is room for it; until then it waits in the system's queue.
async fn next(
    listener: &mut TcpListener,
    room: &Arc<Semaphore>,
) -> (Option<OwnedSemaphorePermit>, (TcpStream, SocketAddr)) {
    let seat = room.clone().acquire_owned().await.ok();
    (seat, Listener::accept(listener).await)
}

/// Without one, the connection is closed as soon as it is there.
fn share_of(shares: &Shares, peer: SocketAddr) -> Option<Share> {
    let share = shares.take(peer.ip());
    if share.is_none() {
        tracing::debug!(%peer, "a client has all the connections it may have");
    }
    share
}

async fn talk(
    stream: TcpStream,
    (peer, long_head): (SocketAddr, LongHeadBody),
    router: Router,
    patience: Patience,
    stop: CancellationToken,
) {
    // Answers are small and written at once: waiting for more to send only delays them.
    let _slower = stream.set_nodelay(true);
    let taken_up = TakenUp::default();
    let stream = LongHead::new(stream, long_head, taken_up.clone());
    let service = tower::service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
        taken_up.set();
        let leftover = Leftover::default();
        let expects = request.headers().contains_key(header::EXPECT);
        let kept = |body| Body::new(Kept::new(Hurried::new(body, patience.body), leftover.clone()));
        let mut request = request.map(kept);
        request.extensions_mut().insert(ConnectInfo(peer));
        let router = router.clone();
        async move {
            let mut answered = answer(router, request).await;
            if let Ok(response) = &mut answered {
                leftover.settle(expects, response.headers_mut()).await;
            }
            answered
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(patience.head)
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
        tracing::debug!(%error, "a connection broke");
    }
}

/// A request that brings its handler down is answered like any other failure, and so is the next one on this connection.
async fn answer(router: Router, request: Request<Body>) -> Result<Response, Infallible> {
    match AssertUnwindSafe(router.oneshot(request)).catch_unwind().await {
        Ok(answered) => answered,
        Err(_told_by_the_hook) => Ok((
            StatusCode::INTERNAL_SERVER_ERROR,
            "This did not work, through no fault of yours. The log of groundcrew says why.",
        )
            .into_response()),
    }
}

#[cfg(test)]
mod tests {
    use axum::routing;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    const SHORT: Patience = Patience {
        head: Duration::from_millis(200),
        body: Duration::from_millis(200),
    };
    const ROOM: usize = 4;
    /// Only to say that it did not end.
    const LONG: Duration = Duration::from_secs(20);

    async fn server(stop: &CancellationToken) -> (SocketAddr, JoinHandle<()>) {
        let listening = listen(SocketAddr::from(([127, 0, 0, 1], 0)), "a test", "--test")
            .await
            .unwrap();
        let address = listening.address;
        let router = Router::new()
            .route("/echo", routing::post(async |body: String| body))
            .route(
                "/news",
                routing::get(async || {
                    Body::from_stream(futures::stream::pending::<Result<&str, axum::Error>>())
                }),
            )
            .route("/broken", routing::get(broken))
            .route("/refused", routing::put(async || StatusCode::FORBIDDEN));
        let room = (ROOM, Shares::of(ROOM, &TrustedProxies::default()));
        (address, serve_with(SHORT, room, listening, router, stop.clone()))
    }

    /// Everything the server says to these bytes, until it hangs up.
    async fn told(address: SocketAddr, said: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(said.as_bytes()).await.unwrap();
        let mut answer = String::new();
        let read = tokio::time::timeout(LONG, stream.read_to_string(&mut answer)).await;
        read.expect("the server hangs up").unwrap();
        answer
    }

    #[tokio::test]
    async fn nobody_keeps_a_connection_by_saying_nothing() {
        let stop = CancellationToken::new();
        let (address, _) = server(&stop).await;
        for silence in ["", "POST /echo HTTP/1.1\r\nHost: a\r\nX-Slow: "] {
            told(address, silence).await;
        }
        let half = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf";
        let answer = told(address, half).await;
        assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
        let whole = "POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 5\r\n\r\nwhole";
        assert!(told(address, whole).await.ends_with("whole"));
    }

    async fn broken() -> &'static str {
        std::hint::black_box(None).unwrap()
    }

    /// Says the beginning, then a byte at a time, never silent for long, until the server hangs up.
    async fn dripped(address: SocketAddr, beginning: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(beginning.as_bytes()).await.unwrap();
        let (mut read, mut write) = stream.split();
        let mut answer = String::new();
        let drip = async {
            let mut drops = tokio::time::interval(SHORT.body / 10);
            loop {
                drops.tick().await;
                if write.write_all(b"x").await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
        };
        let hung_up = async {
            tokio::select! {
                // A reset is as good an end.
                _ = read.read_to_string(&mut answer) => {}
                () = drip => {}
            }
        };
        tokio::time::timeout(LONG, hung_up)
            .await
            .expect("the server hangs up");
        answer
    }

    #[tokio::test]
    async fn nobody_keeps_a_connection_by_dripping() {
        let stop = CancellationToken::new();
        let (address, _) = server(&stop).await;
        let head = "POST /echo HTTP/1.1\r\nHost: a\r\n";
        dripped(address, "GET /").await;
        dripped(address, &format!("{head}X-Slow: ")).await;
        dripped(address, &format!("{head}Content-Length: 1000000\r\n\r\n")).await;
        let chunk = format!("{head}Transfer-Encoding: chunked\r\n\r\n100000\r\n");
        dripped(address, &chunk).await;
    }

    #[tokio::test]
    async fn a_body_may_take_longer_than_anybody_is_silent() {
        let stop = CancellationToken::new();
        let (address, _) = server(&stop).await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        let head = "POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 6000\r\n\r\n";
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut pieces = tokio::time::interval(SHORT.body / 2);
        for _ in 0..6 {
            pieces.tick().await;
            stream.write_all(&[b'x'; 1000]).await.unwrap();
        }
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(
            answer.starts_with("HTTP/1.1 200") && answer.ends_with("xxx"),
            "{answer}"
        );
    }

    #[tokio::test]
    async fn an_early_answer_does_not_spoil_the_next_request() {
        let stop = CancellationToken::new();
        let (address, _) = server(&stop).await;
        let next = "POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 5\r\n\r\nwhole";
        // The body was sent: it is read, and the connection goes on.
        let sent = format!("PUT /refused HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody{next}");
        let answer = told(address, &sent).await;
        assert!(
            answer.starts_with("HTTP/1.1 403") && answer.ends_with("whole"),
            "{answer}"
        );
        // It was not asked for: what follows may be it or not, so nothing may follow.
        let head = "PUT /refused HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n";
        let answer = told(address, head).await.to_ascii_lowercase();
        assert!(
            answer.starts_with("http/1.1 403") && answer.contains("connection: close"),
            "{answer}"
        );
        let endless = "PUT /refused HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000\r\n\r\nbegun";
        let answer = told(address, endless).await.to_ascii_lowercase();
        assert!(
            answer.starts_with("http/1.1 403") && answer.contains("connection: close"),
            "{answer}"
        );
    }

    #[tokio::test]
    async fn a_handler_that_falls_over_is_an_answer_and_takes_nobody_along() {
        let stop = CancellationToken::new();
        let (address, _) = server(&stop).await;
        let twice = "GET /broken HTTP/1.1\r\nHost: a\r\n\r\nGET /broken HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
        assert_eq!(told(address, twice).await.matches("HTTP/1.1 500").count(), 2);
    }

    #[tokio::test]
    async fn whoever_comes_when_there_is_no_room_is_served_when_there_is() {
        let stop = CancellationToken::new();
        let (address, _) = server(&stop).await;
        let mut silent = Vec::new();
        for _ in 0..2 * ROOM {
            silent.push(TcpStream::connect(address).await.unwrap());
        }
        let whole = "POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 5\r\n\r\nwhole";
        assert!(told(address, whole).await.ends_with("whole"));
    }

    #[tokio::test]
    async fn a_connection_beyond_a_clients_share_is_closed_at_once() {
        let stop = CancellationToken::new();
        let listening = listen(SocketAddr::from(([127, 0, 0, 1], 0)), "a test", "--test")
            .await
            .unwrap();
        let address = listening.address;
        let router = Router::new().route("/", routing::get(async || "here"));
        let shares = Shares::new(2, TrustedProxies::default());
        let patient = Patience {
            head: 10 * LONG,
            body: 10 * LONG,
        };
        let _server = serve_with(patient, (ROOM, shares), listening, router, stop.clone());
        let held = [
            TcpStream::connect(address).await.unwrap(),
            TcpStream::connect(address).await.unwrap(),
        ];
        // Closed before anything is asked, long before patience ends.
        assert_eq!(told(address, "").await, "");
        drop(held);
        let asked = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
        let served = async {
            loop {
                let mut stream = TcpStream::connect(address).await.unwrap();
                let mut answer = String::new();
                // A connection that is closed while it is written to is reset.
                let _reset = stream.write_all(asked.as_bytes()).await;
                let _reset = stream.read_to_string(&mut answer).await;
                if answer.ends_with("here") {
                    break;
                }
            }
        };
        tokio::time::timeout(LONG, served)
            .await
            .expect("those that left made room");
    }

    #[tokio::test]
    async fn where_both_ports_are_taken_both_are_named_with_two_that_are_free() {
        let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let none = TrustedProxies::default();
        let (aws, web) = listen_on_both(anywhere, anywhere, &none).await.unwrap();
        let taken = (aws.address, web.address);
        let Err(error) = listen_on_both(taken.0, taken.1, &none).await else {
            panic!("both are taken");
        };
        let StackError::ListenBoth { free, .. } = &error else {
            panic!("{error}");
        };
        let said = error.to_string();
        let pair = format!("--aws {} --web {}", free.0, free.1);
        for part in [&taken.0.to_string(), &taken.1.to_string(), &pair] {
            assert!(said.contains(part), "no `{part}` in: {said}");
        }
        let Err(error) = listen_on_both(anywhere, taken.1, &none).await else {
            panic!("one is taken");
        };
        assert!(error.to_string().contains("--web HOST:PORT"), "{error}");
    }

    #[tokio::test]
    async fn an_open_page_does_not_keep_the_server() {
        let stop = CancellationToken::new();
        let (address, server) = server(&stop).await;
        let mut page = TcpStream::connect(address).await.unwrap();
        page.write_all(b"GET /news HTTP/1.1\r\nHost: a\r\n\r\n")
            .await
            .unwrap();
        page.read_u8().await.unwrap();
        stop.cancel();
        tokio::time::timeout(LONG, server).await.unwrap().unwrap();
    }
}
