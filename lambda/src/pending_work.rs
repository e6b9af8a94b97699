//! What a batch of queue messages asks a function to do. One reader for all functions: what is skipped is logged and
//! counted here, and what a function does with a created object or an ended job is its own.

use lambda_runtime::tracing;

use crate::event::QueueMessage;
use crate::message_body::{CreatedObject, EndedJob, MessageBody};
use crate::metric::Metrics;

/// A message fails by its id, which is then in the reply.
pub type MessageId = String;

/// Which events a function handles; all others are skipped.
#[derive(Clone, Copy, Debug)]
pub struct HandledEvents<'a> {
    /// Names of the buckets whose created objects it looks at; none where it looks at no objects.
    pub buckets: &'a [&'a str],
    pub ended_jobs: bool,
}

/// What a batch of messages asks for, in their order, each thing with the message that asks for it.
#[derive(Debug, Default)]
pub struct PendingWork {
    /// Objects created in one of the handled buckets.
    pub dropped: Vec<(MessageId, CreatedObject)>,
    /// Labeling jobs of the account, of any stack or none.
    pub ended: Vec<(MessageId, EndedJob)>,
    /// Messages of an unknown kind or major version: they fail until they are dead letters, where an admin sees them.
    pub unreadable: Vec<MessageId>,
    /// Objects created in other buckets; counted as a metric.
    pub foreign: usize,
}

impl PendingWork {
    pub fn read(messages: Vec<QueueMessage>, handled: HandledEvents<'_>, metrics: &Metrics) -> Self {
        let mut work = Self::default();
        for message in messages {
            work.add(message, handled);
        }
        metrics.count_foreign_events(work.foreign);
        work
    }

    fn add(&mut self, message: QueueMessage, handled: HandledEvents<'_>) {
        let QueueMessage {
            id,
            body,
            receive_count,
        } = message;
        match MessageBody::parse(&body) {
            MessageBody::ObjectsCreated(_) if handled.buckets.is_empty() => log_skipped("about objects"),
            MessageBody::ObjectsCreated(objects) => self.add_objects(&id, objects, handled.buckets),
            MessageBody::JobEnded(job) if handled.ended_jobs => self.ended.push((id, job)),
            MessageBody::JobEnded(_) => log_skipped("about a labeling job"),
            MessageBody::Empty(reason) => tracing::info!(reason, "empty message acknowledged"),
            MessageBody::Unsupported(reason) => {
                tracing::error!(
                    reason,
                    receive_count,
                    "unsupported message; it goes to the dead letters"
                );
                self.unreadable.push(id);
            }
        }
    }

    fn add_objects(&mut self, message: &MessageId, objects: Vec<CreatedObject>, buckets: &[&str]) {
        for object in objects {
            if buckets.contains(&object.bucket.as_str()) {
                self.dropped.push((message.clone(), object));
            } else {
                log_skipped("another bucket");
                self.foreign += 1;
            }
        }
    }
}

fn log_skipped(reason: &str) {
    tracing::warn!(reason, "event skipped");
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use serde_json::{Value, json};

    use super::*;

    const BUCKETS: HandledEvents<'static> = HandledEvents {
        buckets: &["in", "out"],
        ended_jobs: false,
    };
    const JOBS: HandledEvents<'static> = HandledEvents {
        buckets: &[],
        ended_jobs: true,
    };

    fn message(id: &str, body: &Value) -> QueueMessage {
        QueueMessage {
            id: id.to_owned(),
            body: body.to_string(),
            receive_count: 1,
        }
    }

    fn objects_created(buckets: &[&str]) -> Value {
        let record = |bucket: &&str| {
            json!({"eventVersion": "2.1", "eventName": "ObjectCreated:Put", "eventTime": "2026-11-21T10:00:00Z",
                "s3": {"bucket": {"name": bucket}, "object": {"key": "d/1.txt"}}})
        };
        json!({"Records": buckets.iter().map(record).collect::<Vec<_>>()})
    }

    fn messages() -> Vec<QueueMessage> {
        let job = json!({
            "source": "aws.sagemaker", "detail-type": "SageMaker Ground Truth Labeling Job State Change",
            "resources": ["arn:aws:sagemaker:us-east-1:111122223333:labeling-job/gc00-d-1"],
            "detail": {"LabelingJobStatus": "Completed"}
        });
        vec![
            message("objects", &objects_created(&["in", "elsewhere", "out"])),
            message("test", &json!({"Event": "s3:TestEvent"})),
            message("job", &job),
            message(
                "unknown",
                &json!({"detail-type": "Something", "source": "aws.s3"}),
            ),
        ]
    }

    /// The work, and the values of the metric.
    fn read(handled: HandledEvents<'_>) -> (PendingWork, Vec<String>) {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let written = lines.clone();
        let metrics = Metrics::written_by("f", move |line| written.lock().unwrap().push(line.to_owned()));
        let work = PendingWork::read(messages(), handled, &metrics);
        let lines = lines.lock().unwrap().clone();
        (work, lines)
    }

    #[test]
    fn objects_of_the_handled_buckets_are_work_and_others_are_counted() {
        let (work, lines) = read(BUCKETS);
        let dropped: Vec<_> = work
            .dropped
            .iter()
            .map(|(message, object)| (message.as_str(), object.bucket.as_str()))
            .collect();
        assert_eq!(dropped, [("objects", "in"), ("objects", "out")]);
        assert_eq!((work.ended.len(), work.foreign), (0, 1));
        assert_eq!(work.unreadable, ["unknown"]);
        assert!(lines[0].contains(r#""DroppedForeignEvents":1"#), "{lines:?}");
    }

    #[test]
    fn ended_jobs_are_work_where_they_are_handled_and_objects_are_skipped() {
        let (work, lines) = read(JOBS);
        assert_eq!(work.ended[0].0, "job");
        assert_eq!(work.ended[0].1.job, "gc00-d-1");
        assert_eq!((work.dropped.len(), work.foreign), (0, 0));
        assert_eq!(work.unreadable, ["unknown"]);
        assert_eq!(lines, [""; 0]);
    }
}
