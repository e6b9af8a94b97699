//! What failed so often that a queue put it aside: how many, what it was, and sending it back.

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::QueueAttributeName;

use crate::config::Queue;
use crate::documents::LoadError;
use crate::model::DeadLetters;
use crate::reason::reason;

/// Messages looked at per queue, and the characters shown of each.
const SHOWN: i32 = 5;
const SHOWN_CHARS: usize = 1_000;

/// Every queue's dead letters. The messages themselves are only received when their number changed: each look
/// raises their receive count.
pub(crate) async fn look(
    sqs: &Client,
    queues: &[Queue],
    before: &[DeadLetters],
) -> Result<Vec<DeadLetters>, LoadError> {
    let looked = queues.iter().map(|queue| async move {
        let known = before.iter().find(|letters| letters.queue == queue.name);
        let count = count(sqs, queue).await?;
        let first = match known {
            _ if count == 0 => Vec::new(),
            Some(known) if known.count == count => known.first.clone(),
            _ => peek(sqs, queue).await?,
        };
        Ok(DeadLetters {
            queue: queue.name.clone(),
            count,
            first,
        })
    });
    futures::future::try_join_all(looked).await
}

/// Asks SQS to move all of them back to where they failed. They are worked off like new ones.
pub(crate) async fn redrive(sqs: &Client, queue: &Queue) -> Result<(), LoadError> {
    let arn = attribute(sqs, queue, QueueAttributeName::QueueArn).await?;
    let moved = sqs.start_message_move_task().source_arn(arn).send().await;
    moved.map(|_| ()).map_err(|error| failed(queue, &error))
}

async fn count(sqs: &Client, queue: &Queue) -> Result<u64, LoadError> {
    let count = attribute(sqs, queue, QueueAttributeName::ApproximateNumberOfMessages).await?;
    Ok(count.parse().unwrap_or(0))
}

async fn attribute(sqs: &Client, queue: &Queue, name: QueueAttributeName) -> Result<String, LoadError> {
    let asked = sqs
        .get_queue_attributes()
        .queue_url(&queue.dead_letter_url)
        .attribute_names(name.clone());
    let answer = asked.send().await.map_err(|error| failed(queue, &error))?;
    let value = answer.attributes().and_then(|all| all.get(&name)).cloned();
    value.ok_or_else(|| LoadError {
        what: what(queue),
        reason: format!("SQS did not say its {name}"),
    })
}

/// Visible again at once, so that looking takes nothing away.
async fn peek(sqs: &Client, queue: &Queue) -> Result<Vec<String>, LoadError> {
    let request = sqs.receive_message().queue_url(&queue.dead_letter_url);
    let request = request
        .max_number_of_messages(SHOWN)
        .visibility_timeout(0)
        .wait_time_seconds(0);
    let answer = request.send().await.map_err(|error| failed(queue, &error))?;
    Ok(answer
        .messages()
        .iter()
        .filter_map(|message| message.body().map(gist))
        .collect())
}

/// An S3 notification is told by its object, a labeling event by its job; anything else is shown as it is.
fn gist(body: &str) -> String {
    let event: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
    let object = event
        .pointer("/Records/0/s3/object/key")
        .and_then(|key| key.as_str());
    if let Some(key) = object {
        let key = key.replace('+', " ");
        return format!(
            "file {}",
            percent_encoding::percent_decode_str(&key).decode_utf8_lossy()
        );
    }
    // As EventBridge tells of an object: the key is not encoded.
    if let Some(key) = event.pointer("/detail/object/key").and_then(|key| key.as_str()) {
        return format!("file {key}");
    }
    if let Some(job) = event.pointer("/resources/0").and_then(|arn| arn.as_str()) {
        let state = event
            .pointer("/detail/LabelingJobStatus")
            .and_then(|state| state.as_str());
        return format!("{} is {}", job, state.unwrap_or("changed"));
    }
    body.chars().take(SHOWN_CHARS).collect()
}

fn failed(queue: &Queue, error: &(impl std::error::Error + 'static)) -> LoadError {
    LoadError {
        what: what(queue),
        reason: reason(error),
    }
}

fn what(queue: &Queue) -> String {
    format!("the dead-letter queue of {}", queue.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dead_letter_is_told_by_what_it_is_about() {
        let s3 = r#"{"Records":[{"s3":{"object":{"key":"cats/my+cat+%281%29.jpg"}}}]}"#;
        assert_eq!(gist(s3), "file cats/my cat (1).jpg");
        let job = r#"{"resources":["arn:aws:sagemaker:r:1:labeling-job/x"],"detail":{"LabelingJobStatus":"Failed"}}"#;
        assert_eq!(gist(job), "arn:aws:sagemaker:r:1:labeling-job/x is Failed");
        let bus = r#"{"detail-type":"Object Created","detail":{"object":{"key":"teams/numbers-team.yaml"}}}"#;
        assert_eq!(gist(bus), "file teams/numbers-team.yaml");
        assert_eq!(gist("not json"), "not json");
    }
}
