//! Bodies in chunks (`aws-chunked`): whether the last chunk came. The protocol library takes a body that stops between two
//! chunks for a whole one.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html>

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::{Body, Bytes};
use http::HeaderMap;
use hyper::body::{Frame, SizeHint};

/// Where in its chunks a body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ChunkState {
    /// In the line before a chunk: its size so far, and whether the digits are over.
    Line { size: u64, over: bool },
    /// So many bytes of a chunk and the end of its line are still to come.
    Chunk(u64),
    /// Past the line of the last chunk.
    End,
}

#[derive(Debug)]
struct ChunkParser(ChunkState);

impl ChunkParser {
    fn push(&mut self, mut bytes: &[u8]) {
        while let Some((first, rest)) = bytes.split_first() {
            match self.0 {
                ChunkState::End => return,
                ChunkState::Chunk(left) => {
                    let taken = usize::try_from(left).map_or(bytes.len(), |left| left.min(bytes.len()));
                    bytes = &bytes[taken..];
                    let left = left - taken as u64;
                    self.0 = if left == 0 {
                        ChunkState::Line { size: 0, over: false }
                    } else {
                        ChunkState::Chunk(left)
                    };
                }
                ChunkState::Line { size, over } => {
                    bytes = rest;
                    let digit = char::from(*first).to_digit(16).filter(|_| !over);
                    self.0 = match (digit, *first) {
                        (Some(digit), _) => ChunkState::Line {
                            size: size.saturating_mul(16).saturating_add(u64::from(digit)),
                            over,
                        },
                        (None, b'\n') if size == 0 => ChunkState::End,
                        (None, b'\n') => ChunkState::Chunk(size.saturating_add(2)),
                        (None, _) => ChunkState::Line { size, over: true },
                    };
                }
            }
        }
    }
}

/// A body in chunks that fails if it ends without its last chunk.
pub(in crate::s3) struct ChunkedBodyGuard {
    body: Body,
    chunks: ChunkParser,
}

impl ChunkedBodyGuard {
    /// `body`, guarded if the request's headers say that it comes in chunks.
    pub(in crate::s3) fn wrap(body: Body, headers: &HeaderMap) -> Body {
        match super::headers::is_streamed(headers) {
            true => Body::new(ChunkedBodyGuard {
                body,
                chunks: ChunkParser(ChunkState::Line { size: 0, over: false }),
            }),
            false => body,
        }
    }
}

impl hyper::body::Body for ChunkedBodyGuard {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        match &frame {
            Some(Ok(frame)) => {
                if let Some(bytes) = frame.data_ref() {
                    self.chunks.push(bytes);
                }
            }
            None if self.chunks.0 != ChunkState::End => {
                self.chunks.0 = ChunkState::End;
                return Poll::Ready(Some(Err(axum::Error::new("the last chunk is missing"))));
            }
            _ => {}
        }
        Poll::Ready(frame)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_ends_with_the_line_of_its_last_chunk_and_not_before() {
        let signed = format!(
            "5;chunk-signature={0}\r\n0\r\n\r\n\r\n0;chunk-signature={0}\r\n\r\n",
            "a0".repeat(32)
        );
        for (text, ends) in [
            ("3\r\nabc\r\n0\r\n\r\n", true),
            ("3\r\nabc\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n", true),
            ("0\r\n", true),
            ("3\r\nabc\r\n", false),
            ("3\r\nabc", false),
            ("5\r\n0\r\n\r\n\r\n", false),
            ("", false),
            (&signed, true),
            (&signed[..100], false),
        ] {
            for step in [1, 3, text.len().max(1)] {
                let mut chunks = ChunkParser(ChunkState::Line { size: 0, over: false });
                text.as_bytes().chunks(step).for_each(|bytes| chunks.push(bytes));
                assert_eq!(chunks.0 == ChunkState::End, ends, "{text:?} in steps of {step}");
            }
        }
    }
}
