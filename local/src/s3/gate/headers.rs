//! Headers that ask for something: what this store does is allowed, the rest is refused by name. An uploader that asked for
//! a lock, a key or a reader must not believe it got one.

use base64::{Engine, prelude::BASE64_STANDARD};
use http::{HeaderMap, StatusCode};
use s3s::{S3Error, S3Result, s3_error};

use super::operations::{Content, Operation};
use crate::info::ACCOUNT;
use crate::s3::{checksum, error::custom_error};

/// Headers, and the values with which they ask for what every object here has anyway.
const HARMLESS_VALUES: [(&str, &[&str]); 11] = [
    ("x-amz-acl", &["private", "bucket-owner-full-control"]),
    ("x-amz-storage-class", &["STANDARD"]),
    ("x-amz-server-side-encryption", &["AES256"]),
    ("x-amz-server-side-encryption-bucket-key-enabled", &["false"]),
    ("x-amz-object-lock-legal-hold", &["OFF"]),
    ("x-amz-object-lock-event-hold", &["OFF"]),
    ("x-amz-bucket-object-lock-enabled", &["false"]),
    ("x-amz-object-ownership", &["BucketOwnerEnforced"]),
    ("x-amz-bucket-namespace", &["global"]),
    ("x-amz-bypass-governance-retention", &["false"]),
    ("x-amz-request-payer", &["requester"]),
];

/// Headers that reading operations may not have either: AWS would answer them differently.
const REFUSED_OF_READS: [&str; 3] = [
    "x-amz-server-side-encryption-customer-",
    "x-amz-copy-source-server-side-encryption-customer-",
    "x-amz-mfa",
];

/// Headers that any request may have. Their values are checked where they matter.
const ALLOWED: [&str; 10] = [
    "x-amz-date",
    "x-amz-content-sha256",
    "x-amz-decoded-content-length",
    "x-amz-security-token",
    "x-amz-user-agent",
    "x-amz-trailer",
    "x-amz-expected-bucket-owner",
    "x-amz-source-expected-bucket-owner",
    "x-amz-sdk-checksum-algorithm",
    "x-amz-optional-object-attributes",
];

/// Headers that some operations act on, and the others ignore as AWS does.
const ALLOWED_OR_IGNORED: [&str; 16] = [
    "x-amz-checksum-algorithm",
    "x-amz-checksum-mode",
    "x-amz-checksum-type",
    "x-amz-copy-source",
    "x-amz-copy-source-if-match",
    "x-amz-copy-source-if-modified-since",
    "x-amz-copy-source-if-none-match",
    "x-amz-copy-source-if-unmodified-since",
    "x-amz-copy-source-range",
    "x-amz-metadata-directive",
    "x-amz-tagging-directive",
    // Objects here have no annotations that could be copied or not.
    "x-amz-object-annotation-directive",
    "x-amz-mp-object-size",
    "x-amz-if-match-last-modified-time",
    "x-amz-if-match-size",
    "x-amz-max-parts",
];

const CONDITIONS: [&str; 4] = [
    "if-match",
    "if-none-match",
    "if-modified-since",
    "if-unmodified-since",
];

pub(super) fn check(operation: &Operation, headers: &HeaderMap) -> S3Result {
    check_owner(headers)?;
    for (name, value) in headers {
        let (name, value) = (name.as_str(), value.to_str().unwrap_or_default());
        if !is_supported(operation, name, value) {
            return Err(unsupported_header(name));
        }
    }
    check_md5(headers)?;
    check_checksums(operation, headers)
}

fn unsupported_header(name: &str) -> S3Error {
    s3_error!(
        NotImplemented,
        "A header you provided is not implemented here, with this value and for this operation: {name}"
    )
}

