//! Failed AWS calls: which of them may pass by themselves, and what is said of them.
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

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::display::DisplayErrorContext;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use shared::port::crew::CrewError;
use shared::port::{LabelingError, PublishError, RefusalScope, StoreError};

/// Error codes of calls that may work later, with any HTTP status (S3 sends RequestTimeout as 400, awsJson services
/// send throttling as 400): <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html> and
/// <https://docs.aws.amazon.com/awssupport/latest/APIReference/CommonErrors.html>.
const RETRYABLE: [&str; 14] = [
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

/// A failed call, in parts that code can branch on.
#[derive(Debug)]
pub(crate) struct Failure {
    operation: &'static str,
    status: Option<u16>,
    code: Option<String>,
    /// What went wrong in one line.
    reason: String,
    may_pass: bool,
}

impl Failure {
    pub(crate) fn of<E>(operation: &'static str, error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let status = error.raw_response().map(|response| response.status().as_u16());
        let was_sent = !matches!(error, SdkError::ConstructionFailure(_));
        let unanswered = || DisplayErrorContext(error).to_string();
        Self {
            operation,
            status,
            code: error.code().map(str::to_owned),
            reason: reason(status, error.code(), error.message(), unanswered),
            may_pass: was_sent && may_pass(status, error.code()),
        }
    }

    /// For a call about a person: the reason names none.
    pub(crate) fn of_person<E>(operation: &'static str, error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let failure = Self::of(operation, error);
        Self {
            reason: without_addresses(&failure.reason),
            ..failure
        }
    }

    /// Empty where the answer had none.
    pub(crate) fn code(&self) -> &str {
        self.code.as_deref().unwrap_or_default()
    }

    pub(crate) fn status(&self) -> Option<u16> {
        self.status
    }

    /// For what AWS says in words alone, with no code of its own.
    pub(crate) fn says(&self, words: &str) -> bool {
        self.reason.contains(words)
    }

    pub(crate) fn may_pass(&self) -> bool {
        self.may_pass
    }

    pub(crate) fn into_reason(self) -> String {
        self.reason
    }

    /// For a refusal that passes all the same.
    pub(crate) fn into_transient(self) -> CrewError {
        CrewError::Transient {
            operation: self.operation,
            reason: self.reason,
        }
    }

    pub(crate) fn into_store_error(self, what: String) -> StoreError {
        let scope = refusal_scope(self.code());
        let Self {
            operation, reason, ..
        } = self;
        match self.may_pass {
            true => StoreError::Transient {
                operation,
                what,
                reason,
            },
            false => StoreError::Refused {
                operation,
                what,
                scope,
                reason,
            },
        }
    }
}

impl From<Failure> for CrewError {
    fn from(failure: Failure) -> Self {
        if failure.may_pass {
            return failure.into_transient();
        }
        Self::Refused {
            operation: failure.operation,
            reason: failure.reason,
        }
    }
}

impl From<Failure> for LabelingError {
    fn from(failure: Failure) -> Self {
        let Failure {
            operation, reason, ..
        } = failure;
        match failure.may_pass {
            true => Self::Transient { operation, reason },
            false => Self::Refused { operation, reason },
        }
    }
}

impl From<Failure> for PublishError {
    fn from(failure: Failure) -> Self {
        Self {
            reason: failure.reason,
        }
    }
}

/// Whether the same call may work later. `status` is absent when no answer came at all.
fn may_pass(status: Option<u16>, code: Option<&str>) -> bool {
    status.is_none_or(|s| s >= 500 || matches!(s, 408 | 409 | 429))
        || code.is_some_and(|code| RETRYABLE.contains(&code))
}

/// By S3's error codes: <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>. Those of KMS begin with its
/// name.
fn refusal_scope(code: &str) -> RefusalScope {
    match code {
        "AccessDenied" | "InvalidObjectState" => RefusalScope::Object,
        _ if code.starts_with("KMS.") => RefusalScope::Object,
        "NoSuchBucket" | "PermanentRedirect" | "AllAccessDisabled" => RefusalScope::Bucket,
        _ => RefusalScope::Other,
    }
}

/// An answer without an error code is named by its status alone: its headers and body do not belong in a log.
fn reason(
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

/// Mail services name the address they refuse, and an address does not belong in a log.
fn without_addresses(text: &str) -> String {
    let words = text.split(' ');
    let words = words.map(|word| if word.contains('@') { "(address)" } else { word });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_left_out_of_a_reason() {
        let message = "Email address is not verified: ana@example.org, in US-EAST-1";
        assert_eq!(
            without_addresses(message),
            "Email address is not verified: (address) in US-EAST-1"
        );
    }

    #[test]
    fn a_refusal_is_of_the_object_the_bucket_or_neither() {
        for (code, scope) in [
            ("AccessDenied", RefusalScope::Object),
            ("KMS.DisabledException", RefusalScope::Object),
            ("NoSuchBucket", RefusalScope::Bucket),
            ("InvalidToken", RefusalScope::Other),
            ("", RefusalScope::Other),
        ] {
            assert_eq!(refusal_scope(code), scope, "{code}");
        }
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
