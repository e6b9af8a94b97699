//! Signatures the protocol library would let pass and S3 refuses. The library checks the signature itself.

use axum::extract::Request;
use http::{HeaderMap, HeaderName, header};
use s3s::{S3Result, s3_error};

use super::query::Query;

/// The longest a presigned URL can be good for: seven days.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html>
const LONGEST_PRESIGNED: u32 = 604_800;

pub(super) fn check(request: &Request) -> S3Result {
    let authorization = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let query = Query::parse(request.uri().query());
    // Presigned URLs of version 2 stay: the AWS CLI and boto3 still make them for us-east-1 unless configured otherwise.
    if authorization.is_some_and(|value| value.starts_with("AWS ")) {
        return Err(s3_error!(
            InvalidRequest,
            "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256."
        ));
    }
    let signed = authorization
        .and_then(|text| {
            text.split(',')
                .find_map(|part| part.trim().strip_prefix("SignedHeaders="))
        })
        .or_else(|| query.get("X-Amz-SignedHeaders"));
    if signed.is_some_and(|signed| leaves_unsigned(signed, request.headers())) {
        return Err(s3_error!(
            AccessDenied,
            "There were headers present in the request which were not signed"
        ));
    }
    let expires = query.get("X-Amz-Expires").map(str::parse::<u32>);
    match expires {
        Some(Ok(seconds)) if seconds > LONGEST_PRESIGNED => Err(s3_error!(
            AuthorizationQueryParametersError,
            "X-Amz-Expires must be less than a week (in seconds) that is {LONGEST_PRESIGNED}"
        )),
        _ => Ok(()),
    }
}

/// Whether there is an `x-amz-` header that the signature does not cover: with `x-amz-copy-source` added, a signed upload
/// would become a copy of any other object. S3 refuses these too; `x-amz-user-agent` does nothing, and a presigned link
/// covers its body or does not.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>
fn leaves_unsigned(signed: &str, headers: &HeaderMap) -> bool {
    const HARMLESS: [&str; 2] = ["x-amz-user-agent", "x-amz-content-sha256"];
    let covered = |name: &str| signed.split(';').any(|signed| signed.trim() == name);
    let of_s3 = headers
        .keys()
        .map(HeaderName::as_str)
        .filter(|name| name.starts_with("x-amz-") && !HARMLESS.contains(name));
    of_s3.into_iter().any(|name| !covered(name))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_signature_covers_every_header_that_means_something_to_s3() {
        let headers = |names: &[&'static str]| -> HeaderMap {
            let value = HeaderValue::from_static("x");
            names
                .iter()
                .map(|name| (HeaderName::from_static(name), value.clone()))
                .collect()
        };
        for (signed, sent, expected) in [
            ("host;x-amz-date", vec!["host", "x-amz-date", "range"], false),
            ("host", vec!["host", "x-amz-copy-source"], true),
            ("host;x-amz-date", vec!["x-amz-date", "x-amz-acl"], true),
            ("host;x-amz-dates", vec!["x-amz-date"], true),
            ("", vec!["x-amz-meta-a"], true),
            ("host", vec!["x-amz-content-sha256", "x-amz-user-agent"], false),
        ] {
            assert_eq!(
                leaves_unsigned(signed, &headers(&sent)),
                expected,
                "{signed} {sent:?}"
            );
        }
    }
}
