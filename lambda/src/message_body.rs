//! What a queue message says: objects were created, or a labeling job ended.
//!
//! Read with structs that ask for nothing but the fields used: S3 adds fields with every minor version of its event, and
//! one field missing in one message must not fail the thousands of others in the batch.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use shared::port::JobState;

/// What a message says.
#[derive(Clone, Debug, PartialEq)]
pub enum MessageBody {
    ObjectsCreated(Vec<CreatedObject>),
    /// A labeling job of the account, of any stack or none, ended.
    JobEnded(EndedJob),
    /// Says nothing and is acknowledged: `s3:TestEvent`, an empty body, no records, not JSON.
    Empty(&'static str),
    /// An event of a kind or a major version this function does not know: goes to the dead letters, where an admin sees
    /// it.
    Unsupported(String),
}

#[derive(Clone, Debug, PartialEq)]
pub struct CreatedObject {
    pub bucket: String,
    /// As it is in the bucket.
    pub key: String,
    /// When S3 finished the request; for a multipart upload this is its completion, unlike LastModified.
    pub at: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct EndedJob {
    pub arn: String,
    /// Lower case, as the service puts it in the ARN.
    pub job: String,
    pub state: JobState,
}

impl MessageBody {
    pub fn parse(body: &str) -> Self {
        if body.trim().is_empty() {
            return Self::Empty("an empty message");
        }
        let Ok(value) = serde_json::from_str::<Value>(body) else {
            return Self::Empty("not JSON");
        };
        if value.get("Event").and_then(Value::as_str) == Some("s3:TestEvent") {
            return Self::Empty("S3's test event");
        }
        if value.get("Records").is_some() {
            return Self::parse_s3(&value);
        }
        match value.get("detail-type").and_then(Value::as_str) {
            Some(OBJECT_CREATED) => Self::parse_object_created(&value),
            Some(_) => Self::parse_job_state(&value),
            None => Self::Empty("not an event"),
        }
    }

    fn parse_s3(value: &Value) -> Self {
        let event = match S3Event::deserialize(value) {
            Ok(event) if event.records.is_empty() => return Self::Empty("no records"),
            Ok(event) => event,
            Err(error) => return Self::Unsupported(format!("not an S3 event we can read: {error}")),
        };
        // AWS: compare the major version for equality, the minor for at least; new fields may appear at any time.
        // https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
        let is_known = |record: &&S3Record| record.event_version.split('.').next() == Some("2");
        if let Some(unknown) = event.records.iter().find(|record| !is_known(record)) {
            return Self::Unsupported(format!(
                "S3 event version {}; this function reads 2.x",
                unknown.event_version
            ));
        }
        let created = event
            .records
            .into_iter()
            .filter(|record| record.event_name.starts_with("ObjectCreated:"));
        Self::ObjectsCreated(created.map(CreatedObject::from).collect())
    }

    /// EventBridge's form of an S3 event. The key is not encoded there
    /// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html>).
    fn parse_object_created(value: &Value) -> Self {
        match ObjectCreated::deserialize(value) {
            Ok(event) if event.source == "aws.s3" => Self::ObjectsCreated(vec![CreatedObject {
                bucket: event.detail.bucket.name,
                key: event.detail.object.key,
                at: event.time.parse().ok(),
            }]),
            Ok(event) => Self::Unsupported(format!("an object's event from `{}`", event.source)),
            Err(error) => Self::Unsupported(format!("not an object's event we can read: {error}")),
        }
    }

    fn parse_job_state(value: &Value) -> Self {
        const KIND: &str = "SageMaker Ground Truth Labeling Job State Change";
        let event = match JobStateEvent::deserialize(value) {
            Ok(event) if event.detail_type == KIND && event.source == "aws.sagemaker" => event,
            Ok(event) => return Self::Unsupported(format!("an event of kind `{}`", event.detail_type)),
            Err(error) => return Self::Unsupported(format!("not a labeling job's event: {error}")),
        };
        // The detail holds the status alone; the job is named by the ARN in `resources`.
        let arn = event.resources.into_iter().next().unwrap_or_default();
        let Some((_, job)) = arn.split_once(":labeling-job/") else {
            return Self::Unsupported("a labeling job's event without the job's ARN".to_owned());
        };
        let job = job.to_owned();
        Self::JobEnded(EndedJob {
            arn,
            job,
            state: event.detail.status,
        })
    }
}

impl From<S3Record> for CreatedObject {
    fn from(record: S3Record) -> Self {
        let at = record.event_time.parse().ok();
        Self {
            bucket: record.s3.bucket.name,
            key: shared::key::decode(&record.s3.object.key),
            at,
        }
    }
}

#[derive(Deserialize)]
struct S3Event {
    #[serde(rename = "Records")]
    records: Vec<S3Record>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct S3Record {
    #[serde(default)]
    event_version: String,
    #[serde(default)]
    event_name: String,
    #[serde(default)]
    event_time: String,
    s3: S3Entity,
}

#[derive(Deserialize)]
struct S3Entity {
    bucket: S3Bucket,
    object: S3Object,
}

#[derive(Deserialize)]
struct S3Bucket {
    name: String,
}

#[derive(Deserialize)]
struct S3Object {
    key: String,
}

/// S3's event, as EventBridge names it.
const OBJECT_CREATED: &str = "Object Created";

#[derive(Deserialize)]
struct ObjectCreated {
    source: String,
    #[serde(default)]
    time: String,
    detail: S3Entity,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct JobStateEvent {
    source: String,
    detail_type: String,
    #[serde(default)]
    resources: Vec<String>,
    detail: JobStateDetail,
}

#[derive(Deserialize)]
struct JobStateDetail {
    #[serde(rename = "LabelingJobStatus")]
    status: JobState,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn s3_body(version: &str, key: &str) -> String {
        json!({"Records": [{
            "eventVersion": version, "eventSource": "aws:s3", "eventTime": "2026-11-21T10:00:00.123Z",
            "eventName": "ObjectCreated:Put", "somethingNew": {"a": 1},
            "s3": {"bucket": {"name": "in", "arn": "arn:aws:s3:::in"}, "object": {"key": key, "size": 1}}
        }]})
        .to_string()
    }

