//! Which failures of an AWS call may pass by themselves.
#![cfg_attr(
    not(all(
        feature = "s3",
        feature = "sagemaker",
        feature = "sns",
        feature = "cognito",
        feature = "workforce"
    )),
    allow(dead_code)
)]

use shared::port::crew::CrewError;

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

/// A call about people that failed, in parts that can be told apart; no part names a person.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) operation: &'static str,
    pub(crate) code: Option<String>,
    /// What went wrong in one line.
    pub(crate) reason: String,
    may_pass: bool,
}

impl Failure {
    /// `sent`: the request left, or may have.
    pub(crate) fn new(
        operation: &'static str,
        sent: bool,
        (status, code, message): (Option<u16>, Option<&str>, Option<&str>),
        unanswered: impl FnOnce() -> String,
    ) -> Self {
        Self {
            operation,
            code: code.map(str::to_owned),
            reason: without_addresses(&reason(status, code, message, unanswered)),
            may_pass: sent && may_pass(status, code),
        }
    }

    pub(crate) fn code(&self) -> &str {
        self.code.as_deref().unwrap_or_default()
    }

    pub(crate) fn says(&self, words: &str) -> bool {
        self.reason.contains(words)
    }

    pub(crate) fn may_pass(&self) -> bool {
        self.may_pass
    }

    /// For a refusal that passes all the same.
    pub(crate) fn later(self) -> CrewError {
        CrewError::Transient {
            operation: self.operation,
            reason: self.reason,
        }
    }
}

impl From<Failure> for CrewError {
    fn from(failure: Failure) -> Self {
        if failure.may_pass {
            return failure.later();
        }
        Self::Refused {
            operation: failure.operation,
            reason: failure.reason,
        }
    }
}

/// Mail services name the address they refuse: it is nobody's business in a log.
fn without_addresses(text: &str) -> String {
    let words = text.split(' ');
    let words = words.map(|word| if word.contains('@') { "(address)" } else { word });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_names_no_person() {
        let message = "Email address is not verified: ana@example.org, in US-EAST-1";
        let failure = Failure::new(
            "AdminCreateUser",
            true,
            (Some(400), Some("CodeDeliveryFailureException"), Some(message)),
            String::new,
        );
        assert_eq!(
            failure.reason,
            "CodeDeliveryFailureException: Email address is not verified: (address) in US-EAST-1"
        );
    }

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
