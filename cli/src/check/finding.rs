//! One thing that was checked: right, to be fixed, or unknown with these credentials.

use std::error::Error;

use aws_sdk_s3::error::ProvideErrorMetadata;
use serde::Serialize;

use crate::paint::{Paint, Style, one_line};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Verdict {
    Fine,
    /// The admin has to do something.
    Fix,
    /// It cannot be checked.
    Unknown,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    pub(super) about: String,
    pub(super) verdict: Verdict,
    /// How it is, and what to do where it has to be fixed.
    pub(super) text: String,
}

const DENIED: [&str; 5] = [
    "AccessDenied",
    "AccessDeniedException",
    "AuthorizationError",
    "AuthorizationErrorException",
    "UnauthorizedOperation",
];
const DELETED: [&str; 7] = [
    "NoSuchBucket",
    "NotFound",
    "NotFoundException",
    "ResourceNotFound",
    "ResourceNotFoundException",
    "QueueDoesNotExist",
    "AWS.SimpleQueueService.NonExistentQueue",
];
const UNSUPPORTED: [&str; 5] = [
    "NotImplemented",
    "UnknownOperationException",
    "InvalidAction",
    "UnknownOperation",
    "UnsupportedOperation",
];

/// What the code of a failed call says.
enum FailureKind {
    Denied,
    Deleted,
    Unsupported,
    Other,
}

impl FailureKind {
    fn of(code: &str) -> Self {
        match code {
            code if DENIED.contains(&code) => Self::Denied,
            code if DELETED.contains(&code) => Self::Deleted,
            code if UNSUPPORTED.contains(&code) => Self::Unsupported,
            _ => Self::Other,
        }
    }
}

impl Finding {
    pub(super) fn fine(about: &str, text: impl Into<String>) -> Self {
        Self::new(about, Verdict::Fine, text)
    }

    pub(super) fn fix(about: &str, text: impl Into<String>) -> Self {
        Self::new(about, Verdict::Fix, text)
    }

    pub(super) fn unknown(about: &str, text: impl Into<String>) -> Self {
        Self::new(about, Verdict::Unknown, text)
    }

    fn new(about: &str, verdict: Verdict, text: impl Into<String>) -> Self {
        Self {
            about: about.to_owned(),
            verdict,
            text: text.into(),
        }
    }

    /// What a failed call means: it is not permitted, its object was deleted, or the failure says nothing.
    pub(super) fn of_failure<E>(about: &str, action: &str, error: E) -> Self
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        let code = error.code().unwrap_or_default().to_owned();
        let message = error.message().map(str::to_owned);
        match FailureKind::of(&code) {
            FailureKind::Denied => Self::unknown(
                about,
                format!(
                    "these credentials lack the permission `{action}`: ask for it, or have this checked with other credentials"
                ),
            ),
            FailureKind::Deleted => Self::fix(
                about,
                format!(
                    "it was deleted ({code}{}): deploy the stack again",
                    message.map_or_else(String::new, |message| format!(": {message}"))
                ),
            ),
            FailureKind::Unsupported => {
                Self::unknown(about, format!("the service here does not support `{action}`"))
            }
            FailureKind::Other => {
                let reason = message.unwrap_or_else(|| format!("{:#}", anyhow::Error::new(error)));
                Self::unknown(about, format!("`{action}` failed: {reason}"))
            }
        }
    }

    pub(super) fn line(&self, paint: Paint) -> String {
        let mark = match self.verdict {
            Verdict::Fine => paint.word(Style::Good, "✓"),
            Verdict::Fix => paint.word(Style::Bad, "!"),
            Verdict::Unknown => paint.word(Style::Warn, "?"),
        };
        format!("{mark} {:<18} {}\n", self.about, one_line(&self.text, 1_000))
    }
}

/// What could not be checked is no failure: without a permission the command would always fail.
pub(super) fn are_good(findings: &[Finding]) -> bool {
    findings.iter().all(|finding| finding.verdict != Verdict::Fix)
}

/// What is wrong and what to do about it; where nothing is wrong, how it is.
pub(super) fn judge(about: &str, wrong: Option<String>, fine: impl Into<String>) -> Finding {
    match wrong {
        Some(wrong) => Finding::fix(about, wrong),
        None => Finding::fine(about, fine),
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_s3::error::ErrorMetadata;
    use aws_sdk_s3::operation::get_bucket_cors::GetBucketCorsError;

    use super::*;

    fn failure(code: &str) -> Finding {
        let error = GetBucketCorsError::generic(ErrorMetadata::builder().code(code).message("so").build());
        Finding::of_failure("CORS", "s3:GetBucketCORS", error)
    }

    #[test]
    fn a_failure_is_a_missing_permission_a_deleted_object_or_unknown() {
        for (code, verdict, part) in [
            (
                "AccessDenied",
                Verdict::Unknown,
                "lack the permission `s3:GetBucketCORS`",
            ),
            ("NoSuchBucket", Verdict::Fix, "deploy the stack again"),
            (
                "NotImplemented",
                Verdict::Unknown,
                "does not support `s3:GetBucketCORS`",
            ),
            ("SlowDown", Verdict::Unknown, "failed: so"),
        ] {
            let finding = failure(code);
            assert_eq!(finding.verdict, verdict, "{code}");
            assert!(finding.text.contains(part), "{}", finding.text);
        }
        assert!(are_good(&[failure("AccessDenied")]) && !are_good(&[failure("NoSuchBucket")]));
    }

    #[test]
    fn a_line_has_its_mark_and_stays_a_line() {
        let finding = Finding::fix("queues", "a\nb");
        assert_eq!(finding.line(Paint::none()), "! queues             a\\nb\n");
    }
}
