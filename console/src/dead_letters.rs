//! Messages that failed so often that a queue put them aside: how many there are, and what they are about.

use aws::queues::{QueueError, Queues};

use crate::config::Queue;
use crate::model::DeadLetters;

/// Messages read per queue, and the characters shown of each.
const SHOWN_MESSAGES: i32 = 5;
const SHOWN_CHARS: usize = 1_000;

/// Every queue's dead letters. The messages themselves are read only when their number has changed: each read raises
/// their receive count.
pub(crate) async fn load(
    sqs: &Queues,
    queues: &[Queue],
    before: &[DeadLetters],
) -> Result<Vec<DeadLetters>, QueueError> {
    let loads = queues.iter().map(|queue| async move {
        let known = before.iter().find(|letters| letters.queue == queue.name);
        let url = &queue.dead_letter_url;
        let count = sqs.message_count(url).await?;
        let first = match known {
            _ if count == 0 => Vec::new(),
            Some(known) if known.count == count => known.first.clone(),
            _ => {
                let bodies = sqs.peek(url, SHOWN_MESSAGES).await?;
                bodies.iter().map(|body| summary(body)).collect()
            }
        };
        Ok(DeadLetters {
            queue: queue.name.clone(),
            count,
            first,
        })
    });
    futures::future::try_join_all(loads).await
}

/// An S3 event is shown by its object, a labeling event by its job, anything else as it is.
fn summary(body: &str) -> String {
    let event: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
    let text = |pointer: &str| event.pointer(pointer).and_then(|value| value.as_str());
    // S3's own notification encodes the key as a form does.
    if let Some(key) = text("/Records/0/s3/object/key") {
        let key = key.replace('+', " ");
        let key = percent_encoding::percent_decode_str(&key).decode_utf8_lossy();
        return format!("file {key}");
    }
    // EventBridge does not encode it.
    if let Some(key) = text("/detail/object/key") {
        return format!("file {key}");
    }
    if let Some(job) = text("/resources/0") {
        let state = text("/detail/LabelingJobStatus").unwrap_or("changed");
        return format!("{job} is {state}");
    }
    body.chars().take(SHOWN_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dead_letter_is_shown_by_what_it_is_about() {
        let s3 = r#"{"Records":[{"s3":{"object":{"key":"cats/my+cat+%281%29.jpg"}}}]}"#;
        assert_eq!(summary(s3), "file cats/my cat (1).jpg");
        let job = r#"{"resources":["arn:aws:sagemaker:r:1:labeling-job/x"],"detail":{"LabelingJobStatus":"Failed"}}"#;
        assert_eq!(summary(job), "arn:aws:sagemaker:r:1:labeling-job/x is Failed");
        let bus = r#"{"detail-type":"Object Created","detail":{"object":{"key":"teams/numbers-team.yaml"}}}"#;
        assert_eq!(summary(bus), "file teams/numbers-team.yaml");
        assert_eq!(summary("not json"), "not json");
    }
}
