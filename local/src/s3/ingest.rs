//! Taking in a body: counted, hashed and compared with what the client said of it, small ones in memory, large
//! ones straight to disk.

use std::sync::Arc;

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use futures::{Stream, StreamExt};
use http::StatusCode;
use md5::{Digest as _, Md5};
use s3s::{S3Error, S3Result, StdError, TrailingHeaders, checksum::ChecksumHasher, dto, s3_error};

use super::{
    checksum::{self, Algorithm, Stored},
    error::{custom, disk},
    store::{
        blobs::{Blobs, Draft, Sealed},
        record::{Segment, Whereabouts},
    },
};

/// Up to here a body lies beside the index: one sync for many, no file for each.
const INLINE: usize = 32 << 10;
/// The largest object of one PUT, and the largest part.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>
const LARGEST: u64 = 5 << 30;

/// What the client said of the body it sends.
pub(super) struct Claims {
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

/// A body taken in whole and found to be what the client said.
pub(super) struct Taken {
    pub(super) size: u64,
    pub(super) md5: [u8; 16],
    /// The checksum to keep.
    pub(super) checksum: Stored,
    /// The checksum by the client's algorithm.
    pub(super) echo: Stored,
    pub(super) held: Held,
}

pub(super) enum Held {
    Memory(Vec<u8>),
    Files(Vec<Sealed>),
}

impl Held {
    /// Where the record says the bytes are, and those that go beside the index. From here on the files are kept.
    pub(super) fn place(self) -> (Whereabouts, Option<Vec<u8>>) {
        match self {
            Held::Memory(bytes) => (Whereabouts::Inline, Some(bytes)),
            Held::Files(files) => (
                Whereabouts::Files(files.into_iter().map(Sealed::keep).collect()),
                None,
            ),
        }
    }

    /// The one file it is in.
    pub(super) fn file(self) -> Option<Segment> {
        match self {
            Held::Memory(_) => None,
            Held::Files(files) => files.into_iter().next().map(Sealed::keep),
        }
    }
}

impl Claims {
    /// Nothing is known but the algorithm: bytes of our own.
    pub(super) fn none(algorithm: Option<Algorithm>) -> Claims {
        Claims {
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
pub(super) async fn take(
    blobs: &Arc<Blobs>,
    body: impl Stream<Item = Result<Bytes, StdError>> + Send,
    claims: Claims,
    in_file: bool,
) -> S3Result<Taken> {
    if claims
        .length
        .is_some_and(|length| u64::try_from(length).is_ok_and(|length| length > LARGEST))
    {
        return Err(too_large());
    }
    let said = checksum::only(&claims.checksum);
    let told = said
        .as_ref()
        .map(|(algorithm, _)| *algorithm)
        .or(claims.algorithm)
        .or_else(|| Algorithm::of_header(claims.announced.first()?).ok());
    let keep = claims.keep.or(told).unwrap_or(Algorithm::Crc64Nvme);
    let mut intake = Intake::new(blobs.clone(), keep, told.unwrap_or(keep), in_file);
    let mut body = std::pin::pin!(body);
    while let Some(bytes) = body.next().await {
        intake.push(&bytes.map_err(|error| broken_body(&error))?).await?;
    }
    let taken = intake.finish().await?;
    claims.compare(&taken, said.map(|(_, value)| value))?;
    Ok(taken)
}

struct Intake {
    blobs: Arc<Blobs>,
    size: u64,
    md5: Md5,
    hasher: ChecksumHasher,
    keep: Algorithm,
    echo: Algorithm,
    memory: Vec<u8>,
    draft: Option<Draft>,
    in_file: bool,
}

impl Intake {
    fn new(blobs: Arc<Blobs>, keep: Algorithm, echo: Algorithm, in_file: bool) -> Self {
        let mut hasher = keep.hasher();
        echo.join_in(&mut hasher);
        Intake {
            blobs,
            size: 0,
            md5: Md5::new(),
            hasher,
            keep,
            echo,
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
        self.draft().await?.write(bytes).await.map_err(disk)
    }

    /// The file, with what was in memory written to it.
    async fn draft(&mut self) -> S3Result<&mut Draft> {
        if self.draft.is_none() {
            let mut draft = self.blobs.draft().await.map_err(disk)?;
            draft
                .write(&std::mem::take(&mut self.memory))
                .await
                .map_err(disk)?;
            self.draft = Some(draft);
        }
        self.draft.as_mut().ok_or_else(|| s3_error!(InternalError))
    }

    async fn finish(mut self) -> S3Result<Taken> {
        if self.in_file {
            self.draft().await?;
        }
        let held = match self.draft {
            Some(draft) => Held::Files(vec![draft.seal().await.map_err(disk)?]),
            None => Held::Memory(self.memory),
        };
        let computed = self.hasher.finalize();
        let (checksum, echo) = (self.keep.stored(&computed)?, self.echo.stored(&computed)?);
        Ok(Taken {
            size: self.size,
            md5: self.md5.finalize().into(),
            checksum,
            echo,
            held,
        })
    }
}

impl Claims {
    fn compare(&self, taken: &Taken, in_header: Option<String>) -> S3Result {
        if self
            .length
            .is_some_and(|length| u64::try_from(length) != Ok(taken.size))
        {
            return Err(s3_error!(
                IncompleteBody,
                "The body has {} bytes, not what Content-Length says.",
                taken.size
            ));
        }
        if let Some(md5) = &self.md5 {
            compare_md5(md5, taken.md5)?;
        }
        self.check_trailers()?;
        let said = in_header.or_else(|| self.in_trailer(taken.echo.algorithm));
        if said.is_some_and(|said| said != taken.echo.value) {
            let name = taken.echo.algorithm.name();
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
            Some(name) => Err(custom(
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

fn compare_md5(said: &str, md5: [u8; 16]) -> S3Result {
    let said: Option<[u8; 16]> = BASE64_STANDARD
        .decode(said)
        .ok()
        .and_then(|raw| raw.try_into().ok());
    match said {
        None => Err(s3_error!(
            InvalidDigest,
            "The Content-MD5 you specified is not valid."
        )),
        Some(said) if said == md5 => Ok(()),
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

/// The protocol's own checks speak through the stream; their types are private, their names are not.
fn broken_body(error: &StdError) -> S3Error {
    let said = error.to_string();
    if said.contains("Sha256Mismatch") {
        let message = "The provided 'x-amz-content-sha256' header does not match what was computed.";
        custom(
            "XAmzContentSHA256Mismatch",
            StatusCode::BAD_REQUEST,
            message.into(),
        )
    } else if said.contains("SignatureMismatch") {
        s3_error!(
            SignatureDoesNotMatch,
            "The signature of a chunk of the body does not match."
        )
    } else {
        s3_error!(IncompleteBody, "The body ended early or is malformed.")
    }
}
