//! One thing that was looked at: well, to be mended, or not to be seen with these credentials.

use std::error::Error;

use aws_sdk_sagemaker::error::ProvideErrorMetadata;
use serde::Serialize;

use crate::paint::{Look, Paint, one_line};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Verdict {
    Fine,
    /// Somebody has to do something.
    Mend,
    /// Nobody knows.
    Unseen,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    pub(super) about: String,
    pub(super) verdict: Verdict,
    /// How it is, and where it is to be mended, what to do.
    pub(super) text: String,
}

const DENIED: [&str; 5] = [
    "AccessDenied",
    "AccessDeniedException",
    "AuthorizationError",
    "AuthorizationErrorException",
    "UnauthorizedOperation",
];
const GONE: [&str; 7] = [
    "NoSuchBucket",
    "NotFound",
    "NotFoundException",
    "ResourceNotFound",
    "ResourceNotFoundException",
    "QueueDoesNotExist",
    "AWS.SimpleQueueService.NonExistentQueue",
];
const UNKNOWN: [&str; 5] = [
    "NotImplemented",
    "UnknownOperationException",
    "InvalidAction",
    "UnknownOperation",
    "UnsupportedOperation",
];

impl Finding {
    pub(super) fn fine(about: &str, text: impl Into<String>) -> Self {
        Self::new(about, Verdict::Fine, text)
    }

    pub(super) fn mend(about: &str, text: impl Into<String>) -> Self {
        Self::new(about, Verdict::Mend, text)
    }

    pub(super) fn unseen(about: &str, text: impl Into<String>) -> Self {
        Self::new(about, Verdict::Unseen, text)
    }

    fn new(about: &str, verdict: Verdict, text: impl Into<String>) -> Self {
        Self {
            about: about.to_owned(),
            verdict,
            text: text.into(),
        }
    }

    /// What a call's failure means: it may not be made, what it asks about is gone, or there is no knowing.
    pub(super) fn of_failure<E>(about: &str, action: &str, error: E) -> Self
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        let code = error.code().unwrap_or_default().to_owned();
        let said = error.message().map(str::to_owned);
        let all = || format!("{:#}", anyhow::Error::new(error));
        match code.as_str() {
            code if DENIED.contains(&code) => Self::unseen(
                about,
                format!("these credentials lack `{action}`: ask for it, or let somebody look who has it"),
            ),
            code if GONE.contains(&code) => Self::mend(
                about,
                format!(
                    "it is not there any more ({code}{}): deploy the stack again",
                    said.map_or_else(String::new, |said| format!(": {said}"))
                ),
            ),
            code if UNKNOWN.contains(&code) => {
                Self::unseen(about, format!("what answers here has no `{action}`"))
            }
            _ => Self::unseen(about, format!("`{action}` failed: {}", said.unwrap_or_else(all))),
        }
    }

    pub(super) fn line(&self, paint: Paint) -> String {
        let mark = match self.verdict {
            Verdict::Fine => paint.word(Look::Good, "✓"),
            Verdict::Mend => paint.word(Look::Bad, "!"),
            Verdict::Unseen => paint.word(Look::Warn, "?"),
        };
        format!("{mark} {:<18} {}\n", self.about, one_line(&self.text, 1_000))
    }
}

/// What nobody could look at is no failure: whoever lacks a permission would never see anything else.
pub(super) fn are_good(findings: &[Finding]) -> bool {
    findings.iter().all(|finding| finding.verdict != Verdict::Mend)
}

/// What to do about it, if it is the case; otherwise that it is well.
pub(super) fn judged(about: &str, wrong: Option<String>, well: impl Into<String>) -> Finding {
    match wrong {
        Some(wrong) => Finding::mend(about, wrong),
        None => Finding::fine(about, well),
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
    fn a_failure_is_a_missing_right_a_missing_thing_or_not_known() {
        for (code, verdict, part) in [
            ("AccessDenied", Verdict::Unseen, "lack `s3:GetBucketCORS`"),
            ("NoSuchBucket", Verdict::Mend, "deploy the stack again"),
            ("NotImplemented", Verdict::Unseen, "has no `s3:GetBucketCORS`"),
            ("SlowDown", Verdict::Unseen, "failed: so"),
        ] {
            let finding = failure(code);
            assert_eq!(finding.verdict, verdict, "{code}");
            assert!(finding.text.contains(part), "{}", finding.text);
        }
        assert!(are_good(&[failure("AccessDenied")]) && !are_good(&[failure("NoSuchBucket")]));
    }

    #[test]
    fn a_line_has_its_mark_and_stays_a_line() {
        let finding = Finding::mend("queues", "a\nb");
        assert_eq!(finding.line(Paint::none()), "! queues             a\\nb\n");
    }
}
