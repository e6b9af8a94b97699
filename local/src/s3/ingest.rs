//! Receiving a body: counted, hashed and compared with what the client said of it; small ones in memory, large ones
//! straight to disk.

use std::sync::Arc;

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use futures::{Stream, StreamExt};
use http::StatusCode;
use md5::{Digest as _, Md5};
use s3s::{S3Error, S3Result, StdError, TrailingHeaders, checksum::ChecksumHasher, dto, s3_error};

use super::{
    checksum::{self, Algorithm, StoredChecksum},
    error::{custom_error, disk_error},
    store::{
        blobs::{BlobDraft, Blobs, SealedBlob},
        record::{BytesLocation, Segment},
    },
};

/// Up to here a body lies beside the index: one sync for many, no file for each.
const INLINE: usize = 32 << 10;
/// The largest object of one PUT, and the largest part.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>
const LARGEST: u64 = 5 << 30;

/// What the client said of the body it sends.
pub(super) struct BodyClaims {
    pub(super) length: Option<i64>,
    pub(super) md5: Option<String>,
    pub(super) checksum: dto::Checksum,
    /// The algorithm asked for, or that of the checksum that follows the body.
    pub(super) algorithm: Option<Algorithm>,
    /// The algorithm of the checksum to keep, when that is not simply the client's.
    pub(super) keep: Option<Algorithm>,
    pub(super) trailers: Option<TrailingHeaders>,
    /// The trailers that were announced: each must come.
    pub(super) announced: Vec<String>,
}

/// A body that is whole and what the client said of it.
pub(super) struct ReceivedBody {
    pub(super) size: u64,
    pub(super) md5: [u8; 16],
    /// The checksum to keep.
    pub(super) checksum: StoredChecksum,
    /// The checksum by the client's algorithm.
    pub(super) client_checksum: StoredChecksum,
    pub(super) held: ReceivedBytes,
}

pub(super) enum ReceivedBytes {
    Memory(Vec<u8>),
    Files(Vec<SealedBlob>),
}

impl ReceivedBytes {
    /// Where the record says the bytes are, and those that go beside the index. From here on the files are kept.
    pub(super) fn place(self) -> (BytesLocation, Option<Vec<u8>>) {
        match self {
            ReceivedBytes::Memory(bytes) => (BytesLocation::Inline, Some(bytes)),
            ReceivedBytes::Files(files) => (
                BytesLocation::Files(files.into_iter().map(SealedBlob::keep).collect()),
                None,
            ),
        }
    }

    /// The one file it is in.
    pub(super) fn file(self) -> Option<Segment> {
        match self {
            ReceivedBytes::Memory(_) => None,
            ReceivedBytes::Files(files) => files.into_iter().next().map(SealedBlob::keep),
        }
    }
}

impl BodyClaims {
    /// For bytes of the store itself, of which no client said anything.
    pub(super) fn none(algorithm: Option<Algorithm>) -> BodyClaims {
        BodyClaims {
            length: None,
            md5: None,
            checksum: dto::Checksum::default(),
            algorithm,
            keep: None,
            trailers: None,
            announced: Vec::new(),
        }
    }
}

/// Reads `body` to its end. `in_file`: also small ones go to a file, as parts do.
pub(super) async fn receive(
    blobs: &Arc<Blobs>,
    body: impl Stream<Item = Result<Bytes, StdError>> + Send,
    claims: BodyClaims,
    in_file: bool,
) -> S3Result<ReceivedBody> {
    if claims
        .length
        .is_some_and(|length| u64::try_from(length).is_ok_and(|length| length > LARGEST))
    {
        return Err(too_large());
    }
    let in_header = checksum::single(&claims.checksum);
    let client_algorithm = in_header
        .as_ref()
        .map(|(algorithm, _)| *algorithm)
        .or(claims.algorithm)
        .or_else(|| Algorithm::from_header(claims.announced.first()?).ok());
    let keep = claims.keep.or(client_algorithm).unwrap_or(Algorithm::Crc64Nvme);
    let mut receiver = BodyReceiver::new(blobs.clone(), keep, client_algorithm.unwrap_or(keep), in_file);
    let mut body = std::pin::pin!(body);
    while let Some(bytes) = body.next().await {
        receiver
            .push(&bytes.map_err(|error| broken_body(&error))?)
            .await?;
    }
    let received = receiver.finish().await?;
    claims.compare(&received, in_header.map(|(_, value)| value))?;
    Ok(received)
}

struct BodyReceiver {
    blobs: Arc<Blobs>,
    size: u64,
    md5: Md5,
    hasher: ChecksumHasher,
    keep: Algorithm,
    client_algorithm: Algorithm,
    memory: Vec<u8>,
    draft: Option<BlobDraft>,
    in_file: bool,
}

impl BodyReceiver {
    fn new(blobs: Arc<Blobs>, keep: Algorithm, client_algorithm: Algorithm, in_file: bool) -> Self {
        let mut hasher = keep.hasher();
        client_algorithm.add_to(&mut hasher);
        BodyReceiver {
            blobs,
            size: 0,
            md5: Md5::new(),
            hasher,
            keep,
            client_algorithm,
            memory: Vec::new(),
            draft: None,
            in_file,
        }
    }