fn is_supported(operation: &Operation, name: &str, value: &str) -> bool {
    if let Some((_, fine)) = HARMLESS_VALUES.iter().find(|(known, _)| *known == name) {
        return fine.contains(&value) || (name == "x-amz-acl" && value.is_empty());
    }
    if REFUSED_OF_READS.iter().any(|asked| name.starts_with(asked)) {
        return false;
    }
    if !operation.writes() {
        return true;
    }
    if CONDITIONS.contains(&name) {
        return operation.conditions.contains(&name);
    }
    match name {
        // A part of an object cannot be replaced: the part would become the object.
        "content-range" => false,
        "x-amz-tagging" => operation.takes_description(),
        _ if !name.starts_with("x-amz-") => true,
        _ if name.starts_with("x-amz-meta-") || name.starts_with("x-amz-checksum-") => true,
        _ => ALLOWED.contains(&name) || ALLOWED_OR_IGNORED.contains(&name),
    }
}

/// Everything here belongs to one account.
fn check_owner(headers: &HeaderMap) -> S3Result {
    let expected = [
        "x-amz-expected-bucket-owner",
        "x-amz-source-expected-bucket-owner",
    ];
    let mut named = expected.iter().flat_map(|name| headers.get_all(*name));
    match named.any(|owner| owner.as_bytes() != ACCOUNT.as_bytes()) {
        true => Err(s3_error!(
            AccessDenied,
            "The bucket is owned by {ACCOUNT}, not by the account you expected."
        )),
        false => Ok(()),
    }
}

fn check_md5(headers: &HeaderMap) -> S3Result {
    let Some(claimed) = headers.get("content-md5") else {
        return Ok(());
    };
    match BASE64_STANDARD.decode(claimed.as_bytes()) {
        Ok(raw) if raw.len() == 16 => Ok(()),
        _ => Err(s3_error!(
            InvalidDigest,
            "The Content-MD5 you specified is not valid."
        )),
    }
}

/// Refuses a checksum that would not be checked.
fn check_checksums(operation: &Operation, headers: &HeaderMap) -> S3Result {
    for name in ["x-amz-sdk-checksum-algorithm", "x-amz-checksum-algorithm"] {
        if let Some(asked) = text(headers, name) {
            checksum::Algorithm::from_name(asked)?;
        }
    }
    for (name, value) in checksum_headers(headers) {
        let algorithm = checksum::Algorithm::from_header(name)?;
        if !algorithm.is_value(value) && operation.content != Content::None {
            return Err(s3_error!(InvalidRequest, "Value for {name} header is invalid."));
        }
    }
    if checksum_headers(headers).count() > 1 {
        return Err(s3_error!(
            InvalidRequest,
            "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."
        ));
    }
    let trailers: Vec<String> = checksum::announced_trailers(headers);
    for name in &trailers {
        checksum::Algorithm::from_header(name)?;
    }
    if operation.content == Content::None || !operation.writes() {
        return Ok(());
    }
    if operation.content == Content::Xml && is_streamed(headers) {
        return Err(custom_error(
            "NotImplemented",
            StatusCode::NOT_IMPLEMENTED,
            format!(
                "{} is not taken in chunks (aws-chunked) here. Sign its body as a whole.",
                operation.name
            ),
        ));
    }
    if let Some(asked) = text(headers, "x-amz-sdk-checksum-algorithm") {
        let header = checksum::Algorithm::from_name(asked)?.header();
        if !headers.contains_key(header) && !trailers.iter().any(|name| name == header) {
            return Err(s3_error!(
                InvalidRequest,
                "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found."
            ));
        }
    }
    Ok(())
}

/// The headers that carry a checksum, not those that are about checksums.
pub(super) fn checksum_headers(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    const ABOUT: [&str; 3] = [
        "x-amz-checksum-algorithm",
        "x-amz-checksum-mode",
        "x-amz-checksum-type",
    ];
    headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.to_str().unwrap_or_default()))
        .filter(|(name, _)| name.starts_with("x-amz-checksum-") && !ABOUT.contains(name))
}

pub(super) fn is_streamed(headers: &HeaderMap) -> bool {
    text(headers, "x-amz-content-sha256").is_some_and(|payload| payload.starts_with("STREAMING-"))
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}
