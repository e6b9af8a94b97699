//! If-Match, If-None-Match and their kin: what AWS answers to each.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html>

use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderValue, header};
use s3s::{
    S3Error, S3Result,
    dto::{ETagCondition, Timestamp},
    s3_error,
};

use super::store::record::ObjectHead;

/// What must hold of the object that is about to be replaced.
#[derive(Debug, Clone, Default)]
pub(super) struct WriteCondition {
    pub(super) if_match: Option<ETagCondition>,
    pub(super) if_none_match: Option<ETagCondition>,
}

/// What must hold of the object that is to be given out.
#[derive(Debug, Clone, Default)]
pub(super) struct ReadCondition {
    pub(super) if_match: Option<ETagCondition>,
    pub(super) if_none_match: Option<ETagCondition>,
    pub(super) if_modified_since: Option<Timestamp>,
    pub(super) if_unmodified_since: Option<Timestamp>,
}

impl WriteCondition {
    /// Refuses what can never hold, before a body is read.
    pub(super) fn check_form(&self) -> S3Result {
        match &self.if_none_match {
            Some(condition) if !condition.is_any() => Err(s3_error!(
                NotImplemented,
                "If-None-Match takes only * when writing."
            )),
            Some(_) if self.if_match.is_some() => Err(s3_error!(
                InvalidRequest,
                "If-Match and If-None-Match exclude each other."
            )),
            _ => Ok(()),
        }
    }

    pub(super) fn check(&self, existing: Option<&ObjectHead>) -> S3Result {
        if self.if_none_match.is_some() && existing.is_some() {
            return Err(precondition_failed("If-None-Match"));
        }
        match (&self.if_match, existing) {
            (None, _) => Ok(()),
            (Some(_), None) => Err(no_such_key()),
            (Some(condition), Some(head)) if matches(condition, head) => Ok(()),
            (Some(_), Some(_)) => Err(precondition_failed("If-Match")),
        }
    }
}

impl ReadCondition {
    /// If-Match goes before If-Unmodified-Since and If-None-Match before If-Modified-Since (RFC 9110, 13.2.2).
    pub(super) fn check(&self, head: &ObjectHead) -> S3Result {
        let modified = timestamp(head.modified);
        match (&self.if_match, &self.if_unmodified_since) {
            (Some(condition), _) if !matches(condition, head) => return Err(precondition_failed("If-Match")),
            (None, Some(since)) if modified > *since => {
                return Err(precondition_failed("If-Unmodified-Since"));
            }
            _ => {}
        }
        match (&self.if_none_match, &self.if_modified_since) {
            (Some(condition), _) if matches(condition, head) => Err(not_modified(head)),
            (None, Some(since)) if modified <= *since => Err(not_modified(head)),
            _ => Ok(()),
        }
    }

    /// The same for the source of a copy, where nothing is ever "not modified".
    pub(super) fn check_source(&self, head: &ObjectHead) -> S3Result {
        self.check(head)
            .map_err(|_| precondition_failed("x-amz-copy-source-if-*"))
    }
}

pub(super) fn matches(condition: &ETagCondition, head: &ObjectHead) -> bool {
    condition.as_etag().is_none_or(|etag| etag.value() == head.etag)
}

pub(super) fn timestamp(seconds: i64) -> Timestamp {
    let since = Duration::from_secs(u64::try_from(seconds).unwrap_or_default());
    (SystemTime::UNIX_EPOCH + since).into()
}

pub(super) fn precondition_failed(condition: &'static str) -> S3Error {
    s3_error!(
        PreconditionFailed,
        "At least one of the pre-conditions you specified did not hold: {condition}"
    )
}

pub(super) fn no_such_key() -> S3Error {
    s3_error!(NoSuchKey, "The specified key does not exist.")
}

fn not_modified(head: &ObjectHead) -> S3Error {
    let mut error = s3_error!(NotModified, "Not Modified");
    let mut headers = HeaderMap::new();
    if let Ok(etag) = HeaderValue::try_from(format!("\"{}\"", head.etag)) {
        headers.insert(header::ETAG, etag);
    }
    error.set_headers(headers);
    error
}

#[cfg(test)]
mod tests {
    use super::*;
    use s3s::S3ErrorCode;

    fn head() -> ObjectHead {
        ObjectHead {
            size: 1,
            modified: 1000,
            etag: "abc".into(),
        }
    }

    fn condition(text: &str) -> Option<ETagCondition> {
        Some(text.parse().unwrap())
    }

    fn code(result: S3Result) -> Option<S3ErrorCode> {
        result.err().map(|error| error.code().clone())
    }

    #[test]
    fn a_write_is_refused_as_aws_refuses_it() {
        let create = WriteCondition {
            if_none_match: condition("*"),
            ..Default::default()
        };
        let replace = WriteCondition {
            if_match: condition("\"abc\""),
            ..Default::default()
        };
        let stale = WriteCondition {
            if_match: condition("\"old\""),
            ..Default::default()
        };
        assert_eq!(code(create.check(None)), None);
        assert_eq!(
            code(create.check(Some(&head()))),
            Some(S3ErrorCode::PreconditionFailed)
        );
        assert_eq!(code(replace.check(Some(&head()))), None);
        assert_eq!(code(replace.check(None)), Some(S3ErrorCode::NoSuchKey));
        assert_eq!(
            code(stale.check(Some(&head()))),
            Some(S3ErrorCode::PreconditionFailed)
        );
    }

    #[test]
    fn a_read_is_refused_as_http_says() {
        let at = |seconds| Some(timestamp(seconds));
        let cases = [
            (
                ReadCondition {
                    if_match: condition("\"abc\""),
                    if_unmodified_since: at(1),
                    ..Default::default()
                },
                None,
            ),
            (
                ReadCondition {
                    if_match: condition("\"x\""),
                    ..Default::default()
                },
                Some(S3ErrorCode::PreconditionFailed),
            ),
            (
                ReadCondition {
                    if_none_match: condition("\"abc\""),
                    ..Default::default()
                },
                Some(S3ErrorCode::NotModified),
            ),
            (
                ReadCondition {
                    if_none_match: condition("\"x\""),
                    if_modified_since: at(2000),
                    ..Default::default()
                },
                None,
            ),
            (
                ReadCondition {
                    if_modified_since: at(1000),
                    ..Default::default()
                },
                Some(S3ErrorCode::NotModified),
            ),
            (
                ReadCondition {
                    if_unmodified_since: at(999),
                    ..Default::default()
                },
                Some(S3ErrorCode::PreconditionFailed),
            ),
        ];
        for (condition, expected) in cases {
            assert_eq!(code(condition.check(&head())), expected, "{condition:?}");
        }
    }

    #[test]
    fn only_a_star_can_be_asked_to_be_absent() {
        let odd = WriteCondition {
            if_none_match: condition("\"abc\""),
            ..Default::default()
        };
        assert_eq!(code(odd.check_form()), Some(S3ErrorCode::NotImplemented));
    }
}