    #[test]
    fn a_key_is_decoded_once() {
        for (sent, key) in [
            ("cats/red+flower.jpg", "cats/red flower.jpg"),
            ("cats/a%2Bb%252B.txt", "cats/a+b%2B.txt"),
            ("cats/%EA%B3%A0%0A%22.txt", "cats/고\n\".txt"),
            ("cats/100%.txt", "cats/100%.txt"),
        ] {
            let MessageBody::ObjectsCreated(created) = MessageBody::parse(&s3_body("2.1", sent)) else {
                panic!("{sent}")
            };
            assert_eq!(created[0].key, key);
            assert_eq!(created[0].at, Some("2026-11-21T10:00:00.123Z".parse().unwrap()));
        }
    }

    #[test]
    fn a_key_from_eventbridge_is_not_decoded() {
        let event = |source: &str, key: &str| {
            json!({
                "version": "0", "id": "x", "detail-type": "Object Created", "source": source,
                "account": "111122223333", "time": "2026-11-21T10:00:00Z", "region": "us-east-1",
                "resources": ["arn:aws:s3:::in"],
                "detail": {"version": "0", "bucket": {"name": "in"},
                    "object": {"key": key, "size": 5, "etag": "b1946ac92492d2347c6235b4d2611184", "sequencer": "00"},
                    "request-id": "x", "requester": "111122223333", "reason": "PutObject"}
            })
            .to_string()
        };
        for key in ["teams/my team.yaml", "teams/a+b%20c.yaml"] {
            let MessageBody::ObjectsCreated(created) = MessageBody::parse(&event("aws.s3", key)) else {
                panic!("{key}")
            };
            assert_eq!((created[0].bucket.as_str(), created[0].key.as_str()), ("in", key));
            assert_eq!(created[0].at, Some("2026-11-21T10:00:00Z".parse().unwrap()));
        }
        assert!(matches!(
            MessageBody::parse(&event("mine", "a")),
            MessageBody::Unsupported(_)
        ));
        let bare = r#"{"detail-type": "Object Created", "source": "aws.s3"}"#;
        assert!(matches!(MessageBody::parse(bare), MessageBody::Unsupported(_)));
    }

    #[test]
    fn newer_minor_versions_are_read_and_other_major_versions_are_not() {
        assert!(matches!(
            MessageBody::parse(&s3_body("2.9", "a/b")),
            MessageBody::ObjectsCreated(_)
        ));
        for version in ["3.0", "20.1", ""] {
            assert!(
                matches!(
                    MessageBody::parse(&s3_body(version, "a/b")),
                    MessageBody::Unsupported(_)
                ),
                "{version}"
            );
        }
    }

    #[test]
    fn empty_messages_are_distinguished_from_unsupported_ones() {
        let test_event = r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Time":"2026-11-21T10:00:00.000Z","Bucket":"in"}"#;
        for body in ["", "  ", "hello", "[]", "{}", r#"{"Records":[]}"#, test_event] {
            assert!(
                matches!(MessageBody::parse(body), MessageBody::Empty(_)),
                "{body}"
            );
        }
        assert!(matches!(
            MessageBody::parse(r#"{"Records":[{"s3":{}}]}"#),
            MessageBody::Unsupported(_)
        ));
    }

    #[test]
    fn a_job_is_named_by_the_arn_in_resources() {
        let arn = "arn:aws:sagemaker:us-east-1:111122223333:labeling-job/gc00-cats-1";
        let event = json!({
            "version": "0", "id": "x", "detail-type": "SageMaker Ground Truth Labeling Job State Change",
            "source": "aws.sagemaker", "account": "111122223333", "time": "2018-10-06T12:26:13Z",
            "region": "us-east-1", "resources": [arn], "detail": {"LabelingJobStatus": "Completed"}
        });
        let ended = EndedJob {
            arn: arn.to_owned(),
            job: "gc00-cats-1".to_owned(),
            state: JobState::Completed,
        };
        assert_eq!(
            MessageBody::parse(&event.to_string()),
            MessageBody::JobEnded(ended)
        );
    }
}
