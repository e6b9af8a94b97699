//! SQS's JSON protocol for the stack's queues. The stack makes its queues, so the operations that make or change one are
//! refused by name.
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/Welcome.html>

mod messages;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use axum::{Router, body, routing};
use serde_json::{Map, Value, json};

use super::requests::{GetQueueAttributes, GetQueueUrl, ListQueues, QueueUrl, StartMessageMoveTask};
use super::{Queue, Queues};
use crate::aws_json::{AwsError, RequestFault, answer, operation, read};

/// 1 MiB, attributes included.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html>
const LARGEST_MESSAGE: usize = 1024 * 1024;

/// What queue URLs and ARNs are made of.
#[derive(Clone)]
pub(crate) struct Address {
    pub(crate) aws_url: Arc<str>,
    pub(crate) region: &'static str,
    pub(crate) account: &'static str,
}

impl Address {
    pub(crate) fn url(&self, queue: &str) -> String {
        format!("{}/{}/{queue}", self.aws_url, self.account)
    }

    pub(crate) fn arn(&self, queue: &str) -> String {
        format!("arn:aws:sqs:{}:{}:{queue}", self.region, self.account)
    }
}

/// Without authentication: the caller wraps it.
pub(crate) fn router(queues: Queues, address: Address) -> Router {
    Router::new()
        .fallback(routing::post(handle))
        .with_state(Api { queues, address })
}

#[derive(Clone)]
struct Api {
    queues: Queues,
    address: Address,
}

async fn handle(State(api): State<Api>, headers: HeaderMap, body: body::Bytes) -> Response {
    let result = match operation(&headers, "AmazonSQS") {
        Some(operation) => api.call(operation, &body).await,
        None => Err(AwsError::new(
            "InvalidAction",
            "the X-Amz-Target header names no operation of SQS",
        )),
    };
    let query_code = result.as_ref().err().map(|error| query_code(error.kind));
    let mut response = answer("application/x-amz-json-1.0", "com.amazonaws.sqs#", result);
    // Clients written for the older query protocol branch on these names.
    if let Some(code) = query_code.and_then(|code| HeaderValue::from_str(&format!("{code};Sender")).ok()) {
        response.headers_mut().insert("x-amzn-query-error", code);
    }
    response
}

fn query_code(kind: &str) -> String {
    match kind {
        "QueueDoesNotExist" => "AWS.SimpleQueueService.NonExistentQueue".to_owned(),
        "UnsupportedOperation" => "AWS.SimpleQueueService.UnsupportedOperation".to_owned(),
        kind => kind.to_owned(),
    }
}

impl Api {
    async fn call(&self, operation: &str, body: &[u8]) -> Result<Value, AwsError> {
        match operation {
            "ListQueues" => self.list(&parse(body)?),
            "GetQueueUrl" => self.url(&parse(body)?),
            "GetQueueAttributes" => self.attributes(&parse(body)?),
            "SendMessage" => self.send(parse(body)?),
            "ReceiveMessage" => self.receive(&parse(body)?).await,
            "DeleteMessage" => self.delete(&parse(body)?),
            "ChangeMessageVisibility" => self.change_visibility(&parse(body)?),
            "PurgeQueue" => self.purge(&parse(body)?),
            "ListDeadLetterSourceQueues" => self.dead_letter_sources(&parse(body)?),
            "StartMessageMoveTask" => self.redrive(&parse(body)?),
            other => Err(not_supported(format!(
                "{other} is not supported here: the queues of this stack are made when it starts"
            ))),
        }
    }

    fn queue(&self, url: &str) -> Result<&Arc<Queue>, AwsError> {
        self.queue_by_name(url.rsplit('/').next().unwrap_or(url))
    }

    fn queue_by_name(&self, name: &str) -> Result<&Arc<Queue>, AwsError> {
        self.queues
            .get(name)
            .ok_or_else(|| AwsError::new("QueueDoesNotExist", "The specified queue does not exist."))
    }

    fn by_arn(&self, arn: &str) -> Result<&Arc<Queue>, AwsError> {
        self.queues
            .iter()
            .find(|queue| self.address.arn(&queue.config.name) == arn)
            .ok_or_else(|| AwsError::new("ResourceNotFoundException", format!("there is no queue {arn}")))
    }

    fn list(&self, request: &ListQueues) -> Result<Value, AwsError> {
        let names = self.queues.iter().map(|queue| queue.config.name.as_str());
        let urls: Vec<_> = names
            .filter(|name| name.starts_with(&request.queue_name_prefix))
            .map(|n| self.address.url(n))
            .collect();
        Ok(json!({"QueueUrls": urls}))
    }

