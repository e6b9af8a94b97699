//! Checking a signature version 4: the request is signed again, and the signatures are compared.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials as Identity;
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4,
};
use http::{HeaderMap, header, request::Parts};
use jiff::{civil::DateTime, tz::TimeZone};

use super::{Credentials, refusal::Refusal};

/// How far a client's clock may be off.
const SKEW: Duration = Duration::from_secs(15 * 60);

/// The parts of `AWS4-HMAC-SHA256 Credential=…/date/region/service/aws4_request, SignedHeaders=…, Signature=…`.
#[derive(Debug, PartialEq, Eq)]
struct Authorization<'h> {
    access_key_id: &'h str,
    date: &'h str,
    region: &'h str,
    service: &'h str,
    signed_headers: Vec<&'h str>,
    signature: &'h str,
}

impl<'h> Authorization<'h> {
    fn parse(text: &'h str) -> Result<Self, Refusal> {
        let rest = text.strip_prefix("AWS4-HMAC-SHA256").ok_or(Refusal::Incomplete(
            "Only AWS4-HMAC-SHA256 signatures are accepted.",
        ))?;
        let field = |name: &str| {
            rest.split(',')
                .find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='))
        };
        let credential = field("Credential").ok_or(Refusal::Incomplete(
            "Authorization header requires 'Credential' parameter.",
        ))?;
        let signed_headers = field("SignedHeaders").ok_or(Refusal::Incomplete(
            "Authorization header requires 'SignedHeaders' parameter.",
        ))?;
        let signature = field("Signature").ok_or(Refusal::Incomplete(
            "Authorization header requires 'Signature' parameter.",
        ))?;
        let [access_key_id, date, region, service, "aws4_request"] =
            credential.split('/').collect::<Vec<_>>()[..]
        else {
            return Err(Refusal::Incomplete(
                "Credential must be KEY/DATE/REGION/SERVICE/aws4_request.",
            ));
        };
        let signed_headers = signed_headers.split(';').collect();
        Ok(Authorization {
            access_key_id,
            date,
            region,
            service,
            signed_headers,
            signature,
        })
    }
}

pub(super) fn verify(
    request: &Parts,
    body: &[u8],
    credentials: &Credentials,
    service: &str,
    now: SystemTime,
) -> Result<(), Refusal> {
    let header = text(&request.headers, header::AUTHORIZATION.as_str()).ok_or(Refusal::Missing)?;
    let authorization = Authorization::parse(header)?;
    if authorization.access_key_id != credentials.access_key_id {
        return Err(Refusal::UnknownKey);
    }
    if authorization.service != service {
        return Err(Refusal::WrongService);
    }
    let date = text(&request.headers, "x-amz-date")
        .ok_or(Refusal::Incomplete("The request has no x-amz-date header."))?;
    let time = parse_time(date)?;
    if !date.starts_with(authorization.date) {
        return Err(Refusal::Incomplete(
            "The date in Credential scope does not match x-amz-date.",
        ));
    }
    if now.duration_since(time).unwrap_or_else(|early| early.duration()) > SKEW {
        return Err(Refusal::Skewed);
    }
    // `*` and the `host:port` of a CONNECT are addresses too; there is nothing in them to sign.
    if !request.uri.path().starts_with('/') {
        return Err(Refusal::Incomplete("The request's address has no path."));
    }
    check_coverage(&authorization, &request.headers)?;
    let expected = sign_again(request, body, credentials, &authorization, time)?;
    aws_lc_rs::constant_time::verify_slices_are_equal(expected.as_bytes(), authorization.signature.as_bytes())
        .map_err(|_| Refusal::Mismatch)
}

/// A signature that leaves out the host or an `x-amz-` header would hold for other requests too.
fn check_coverage(authorization: &Authorization<'_>, headers: &HeaderMap) -> Result<(), Refusal> {
    let signed = |name: &str| authorization.signed_headers.contains(&name);
    let covered = text(headers, "host").is_some()
        && signed("host")
        && headers
            .keys()
            .all(|name| !name.as_str().starts_with("x-amz-") || signed(name.as_str()));
    match covered {
        true => Ok(()),
        false => Err(Refusal::Incomplete(
            "'Host' and every 'X-Amz-' header of the request must be a SignedHeader.",
        )),
    }
}

