//! What S3 reports about an object, and the documents it does so with.

use std::sync::Arc;

use jiff::{Timestamp, tz::TimeZone};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

/// Event documents escape keys as HTML forms do, slashes left alone: `red flower.jpg` is `red+flower.jpg`.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html>
const FORM: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'*')
    .remove(b'/')
    .remove(b' ');

/// A key as event documents and `encoding-type=url` listings carry it.
pub(super) fn form_encoded(key: &str) -> String {
    utf8_percent_encode(key, FORM).to_string().replace(' ', "+")
}

/// What happened to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObjectEvent {
    Put,
    Copy,
    CompleteMultipartUpload,
    Delete,
}

impl ObjectEvent {
    /// As event documents have it.
    pub fn name(self) -> &'static str {
        match self {
            ObjectEvent::Put => "ObjectCreated:Put",
            ObjectEvent::Copy => "ObjectCreated:Copy",
            ObjectEvent::CompleteMultipartUpload => "ObjectCreated:CompleteMultipartUpload",
            ObjectEvent::Delete => "ObjectRemoved:Delete",
        }
    }

    /// Whether an object was created or overwritten, rather than removed.
    pub fn is_created(self) -> bool {
        self != ObjectEvent::Delete
    }

    /// The operation that caused it.
    fn operation(self) -> &'static str {
        match self {
            ObjectEvent::Put => "PutObject",
            ObjectEvent::Copy => "CopyObject",
            ObjectEvent::CompleteMultipartUpload => "CompleteMultipartUpload",
            ObjectEvent::Delete => "DeleteObject",
        }
    }
}

/// Called after an object was stored or removed for good. Must return quickly: it runs on the thread that commits.
pub type Notify = Arc<dyn Fn(Notification) + Send + Sync>;

/// One event of one object, reported after the change is on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    pub event: ObjectEvent,
    pub bucket: String,
    /// The key as it is, not escaped.
    pub key: String,
    /// Bytes; 0 for a removal.
    pub size: u64,
    /// Without quotes; empty for a removal.
    pub etag: String,
    /// Hexadecimal; orders the events of one key.
    pub sequencer: String,
    /// When S3 finished the request.
    pub time: Timestamp,
}

impl Notification {
    /// The document AWS sends to a queue: `{"Records":[…]}`, one record in it.
    pub fn records_json(&self) -> Value {
        json!({ "Records": [{
            "eventVersion": "2.1",
            "eventSource": "aws:s3",
            "awsRegion": "us-east-1",
            "eventTime": self.time.to_zoned(TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
            "eventName": self.event.name(),
            "userIdentity": { "principalId": "AWS:groundcrew" },
            "requestParameters": { "sourceIPAddress": "127.0.0.1" },
            "responseElements": { "x-amz-request-id": self.sequencer, "x-amz-id-2": self.sequencer },
            "s3": {
                "s3SchemaVersion": "1.0",
                "configurationId": "groundcrew",
                "bucket": {
                    "name": self.bucket,
                    "ownerIdentity": { "principalId": "groundcrew" },
                    "arn": format!("arn:aws:s3:::{}", self.bucket),
                },
                "object": self.object(),
            },
        }]})
    }

    /// The event EventBridge passes on for a created object; keys stand in it as they are.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html>
    pub fn bus_event(&self) -> Value {
        json!({
            "version": "0",
            "id": uuid::Uuid::new_v4().to_string(),
            "detail-type": crate::wiring::OBJECT_CREATED,
            "source": "aws.s3",
            "account": crate::info::ACCOUNT,
            "time": self.time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "region": crate::info::REGION,
            "resources": [format!("arn:aws:s3:::{}", self.bucket)],
            "detail": {
                "version": "0",
                "bucket": {"name": self.bucket},
                "object": {"key": self.key, "size": self.size, "etag": self.etag, "sequencer": self.sequencer},
                "request-id": self.sequencer,
                "requester": crate::info::ACCOUNT,
                "source-ip-address": "127.0.0.1",
                "reason": self.event.operation(),
            },
        })
    }

    fn object(&self) -> Value {
        let key = form_encoded(&self.key);
        match self.event.is_created() {
            true => json!({ "key": key, "size": self.size, "eTag": self.etag, "sequencer": self.sequencer }),
            false => json!({ "key": key, "sequencer": self.sequencer }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object_created(key: &str) -> Notification {
        Notification {
            event: ObjectEvent::Put,
            bucket: "in".into(),
            key: key.into(),
            size: 3,
            etag: "d41d".into(),
            sequencer: "0A".into(),
            time: "2026-11-21T10:00:00.1234Z".parse().unwrap(),
        }
    }

    #[test]
    fn keys_are_escaped_as_html_forms_are() {
        for (key, sent) in [
            ("red flower.jpg", "red+flower.jpg"),
            ("a+b/c.txt", "a%2Bb/c.txt"),
            ("100%.txt", "100%25.txt"),
            ("ü\n\"", "%C3%BC%0A%22"),
            ("a~(b)", "a%7E%28b%29"),
        ] {
            let document = object_created(key).records_json();
            assert_eq!(document["Records"][0]["s3"]["object"]["key"], sent);
        }
    }

    #[test]
    fn the_time_has_milliseconds() {
        assert_eq!(
            object_created("k").records_json()["Records"][0]["eventTime"],
            "2026-11-21T10:00:00.123Z"
        );
    }

    #[test]
    fn a_removal_names_no_size_and_no_etag() {
        let mut gone = object_created("k");
        gone.event = ObjectEvent::Delete;
        let object = gone.records_json()["Records"][0]["s3"]["object"].clone();
        assert_eq!(object, json!({ "key": "k", "sequencer": "0A" }));
    }
}
