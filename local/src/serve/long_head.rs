//! A header section that is too long: the HTTP library answers it by itself, with 431 and no body. The answer is given a
//! body here, on its way out.
//!
//! Only between requests: what an object holds may look like such an answer, and leaves as it is.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

const EMPTY_ANSWER: &[u8] = b"HTTP/1.1 431 ";

/// Whether the bytes that were read last belong to a request that was taken up. Otherwise they are of a head.
#[derive(Clone, Default)]
pub(super) struct TakenUp(Arc<AtomicBool>);

impl TakenUp {
    pub(super) fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The body of such an answer.
#[derive(Clone, Copy, Debug)]
pub(super) enum LongHeadBody {
    Text,
    /// As S3 says it; the other services of the port have an error form each.
    Xml,
}

impl LongHeadBody {
    fn answer(self) -> Vec<u8> {
        const WORDS: &str = "The headers of this request, or its address, are too long.";
        let (kind, body) = match self {
            Self::Text => ("text/plain; charset=utf-8", WORDS.to_owned()),
            Self::Xml => (
                "application/xml",
                format!(
                    "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>RequestHeaderSectionTooLarge</Code><Message>{WORDS}</Message></Error>"
                ),
            ),
        };
        format!(
            "HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        )
        .into_bytes()
    }
}

/// A connection whose 431 has a body. The library writes that answer in one piece, and nothing after it.
pub(super) struct LongHead<S> {
    stream: S,
    body: LongHeadBody,
    taken_up: TakenUp,
    /// What is left to be written of the answer, and how long the library's own is.
    answer: Option<(Vec<u8>, usize)>,
}

impl<S> LongHead<S> {
    pub(super) fn new(stream: S, body: LongHeadBody, taken_up: TakenUp) -> Self {
        Self {
            stream,
            body,
            taken_up,
            answer: None,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for LongHead<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.taken_up.0.store(false, Ordering::Relaxed);
        }
        read
    }
}

impl<S> LongHead<S> {
    fn is_of_a_long_head(&self, bytes: &[u8]) -> bool {
        bytes.starts_with(EMPTY_ANSWER)
            && bytes.ends_with(b"\r\n\r\n")
            && !self.taken_up.0.load(Ordering::Relaxed)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for LongHead<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        if this.answer.is_none() && this.is_of_a_long_head(bytes) {
            this.answer = Some((this.body.answer(), bytes.len()));
        }
        let Some((left, replaced)) = &mut this.answer else {
            return Pin::new(&mut this.stream).poll_write(context, bytes);
        };
        while !left.is_empty() {
            match Pin::new(&mut this.stream).poll_write(context, left) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(written)) => drop(left.drain(..written)),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return Poll::Pending,
            }
        }
        let replaced = *replaced;
        this.answer = None;
        Poll::Ready(Ok(replaced))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        // An answer without a body is written in one piece.
        if let Some(first) = pieces.iter().find(|piece| !piece.is_empty())
            && self.is_of_a_long_head(first)
        {
            return self.poll_write(context, first);
        }
        Pin::new(&mut self.stream).poll_write_vectored(context, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::time::Duration;

    use axum::body::Body;
    use hyper::body::Incoming;
    use hyper::server::conn::http1;
    use hyper::service::service_fn;
    use hyper_util::rt::TokioIo;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    const LOOKALIKE: &str = "HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\n\r\n";

    /// What the library says over a connection like this to these bytes.
    async fn answer_to(request: String, body: LongHeadBody) -> String {
        let (mut client, server) = duplex(2 << 20);
        let taken_up = TakenUp::default();
        let stream = LongHead::new(server, body, taken_up.clone());
        let service = service_fn(move |_: hyper::Request<Incoming>| {
            taken_up.set();
            async { Ok::<_, Infallible>(hyper::Response::new(Body::from(LOOKALIKE))) }
        });
        let serving = tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        client.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        let read = tokio::time::timeout(Duration::from_secs(20), client.read_to_string(&mut answer));
        read.await.expect("the server hangs up").unwrap();
        let _ended = serving.await.unwrap();
        answer
    }

    #[tokio::test]
    async fn a_head_that_is_too_long_is_answered_with_a_sentence() {
        let many = "X-A: b\r\n".repeat(200);
        for head in [format!("X-Long: {}\r\n", "a".repeat(1 << 20)), many] {
            let request = format!("GET / HTTP/1.1\r\nHost: a\r\n{head}\r\n");
            let text = answer_to(request.clone(), LongHeadBody::Text).await;
            assert!(
                text.starts_with("HTTP/1.1 431 ") && text.ends_with("too long."),
                "{text}"
            );
            let xml = answer_to(request, LongHeadBody::Xml).await;
            assert!(xml.contains("<Code>RequestHeaderSectionTooLarge</Code>"), "{xml}");
        }
    }

    #[tokio::test]
    async fn what_only_looks_like_that_answer_leaves_as_it_is() {
        let request = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".to_owned();
        let answer = answer_to(request, LongHeadBody::Text).await;
        assert!(
            answer.starts_with("HTTP/1.1 200") && answer.ends_with(LOOKALIKE),
            "{answer}"
        );
    }
}