    fn url(&self, request: &GetQueueUrl) -> Result<Value, AwsError> {
        let owner = request.owner.as_deref().unwrap_or(self.address.account);
        let queue = self.queue_by_name(&request.queue_name)?;
        if owner != self.address.account {
            return Err(AwsError::new(
                "QueueDoesNotExist",
                "The specified queue does not exist.",
            ));
        }
        Ok(json!({"QueueUrl": self.address.url(&queue.config.name)}))
    }

    fn attributes(&self, request: &GetQueueAttributes) -> Result<Value, AwsError> {
        let queue = self.queue(&request.queue_url)?;
        let all = self.all_attributes(queue);
        let wanted = &request.attribute_names;
        let unknown = |name: &&String| name.as_str() != "All" && !all.contains_key(name.as_str());
        if let Some(name) = wanted.iter().find(unknown) {
            // Asked for by name and not set is left out; a name SQS does not know is an error.
            if !UNSET_ATTRIBUTES.contains(&name.as_str()) {
                return Err(AwsError::new(
                    "InvalidAttributeName",
                    format!("Unknown Attribute {name}."),
                ));
            }
        }
        let shown: Map<String, Value> = all
            .into_iter()
            .filter(|(name, _)| wanted.iter().any(|wanted| wanted == "All" || wanted == name))
            .map(|(name, value)| (name.to_owned(), Value::String(value)))
            .collect();
        Ok(json!({"Attributes": shown}))
    }

    fn all_attributes(&self, queue: &Queue) -> BTreeMap<&'static str, String> {
        let counts = queue.counts();
        let config = &queue.config;
        let created = queue.created.as_second().to_string();
        let mut all = BTreeMap::from([
            ("QueueArn", self.address.arn(&config.name)),
            ("ApproximateNumberOfMessages", counts.visible.to_string()),
            (
                "ApproximateNumberOfMessagesNotVisible",
                counts.in_flight.to_string(),
            ),
            ("ApproximateNumberOfMessagesDelayed", counts.delayed.to_string()),
            ("CreatedTimestamp", created.clone()),
            ("LastModifiedTimestamp", created),
            ("DelaySeconds", config.delay.as_secs().to_string()),
            ("VisibilityTimeout", config.visibility.as_secs().to_string()),
            ("MessageRetentionPeriod", config.retention.as_secs().to_string()),
            ("MaximumMessageSize", LARGEST_MESSAGE.to_string()),
            ("ReceiveMessageWaitTimeSeconds", "0".to_owned()),
        ]);
        if let Some(redrive) = &config.redrive {
            let policy = json!({"deadLetterTargetArn": self.address.arn(&redrive.to), "maxReceiveCount": redrive.max_receive});
            all.insert("RedrivePolicy", policy.to_string());
        }
        all
    }

    fn purge(&self, request: &QueueUrl) -> Result<Value, AwsError> {
        self.queue(&request.queue_url)?.purge();
        Ok(json!({}))
    }

    fn dead_letter_sources(&self, request: &QueueUrl) -> Result<Value, AwsError> {
        let dead_letters = self.queue(&request.queue_url)?;
        let points_here = |queue: &&Arc<Queue>| {
            queue
                .config
                .redrive
                .as_ref()
                .is_some_and(|to| to.to == dead_letters.config.name)
        };
        let urls: Vec<_> = self
            .queues
            .iter()
            .filter(points_here)
            .map(|queue| self.address.url(&queue.config.name))
            .collect();
        Ok(json!({"queueUrls": urls}))
    }

    fn redrive(&self, request: &StartMessageMoveTask) -> Result<Value, AwsError> {
        if request.destination_arn.is_some() {
            return Err(not_supported(
                "DestinationArn is not supported here: dead letters go back to where they came from",
            ));
        }
        let moved = self.queues.redrive(self.by_arn(&request.source_arn)?);
        tracing::info!(
            moved,
            queue = request.source_arn,
            "dead letters moved back to their queues"
        );
        Ok(json!({"TaskHandle": uuid::Uuid::new_v4().to_string()}))
    }
}

/// Attributes SQS knows that no queue here has.
const UNSET_ATTRIBUTES: [&str; 9] = [
    "Policy",
    "RedrivePolicy",
    "RedriveAllowPolicy",
    "FifoQueue",
    "ContentBasedDeduplication",
    "KmsMasterKeyId",
    "KmsDataKeyReusePeriodSeconds",
    "SqsManagedSseEnabled",
    "DeduplicationScope",
];

fn parse<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T, AwsError> {
    read(body).map_err(|fault| match fault {
        RequestFault::UnknownMember(member) => {
            not_supported(format!("the member {member} is not supported here"))
        }
        RequestFault::Malformed(error) => invalid(format!("the request cannot be read: {error}")),
    })
}

fn not_supported(message: impl Into<String>) -> AwsError {
    AwsError::new("UnsupportedOperation", message)
}

fn invalid(message: String) -> AwsError {
    AwsError::new("InvalidParameterValue", message)
}