fn sign_again(
    request: &Parts,
    body: &[u8],
    credentials: &Credentials,
    authorization: &Authorization<'_>,
    time: SystemTime,
) -> Result<String, Refusal> {
    let mut signed = Vec::new();
    for name in &authorization.signed_headers {
        let values = request.headers.get_all(*name);
        signed.extend(
            values
                .into_iter()
                .filter_map(|value| Some((*name, value.to_str().ok()?))),
        );
    }
    // Only what the client signed goes in, so nothing is to be left out.
    let mut settings = SigningSettings::default();
    settings.excluded_headers = None;
    let identity = Identity::new(
        &credentials.access_key_id,
        &credentials.secret_access_key,
        None,
        None,
        "groundcrew",
    )
    .into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(authorization.region)
        .name(authorization.service)
        .time(time)
        .settings(settings)
        .build()
        .map_err(|_| Refusal::Mismatch)?
        .into();
    let again = SignableRequest::new(
        request.method.as_str(),
        request.uri.to_string(),
        signed.into_iter(),
        SignableBody::Bytes(body),
    );
    let signed = again
        .and_then(|again| sign(again, &params))
        .map_err(|_| Refusal::Mismatch)?;
    Ok(signed.signature().to_owned())
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

/// `20261121T100000Z`.
fn parse_time(date: &str) -> Result<SystemTime, Refusal> {
    let parsed = DateTime::strptime("%Y%m%dT%H%M%SZ", date).and_then(|time| time.to_zoned(TimeZone::UTC));
    parsed
        .map(|time| time.timestamp().into())
        .map_err(|_| Refusal::Incomplete("x-amz-date must look like 20261121T100000Z."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderValue, Request};

    const NOW: &str = "20261121T100000Z";

    fn credentials() -> Credentials {
        Credentials {
            access_key_id: "AKID".into(),
            secret_access_key: "secret".into(),
        }
    }

    fn sign_parts(secret: &str, service: &str, body: &[u8]) -> Parts {
        let request = Request::post("/")
            .header("host", "127.0.0.1:4566")
            .header("x-amz-target", "AmazonSQS.SendMessage");
        let (mut parts, ()) = request
            .header("content-type", "application/x-amz-json-1.0")
            .body(())
            .unwrap()
            .into_parts();
        let identity = Identity::new("AKID", secret, None, None, "test").into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region("us-east-1")
            .name(service)
            .time(parse_time(NOW).unwrap())
            .settings(SigningSettings::default())
            .build()
            .unwrap()
            .into();
        let headers: Vec<(String, String)> = parts
            .headers
            .iter()
            .map(|(n, v)| (n.to_string(), v.to_str().unwrap().to_owned()))
            .collect();
        let headers = headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        let signable = SignableRequest::new("POST", "/", headers, SignableBody::Bytes(body)).unwrap();
        for (name, value) in sign(signable, &params).unwrap().into_parts().0.headers() {
            parts.headers.insert(
                http::HeaderName::try_from(name).unwrap(),
                HeaderValue::try_from(value).unwrap(),
            );
        }
        parts
    }

    fn outcome(parts: &Parts, body: &[u8], now: &str) -> Result<(), Refusal> {
        verify(parts, body, &credentials(), "sqs", parse_time(now).unwrap())
    }

    #[test]
    fn a_request_signed_with_the_right_secret_passes() {
        assert_eq!(outcome(&sign_parts("secret", "sqs", b"{}"), b"{}", NOW), Ok(()));
    }

    #[test]
    fn a_request_that_was_changed_is_refused() {
        let good = sign_parts("secret", "sqs", b"{}");
        assert_eq!(outcome(&good, b"{ }", NOW), Err(Refusal::Mismatch));
        assert_eq!(
            outcome(&sign_parts("guess", "sqs", b"{}"), b"{}", NOW),
            Err(Refusal::Mismatch)
        );
        assert_eq!(
            outcome(&sign_parts("secret", "sns", b"{}"), b"{}", NOW),
            Err(Refusal::WrongService)
        );
        let mut retargeted = sign_parts("secret", "sqs", b"{}");
        retargeted
            .headers
            .insert("x-amz-target", HeaderValue::from_static("AmazonSQS.DeleteQueue"));
        assert_eq!(outcome(&retargeted, b"{}", NOW), Err(Refusal::Mismatch));
        let mut added = sign_parts("secret", "sqs", b"{}");
        added.headers.insert("x-amz-extra", HeaderValue::from_static("1"));
        assert!(matches!(outcome(&added, b"{}", NOW), Err(Refusal::Incomplete(_))));
        let mut unsigned = sign_parts("secret", "sqs", b"{}");
        unsigned.headers.remove(header::AUTHORIZATION);
        assert_eq!(outcome(&unsigned, b"{}", NOW), Err(Refusal::Missing));
    }

    #[test]
    fn an_address_without_a_path_is_refused() {
        for address in [",", "127.0.0.1:4566", "*"] {
            let mut parts = sign_parts("secret", "sqs", b"{}");
            parts.uri = address.parse().unwrap();
            let refused = outcome(&parts, b"{}", NOW);
            assert!(
                matches!(refused, Err(Refusal::Incomplete(_))),
                "{address}: {refused:?}"
            );
        }
    }

    #[test]
    fn a_clock_may_be_off_by_fifteen_minutes() {
        let parts = sign_parts("secret", "sqs", b"{}");
        for (now, expected) in [
            ("20261121T101500Z", Ok(())),
            ("20261121T094500Z", Ok(())),
            ("20261121T101501Z", Err(Refusal::Skewed)),
            ("20261121T094459Z", Err(Refusal::Skewed)),
        ] {
            assert_eq!(outcome(&parts, b"{}", now), expected, "at {now}");
        }
    }

    #[test]
    fn half_an_authorization_says_what_is_missing() {
        for text in [
            "Bearer x",
            "AWS4-HMAC-SHA256 Credential=a/b/c/d/aws4_request, SignedHeaders=host",
            "AWS4-HMAC-SHA256 Credential=a/b",
        ] {
            assert!(
                matches!(Authorization::parse(text), Err(Refusal::Incomplete(_))),
                "{text}"
            );
        }
    }
}