    async fn push(&mut self, bytes: &[u8]) -> S3Result {
        self.size += bytes.len() as u64;
        if self.size > LARGEST {
            return Err(too_large());
        }
        self.md5.update(bytes);
        self.hasher.update(bytes);
        if self.draft.is_none() && !self.in_file && self.memory.len() + bytes.len() <= INLINE {
            self.memory.extend_from_slice(bytes);
            return Ok(());
        }
        self.draft().await?.write(bytes).await.map_err(disk_error)
    }

    /// The file, with what was in memory written to it.
    async fn draft(&mut self) -> S3Result<&mut BlobDraft> {
        if self.draft.is_none() {
            let mut draft = self.blobs.draft().await.map_err(disk_error)?;
            draft
                .write(&std::mem::take(&mut self.memory))
                .await
                .map_err(disk_error)?;
            self.draft = Some(draft);
        }
        self.draft.as_mut().ok_or_else(|| s3_error!(InternalError))
    }

    async fn finish(mut self) -> S3Result<ReceivedBody> {
        if self.in_file {
            self.draft().await?;
        }
        let held = match self.draft {
            Some(draft) => ReceivedBytes::Files(vec![draft.seal().await.map_err(disk_error)?]),
            None => ReceivedBytes::Memory(self.memory),
        };
        let computed = self.hasher.finalize();
        let (checksum, client_checksum) = (
            self.keep.stored_checksum(&computed)?,
            self.client_algorithm.stored_checksum(&computed)?,
        );
        Ok(ReceivedBody {
            size: self.size,
            md5: self.md5.finalize().into(),
            checksum,
            client_checksum,
            held,
        })
    }
}

impl BodyClaims {
    fn compare(&self, received: &ReceivedBody, in_header: Option<String>) -> S3Result {
        if self
            .length
            .is_some_and(|length| u64::try_from(length) != Ok(received.size))
        {
            return Err(s3_error!(
                IncompleteBody,
                "The body has {} bytes, not what Content-Length says.",
                received.size
            ));
        }
        if let Some(md5) = &self.md5 {
            compare_md5(md5, received.md5)?;
        }
        self.check_trailers()?;
        let claimed = in_header.or_else(|| self.in_trailer(received.client_checksum.algorithm));
        if claimed.is_some_and(|claimed| claimed != received.client_checksum.value) {
            let name = received.client_checksum.algorithm.name();
            return Err(s3_error!(
                BadDigest,
                "The {name} you specified did not match the calculated checksum."
            ));
        }
        Ok(())
    }

    fn check_trailers(&self) -> S3Result {
        let came = |name: &str| {
            let trailers = self.trailers.as_ref();
            trailers.and_then(|trailers| trailers.read(|headers| headers.contains_key(name))) == Some(true)
        };
        match self.announced.iter().find(|name| !came(name)) {
            None => Ok(()),
            Some(name) => Err(custom_error(
                "MalformedTrailerError",
                StatusCode::BAD_REQUEST,
                format!("x-amz-trailer announced {name}, which did not follow the body."),
            )),
        }
    }

    fn in_trailer(&self, algorithm: Algorithm) -> Option<String> {
        let trailers = self.trailers.as_ref()?;
        trailers
            .read(|headers| Some(headers.get(algorithm.header())?.to_str().ok()?.to_owned()))
            .flatten()
    }
}

fn compare_md5(claimed: &str, md5: [u8; 16]) -> S3Result {
    let claimed: Option<[u8; 16]> = BASE64_STANDARD
        .decode(claimed)
        .ok()
        .and_then(|raw| raw.try_into().ok());
    match claimed {
        None => Err(s3_error!(
            InvalidDigest,
            "The Content-MD5 you specified is not valid."
        )),
        Some(claimed) if claimed == md5 => Ok(()),
        Some(_) => Err(s3_error!(
            BadDigest,
            "The Content-MD5 you specified did not match what we received."
        )),
    }
}

fn too_large() -> S3Error {
    s3_error!(
        EntityTooLarge,
        "Your proposed upload exceeds the maximum allowed size of 5 GiB. Use a multipart upload."
    )
}

/// The protocol library reports its own checks through the stream. Their types are private to it; only their names
/// distinguish them.
fn broken_body(error: &StdError) -> S3Error {
    let message = error.to_string();
    if message.contains("Sha256Mismatch") {
        let mismatch = "The provided 'x-amz-content-sha256' header does not match what was computed.";
        custom_error(
            "XAmzContentSHA256Mismatch",
            StatusCode::BAD_REQUEST,
            mismatch.into(),
        )
    } else if message.contains("SignatureMismatch") {
        s3_error!(
            SignatureDoesNotMatch,
            "The signature of a chunk of the body does not match."
        )
    } else {
        s3_error!(IncompleteBody, "The body ended early or is malformed.")
    }
}
