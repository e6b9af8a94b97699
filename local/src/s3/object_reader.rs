//! Giving out an object's bytes, whole or a range of them.

use std::{ops::Range, sync::Arc};

use bytes::Bytes;
use futures::{SinkExt, channel::mpsc};
use s3s::{S3Result, dto::StreamingBlob};
use tokio::{
    fs::File,
    io::{AsyncReadExt, AsyncSeekExt},
};

use super::{
    error::disk_error,
    store::{
        Store,
        blobs::{BlobPin, Blobs},
        index,
        record::{BytesLocation, ObjectRecord, Segment},
    },
};

const CHUNK: usize = 128 << 10;

/// An object as it was when it was looked up; its bytes stay readable as long as this lives.
pub(super) struct OpenObject {
    pub(super) record: ObjectRecord,
    bytes: Bytes,
    blobs: Arc<Blobs>,
    pin: BlobPin,
}

/// The object, if the bucket and the object exist.
pub(super) fn open(store: &Store, bucket: &str, key: &str) -> S3Result<Option<OpenObject>> {
    let pin = store.blobs.pin();
    let snapshot = store.snapshot()?;
    let Some(record) = index::object(&snapshot.objects, bucket, key)? else {
        return index::bucket(&snapshot.buckets, bucket).map(|_| None);
    };
    let bytes = match record.details.bytes {
        BytesLocation::Inline => index::body(&snapshot.bodies, bucket, key)?.into(),
        BytesLocation::Files(_) => Bytes::new(),
    };
    Ok(Some(OpenObject {
        record,
        bytes,
        blobs: store.blobs.clone(),
        pin,
    }))
}

impl OpenObject {
    /// The bytes in `range`, which lies within the object.
    pub(super) async fn stream(self, range: Range<u64>) -> S3Result<StreamingBlob> {
        if self.record.details.bytes == BytesLocation::Inline {
            let range = usize::try_from(range.start).unwrap_or(usize::MAX)
                ..usize::try_from(range.end).unwrap_or(usize::MAX);
            return Ok(s3s::Body::from(self.bytes.slice(range)).into());
        }
        let mut reads = pieces(self.record.segments(), range);
        let first = match reads.first() {
            Some(piece) => Some(piece.open(&self.blobs).await.map_err(disk_error)?),
            None => None,
        };
        let (send, receive) = mpsc::channel(2);
        let rest = if reads.is_empty() {
            reads
        } else {
            reads.split_off(1)
        };
        tokio::spawn(async move {
            let _pin = &self.pin;
            send_pieces(&self.blobs, first, rest, send).await;
        });
        Ok(StreamingBlob::wrap(receive))
    }

    /// The same files under new names, for a copy; none when the bytes lie beside the index.
    pub(super) fn segments(&self) -> &[Segment] {
        self.record.segments()
    }

    pub(super) fn inline(&self) -> Option<Bytes> {
        (self.record.details.bytes == BytesLocation::Inline).then(|| self.bytes.clone())
    }
}

/// A stretch of one file.
#[derive(Debug, PartialEq, Eq)]
struct FilePiece {
    blob: uuid::Uuid,
    from: u64,
    length: u64,
}

impl FilePiece {
    async fn open(&self, blobs: &Blobs) -> std::io::Result<(File, u64)> {
        let path = blobs.path(self.blob);
        // A reader may have a copy of it.
        let named =
            |error: std::io::Error| std::io::Error::new(error.kind(), format!("{}: {error}", path.display()));
        let mut file = File::open(&path).await.map_err(named)?;
        file.seek(std::io::SeekFrom::Start(self.from)).await?;
        Ok((file, self.length))
    }
}

fn pieces(segments: &[Segment], range: Range<u64>) -> Vec<FilePiece> {
    let mut pieces = Vec::new();
    let mut start = 0;
    for segment in segments {
        let end = start + segment.size;
        let (from, to) = (range.start.max(start), range.end.min(end));
        if from < to {
            pieces.push(FilePiece {
                blob: segment.blob,
                from: from - start,
                length: to - from,
            });
        }
        start = end;
    }
    pieces
}

type ChunkSender = mpsc::Sender<Result<Bytes, std::io::Error>>;

/// Reads ahead by a few chunks; ends when the client goes.
async fn send_pieces(blobs: &Blobs, first: Option<(File, u64)>, rest: Vec<FilePiece>, mut to: ChunkSender) {
    if let Some(first) = first
        && !send_piece(first, &mut to).await
    {
        return;
    }
    for piece in rest {
        let sent = match piece.open(blobs).await {
            Ok(opened) => send_piece(opened, &mut to).await,
            Err(error) => to.send(Err(error)).await.is_err(),
        };
        if !sent {
            return;
        }
    }
}

/// Whether all of it was sent.
async fn send_piece((mut file, mut left): (File, u64), to: &mut ChunkSender) -> bool {
    while left > 0 {
        let mut chunk = vec![0; usize::try_from(left).unwrap_or(CHUNK).min(CHUNK)];
        let read = match file.read(&mut chunk).await {
            Ok(0) => {
                tracing::error!(
                    missing = left,
                    "a file of the object store is shorter than what was stored in it"
                );
                Err(std::io::ErrorKind::UnexpectedEof.into())
            }
            other => other,
        };
        let chunk = read.map(|read| {
            chunk.truncate(read);
            Bytes::from(chunk)
        });
        left -= chunk.as_ref().map_or(left, |chunk| chunk.len() as u64);
        let failed = chunk.is_err();
        if to.send(chunk).await.is_err() || failed {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn a_range_is_cut_from_the_files_it_touches() {
        let blobs = [Uuid::from_u128(1), Uuid::from_u128(2), Uuid::from_u128(3)];
        let segments = blobs.map(|blob| Segment { blob, size: 10 });
        let cut = |range| {
            pieces(&segments, range)
                .iter()
                .map(|p| (p.blob.as_u128(), p.from, p.length))
                .collect::<Vec<_>>()
        };
        assert_eq!(cut(0..30), [(1, 0, 10), (2, 0, 10), (3, 0, 10)]);
        assert_eq!(cut(5..15), [(1, 5, 5), (2, 0, 5)]);
        assert_eq!(cut(10..11), [(2, 0, 1)]);
        assert_eq!(cut(29..30), [(3, 9, 1)]);
        assert_eq!(cut(0..0), []);
    }
}
