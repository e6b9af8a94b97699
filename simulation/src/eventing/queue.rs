//! The queue in front of build-manifest, as its template sets it: every message delayed, and handed over with others.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::size;

/// Lambda's limit for what an invocation is handed.
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
const PAYLOAD: usize = 6 << 20;

/// Of the queue and of its reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    pub delay_seconds: i64,
    pub batch_size: usize,
    pub window_seconds: i64,
}

impl Settings {
    /// As the stack's template has them: by the names of the properties, in the part about this function.
    pub fn of(template: &str) -> Option<Self> {
        let function = template.split("\n  BuildManifestFunction:\n").nth(1)?;
        let parameter = template.split("\n  EventDelaySeconds:\n").nth(1)?;
        Some(Self {
            delay_seconds: number(parameter, "Default:")?,
            batch_size: usize::try_from(number(function, "BatchSize:")?).ok()?,
            window_seconds: number(function, "MaximumBatchingWindowInSeconds:")?,
        })
    }
}

fn number(text: &str, name: &str) -> Option<i64> {
    text.lines()
        .find_map(|line| line.trim().strip_prefix(name)?.trim().parse().ok())
}

/// What one invocation gets, and when.
pub(super) struct Delivery {
    pub(super) at: Timestamp,
    pub(super) messages: Vec<Value>,
}

pub(super) struct Queue {
    settings: Settings,
    /// In the order in which they become visible.
    messages: VecDeque<(Timestamp, Value)>,
}

impl Queue {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            settings,
            messages: VecDeque::new(),
        }
    }

    pub(super) fn send(&mut self, at: Timestamp, message: Value) {
        let visible = at + SignedDuration::from_secs(self.settings.delay_seconds);
        self.messages.push_back((visible, message));
    }

    /// Delivery over when the window after the first message is over, or before, when there is enough.
    pub(super) fn next(&mut self) -> Option<Delivery> {
        let (first, _) = self.messages.front()?;
        let window = *first + SignedDuration::from_secs(self.settings.window_seconds);
        let (mut messages, mut bytes, mut at) = (Vec::new(), 0, window);
        while let Some((visible, message)) = self.messages.front() {
            let more = bytes + size(message) + 1;
            if *visible > window {
                break;
            }
            if messages.len() >= self.settings.batch_size || more > PAYLOAD {
                at = *visible;
                break;
            }
            bytes = more;
            messages.extend(self.messages.pop_front().map(|(_, message)| message));
        }
        Some(Delivery { at, messages })
    }
}

/// S3's event as it arrives through a queue, field by field: its size decides how many fit into an invocation.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html> and
/// <https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html>
pub(super) fn object_created(key: &str, at: Timestamp) -> Value {
    let event = json!({"Records": [{
        "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "us-east-1", "eventTime": at.to_string(),
        "eventName": "ObjectCreated:Put", "userIdentity": {"principalId": "AWS:AROAEXAMPLEEXAMPLE:uploader"},
        "requestParameters": {"sourceIPAddress": "203.0.113.100"},
        "responseElements": {
            "x-amz-request-id": "C3D13FE58DE4C810",
            "x-amz-id-2": "FMyUVURIY8/IgAtTv8xRjskZQpcIZ9KG4V5Wp6S7S/JRWeUWerMUE5JgHvANOjpDFMyUVURIY8",
        },
        "s3": {
            "s3SchemaVersion": "1.0", "configurationId": "a1b2c3d4-5678-90ab-cdef-EXAMPLE11111",
            "bucket": {
                "name": "in", "ownerIdentity": {"principalId": "A3NL1KOZZKExample"}, "arn": "arn:aws:s3:::in",
            },
            "object": {
                "key": key, "size": 1024, "eTag": "d41d8cd98f00b204e9800998ecf8427e",
                "versionId": "096fKKXTRTtl3on89fVO.nfljtsv6qko", "sequencer": "0055AED6DCD90281E5",
            },
        },
    }]});
    json!({
        "messageId": "059f36b4-87a3-44ab-83d2-661975830a7d", "receiptHandle": "A".repeat(412), "body": event.to_string(),
        "attributes": {
            "ApproximateReceiveCount": "1", "SentTimestamp": at.as_millisecond().to_string(),
            "SenderId": "AIDAJ2E5SY5SYEXAMPLE:S3-PROD-END", "ApproximateFirstReceiveTimestamp": "1545082649185",
        },
        "messageAttributes": {}, "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3", "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:111122223333:groundcrew-build-manifest", "awsRegion": "us-east-1",
    })
}
