//! Which failures of an AWS call may pass by themselves.
#![cfg_attr(
    not(any(feature = "s3", feature = "sagemaker", feature = "sns")),
    allow(dead_code)
)]

/// Error codes that say "later", whatever HTTP status they come with (S3 sends RequestTimeout as 400, awsJson services
/// send throttling as 400): <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html> and
/// <https://docs.aws.amazon.com/awssupport/latest/APIReference/CommonErrors.html>.
const LATER: [&str; 14] = [
    "ConditionalRequestConflict",
    "ExpiredToken",
    "ExpiredTokenException",
    "InternalError",
    "InternalFailure",
    "OperationAborted",
    "PriorRequestNotComplete",
    "RequestLimitExceeded",
    "RequestTimeout",
    "ServiceUnavailable",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
];

/// Whether the same call may work later. `status` is absent when no answer came at all.
pub(crate) fn may_pass(status: Option<u16>, code: Option<&str>) -> bool {
    status.is_none_or(|s| s >= 500 || matches!(s, 408 | 409 | 429))
        || code.is_some_and(|code| LATER.contains(&code))
}

/// What went wrong in one line, from the parts of an SDK error. An answer without an error code is named by its
/// status alone: its headers and body are nobody's business.
pub(crate) fn reason(
    status: Option<u16>,
    code: Option<&str>,
    message: Option<&str>,
    unanswered: impl FnOnce() -> String,
) -> String {
    match (status, code, message) {
        (_, Some(code), Some(message)) => format!("{code}: {message}"),
        (_, Some(code), None) => code.to_owned(),
        (Some(status), None, _) => format!("HTTP status {status}, without an error code"),
        (None, None, _) => unanswered(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_a_conflict_and_throttling_may_pass_and_a_refusal_does_not() {
        assert!(may_pass(None, None));
        assert!(may_pass(Some(503), Some("SlowDown")));
        assert!(may_pass(Some(409), Some("ConditionalRequestConflict")));
        assert!(may_pass(Some(400), Some("ThrottlingException")));
        assert!(!may_pass(Some(403), Some("AccessDenied")));
        assert!(!may_pass(Some(404), Some("NoSuchBucket")));
    }
}
