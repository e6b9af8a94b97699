//! The server against clients that are silent, slow, many or gone.

use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Body;
use axum::http::StatusCode;
use axum::{Router, routing};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::client_address::TrustedProxies;
use crate::error::StackError;

const SHORT: Timeouts = Timeouts {
    head: Duration::from_millis(200),
    body: Duration::from_millis(200),
};
const CONNECTIONS: usize = 4;
/// Only ends a test that would not end.
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
            routing::get(async || Body::from_stream(futures::stream::pending::<Result<&str, axum::Error>>())),
        )
        .route("/panicking", routing::get(panic_handler))
        .route("/refused", routing::put(async || StatusCode::FORBIDDEN));
    let limits = Limits {
        connections: CONNECTIONS,
        clients: ClientLimit::of(CONNECTIONS, &TrustedProxies::default()),
    };
    (
        address,
        serve_with(SHORT, limits, listening, router, stop.clone()),
    )
}

/// Everything the server answers to these bytes, until it closes the connection.
async fn exchange(address: SocketAddr, sent: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(sent.as_bytes()).await.unwrap();
    let mut answer = String::new();
    let read = tokio::time::timeout(LONG, stream.read_to_string(&mut answer)).await;
    read.expect("the server closes the connection").unwrap();
    answer
}

#[tokio::test]
async fn a_silent_client_does_not_keep_a_connection() {
    let stop = CancellationToken::new();
    let (address, _) = server(&stop).await;
    for silence in ["", "POST /echo HTTP/1.1\r\nHost: a\r\nX-Slow: "] {
        exchange(address, silence).await;
    }
    let half = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf";
    let answer = exchange(address, half).await;
    assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
    let whole = "POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 5\r\n\r\nwhole";
    assert!(exchange(address, whole).await.ends_with("whole"));
}

async fn panic_handler() -> &'static str {
    std::hint::black_box(None).unwrap()
}

/// Sends the beginning, then a byte at a time, never silent for long, until the server closes the connection.
async fn send_bytewise(address: SocketAddr, beginning: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(beginning.as_bytes()).await.unwrap();
    let (mut read, mut write) = stream.split();
    let mut answer = String::new();
    let send = async {
        let mut ticks = tokio::time::interval(SHORT.body / 10);
        loop {
            ticks.tick().await;
            if write.write_all(b"x").await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    };
    let closed = async {
        tokio::select! {
            // A reset is as good an end.
            _ = read.read_to_string(&mut answer) => {}
            () = send => {}
        }
    };
    tokio::time::timeout(LONG, closed)
        .await
        .expect("the server closes the connection");
    answer
}

#[tokio::test]
async fn a_client_that_sends_bytewise_does_not_keep_a_connection() {
    let stop = CancellationToken::new();
    let (address, _) = server(&stop).await;
    let head = "POST /echo HTTP/1.1\r\nHost: a\r\n";
    send_bytewise(address, "GET /").await;
    send_bytewise(address, &format!("{head}X-Slow: ")).await;
    send_bytewise(address, &format!("{head}Content-Length: 1000000\r\n\r\n")).await;
    let chunk = format!("{head}Transfer-Encoding: chunked\r\n\r\n100000\r\n");
    send_bytewise(address, &chunk).await;
}

#[tokio::test]
async fn a_body_may_take_longer_than_a_client_may_be_silent() {
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
    let answer = exchange(address, &sent).await;
    assert!(
        answer.starts_with("HTTP/1.1 403") && answer.ends_with("whole"),
        "{answer}"
    );
    // It was not read: what follows may be the body or not, so nothing may follow.
    let head = "PUT /refused HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n";
    let answer = exchange(address, head).await.to_ascii_lowercase();
    assert!(
        answer.starts_with("http/1.1 403") && answer.contains("connection: close"),
        "{answer}"
    );
    let endless = "PUT /refused HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000\r\n\r\nbegun";
    let answer = exchange(address, endless).await.to_ascii_lowercase();
    assert!(
        answer.starts_with("http/1.1 403") && answer.contains("connection: close"),
        "{answer}"
    );
}

#[tokio::test]
async fn a_panicking_handler_is_an_answer_and_the_connection_goes_on() {
    let stop = CancellationToken::new();
    let (address, _) = server(&stop).await;
    let twice = "GET /panicking HTTP/1.1\r\nHost: a\r\n\r\nGET /panicking HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    assert_eq!(exchange(address, twice).await.matches("HTTP/1.1 500").count(), 2);
}

#[tokio::test]
async fn a_connection_beyond_the_limit_is_served_once_there_is_a_permit() {
    let stop = CancellationToken::new();
    let (address, _) = server(&stop).await;
    let mut silent = Vec::new();
    for _ in 0..2 * CONNECTIONS {
        silent.push(TcpStream::connect(address).await.unwrap());
    }
    let whole = "POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 5\r\n\r\nwhole";
    assert!(exchange(address, whole).await.ends_with("whole"));
}

#[tokio::test]
async fn a_connection_beyond_a_clients_limit_is_closed_at_once() {
    let stop = CancellationToken::new();
    let listening = listen(SocketAddr::from(([127, 0, 0, 1], 0)), "a test", "--test")
        .await
        .unwrap();
    let address = listening.address;
    let router = Router::new().route("/", routing::get(async || "here"));
    let limits = Limits {
        connections: CONNECTIONS,
        clients: ClientLimit::new(2, TrustedProxies::default()),
    };
    let patient = Timeouts {
        head: 10 * LONG,
        body: 10 * LONG,
    };
    let _server = serve_with(patient, limits, listening, router, stop.clone());
    let held = [
        TcpStream::connect(address).await.unwrap(),
        TcpStream::connect(address).await.unwrap(),
    ];
    // Closed before anything is asked, long before a timeout.
    assert_eq!(exchange(address, "").await, "");
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
        .expect("closed connections give their permits back");
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
    let message = error.to_string();
    let pair = format!("--aws {} --web {}", free.0, free.1);
    for part in [&taken.0.to_string(), &taken.1.to_string(), &pair] {
        assert!(message.contains(part), "no `{part}` in: {message}");
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
