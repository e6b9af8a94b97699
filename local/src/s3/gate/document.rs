//! Bodies that are documents of the protocol: read whole, and compared with their checksums, before they are acted on.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::HeaderMap;
use md5::{Digest as _, Md5};
use s3s::{S3Result, s3_error};

use super::{
    headers::checksum_headers,
    operations::{Operation, OperationName},
};
use crate::s3::checksum::Algorithm;
use crate::s3::request_amendment::{Amend, has_cdata};

/// Ten thousand parts with a checksum each, and a thousand of the longest keys, are less.
pub(in crate::s3) const LARGEST: usize = 8 << 20;

/// The request with its body in memory.
pub(in crate::s3) async fn read_document(request: Request, operation: &Operation) -> S3Result<Request> {
    let (mut parts, body) = request.into_parts();
    let body = to_bytes(body, LARGEST).await.map_err(|_| {
        s3_error!(
            IncompleteBody,
            "The body ended early, or has more than {LARGEST} bytes."
        )
    })?;
    check_digests(operation, &parts.headers, &body)?;
    check_content(operation, &body)?;
    if has_cdata(&body) {
        parts.extensions.insert(Amend);
    }
    Ok(Request::from_parts(parts, Body::from(body)))
}

fn check_digests(operation: &Operation, headers: &HeaderMap, body: &Bytes) -> S3Result {
    let mismatch = |name: &str| {
        s3_error!(
            BadDigest,
            "The {name} you specified did not match the calculated checksum."
        )
    };
    if let Some(said) = headers.get("content-md5")
        && BASE64_STANDARD.encode(Md5::digest(body)).as_bytes() != said.as_bytes()
    {
        return Err(mismatch("Content-MD5"));
    }
    // Those of CompleteMultipartUpload are of the object.
    if operation.name == OperationName::CompleteMultipartUpload {
        return Ok(());
    }
    for (name, said) in checksum_headers(headers) {
        let algorithm = Algorithm::from_header(name)?;
        let mut hasher = algorithm.hasher();
        hasher.update(body);
        if algorithm.stored_checksum(&hasher.finalize())?.value != said {
            return Err(mismatch(algorithm.name()));
        }
    }
    Ok(())
}

/// Refuses what the protocol library would ignore.
fn check_content(operation: &Operation, body: &Bytes) -> S3Result {
    if operation.name == OperationName::CreateBucket && contains(body, b"<Tag") {
        return Err(s3_error!(
            NotImplemented,
            "Tags of a bucket are not implemented here."
        ));
    }
    Ok(())
}

fn contains(body: &[u8], text: &[u8]) -> bool {
    body.windows(text.len()).any(|window| window == text)
}
