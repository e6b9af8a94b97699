//! HTTP as an attacker speaks it: bytes on a socket, past every client that would tidy them first.

use std::time::Duration;

use anyhow::{Context, Result};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Longer than any server here waits for a client.
const PATIENCE: Duration = Duration::from_secs(90);

/// What came back until the server hung up; a status of 0 if that was nothing.
#[derive(Debug)]
pub struct RawResponse {
    pub status: u16,
    /// Head and body.
    pub text: String,
}

/// `host:port` of a URL.
pub fn authority(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split('/').next().unwrap_or(rest)
}

/// Sends the bytes as they are. Ask for `Connection: close`.
pub async fn send(url: &str, bytes: &[u8]) -> Result<RawResponse> {
    let mut stream = open(url).await?;
    // A server that refuses a request may stop reading it.
    let _refused = stream.write_all(bytes).await;
    answer(stream).await
}

/// A request with this target and these headers, and no body; `Host` is among the headers or missing.
pub async fn get(url: &str, target: &str, headers: &[(&str, &str)]) -> Result<RawResponse> {
    request(url, "GET", target, headers, "").await
}

pub async fn request(
    url: &str,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Result<RawResponse> {
    let mut text = format!("{method} {target} HTTP/1.1\r\nConnection: close\r\n");
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    if !body.is_empty() {
        text.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    text.push_str("\r\n");
    text.push_str(body);
    send(url, text.as_bytes()).await
}

/// A connection on which nothing is said yet.
pub async fn open(url: &str) -> Result<TcpStream> {
    let authority = authority(url);
    TcpStream::connect(authority)
        .await
        .with_context(|| format!("connecting to {authority}"))
}

/// Everything until the server hangs up.
pub async fn answer(mut stream: TcpStream) -> Result<RawResponse> {
    let mut bytes = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes)).await;
    // A reset after the answer is as good as an end.
    let _reset = read.with_context(|| {
        let so_far = String::from_utf8_lossy(&bytes);
        format!("the server kept the connection for {PATIENCE:?} after saying {so_far:?}")
    })?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let status = text.split(' ').nth(1).and_then(|status| status.parse().ok());
    Ok(RawResponse {
        status: status.unwrap_or(0),
        text,
    })
}
