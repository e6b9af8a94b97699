//! Dead-letter queues, through the AWS SDK: how many messages are in one, what they are, and sending them back.

use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::http::HttpResponse;
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::types::QueueAttributeName;

use crate::failure::Failure;
use crate::lazy_client::LazyClient;
use crate::sdk::Sdk;

/// SQS did not answer.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{operation} failed: {reason}")]
pub struct QueueError {
    pub operation: &'static str,
    pub reason: String,
}

/// Queues by their URLs.
#[derive(Debug)]
pub struct Queues {
    client: LazyClient<Client>,
}

impl Queues {
    pub fn new(sdk: Sdk) -> Self {
        Self {
            client: LazyClient::new(sdk, Client::new),
        }
    }

    /// Approximate, as SQS counts.
    pub async fn message_count(&self, url: &str) -> Result<u64, QueueError> {
        let name = QueueAttributeName::ApproximateNumberOfMessages;
        let count = self.attribute(url, name).await?;
        Ok(count.parse().unwrap_or(0))
    }

    /// The bodies of the first messages, 10 at most. They are visible again at once, so that reading takes nothing
    /// away; but it raises their receive count.
    pub async fn peek(&self, url: &str, most: i32) -> Result<Vec<String>, QueueError> {
        let call = self.client.get().await.receive_message().queue_url(url);
        let call = call
            .max_number_of_messages(most)
            .visibility_timeout(0)
            .wait_time_seconds(0);
        let output = call.send().await.map_err(|e| queue_error("ReceiveMessage", &e))?;
        let messages = output.messages.unwrap_or_default().into_iter();
        Ok(messages.filter_map(|message| message.body).collect())
    }

    /// Asks SQS to move all messages of a dead-letter queue back to where they failed. They are processed like new ones.
    pub async fn redrive(&self, url: &str) -> Result<(), QueueError> {
        let arn = self.attribute(url, QueueAttributeName::QueueArn).await?;
        let call = self.client.get().await.start_message_move_task().source_arn(arn);
        let moved = call.send().await;
        moved
            .map(|_| ())
            .map_err(|e| queue_error("StartMessageMoveTask", &e))
    }

    async fn attribute(&self, url: &str, name: QueueAttributeName) -> Result<String, QueueError> {
        const OPERATION: &str = "GetQueueAttributes";
        let call = self.client.get().await.get_queue_attributes().queue_url(url);
        let output = call.attribute_names(name.clone()).send().await;
        let output = output.map_err(|e| queue_error(OPERATION, &e))?;
        let value = output.attributes.and_then(|mut all| all.remove(&name));
        value.ok_or_else(|| QueueError {
            operation: OPERATION,
            reason: format!("the answer has no {name}"),
        })
    }
}

fn queue_error<E>(operation: &'static str, error: &SdkError<E, HttpResponse>) -> QueueError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    QueueError {
        operation,
        reason: Failure::of(operation, error).into_reason(),
    }
}
