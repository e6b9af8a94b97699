//! SQS's JSON protocol for the queues there are: look, send, receive, delete, purge, redrive. Queues are made by the
//! stack, so the operations that make or change them are refused by name.
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/Welcome.html>

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use axum::{Router, body, routing};
use s3s::crypto::{Checksum, Md5};
use serde_json::{Map, Value, json};

use super::requests::{
    GetQueueAttributes, GetQueueUrl, ListQueues, QueueUrl, Receipt, ReceiveMessage, SendMessage,
    StartMessageMoveTask,
};
use super::{Attribute, BadReceipt, Message, Queue, Queues, Received, attributes};
use crate::aws_json::{AwsError, answer, operation, read};

/// 1 MiB, attributes included.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html>
const LARGEST_MESSAGE: usize = 1024 * 1024;
/// The one system attribute that a sender may set.
const TRACE: &str = "AWSTraceHeader";
const LONGEST_WAIT: u64 = 20;
const LONGEST_VISIBILITY: u64 = 12 * 60 * 60;
const LONGEST_DELAY: u64 = 900;

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
            "ListDeadLetterSourceQueues" => self.sources(&parse(body)?),
            "StartMessageMoveTask" => self.redrive(&parse(body)?),
            other => Err(AwsError::new(
                "UnsupportedOperation",
                format!("{other} is not supported here: the queues of this stack are made when it starts"),
            )),
        }
    }

    fn queue(&self, url: &str) -> Result<&Arc<Queue>, AwsError> {
        self.named(url.rsplit('/').next().unwrap_or(url))
    }

    fn named(&self, name: &str) -> Result<&Arc<Queue>, AwsError> {
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
        let queue = self.named(&request.queue_name)?;
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

    fn send(&self, request: SendMessage) -> Result<Value, AwsError> {
        let queue = self.queue(&request.queue_url)?;
        check_message(&request)?;
        let trace = trace(&request.message_system_attributes)?;
        let delay =
            within("DelaySeconds", request.delay_seconds, LONGEST_DELAY)?.unwrap_or(queue.config.delay);
        let mut message = Message::new(request.message_body);
        message.attributes = request.message_attributes;
        message.trace = trace;
        let mut answer = json!({"MessageId": message.id, "MD5OfMessageBody": md5(&message.body)});
        if !message.attributes.is_empty() {
            answer["MD5OfMessageAttributes"] = json!(attributes::md5(&message.attributes));
        }
        if message.trace.is_some() {
            answer["MD5OfMessageSystemAttributes"] =
                json!(attributes::md5(&request.message_system_attributes));
        }
        queue.send_after(message, delay);
        Ok(answer)
    }

    async fn receive(&self, request: &ReceiveMessage) -> Result<Value, AwsError> {
        let queue = self.queue(&request.queue_url)?;
        let max = request.max_number_of_messages.unwrap_or(1);
        if !(1..=10).contains(&max) {
            return Err(invalid(format!(
                "MaxNumberOfMessages is {max}; from 1 to 10 are allowed"
            )));
        }
        let visibility = within(
            "VisibilityTimeout",
            request.visibility_timeout,
            LONGEST_VISIBILITY,
        )?;
        let wait = within("WaitTimeSeconds", request.wait_time_seconds, LONGEST_WAIT)?.unwrap_or_default();
        let received = queue
            .receive(max, visibility.unwrap_or(queue.config.visibility), wait)
            .await;
        let messages: Vec<_> = received
            .iter()
            .map(|received| self.shown(received, request))
            .collect();
        Ok(if messages.is_empty() {
            json!({})
        } else {
            json!({"Messages": messages})
        })
    }

    fn shown(&self, received: &Received, request: &ReceiveMessage) -> Value {
        let mut shown = json!({
            "MessageId": received.message.id,
            "ReceiptHandle": received.receipt,
            "Body": received.message.body,
            "MD5OfBody": md5(&received.message.body),
        });
        let system: Map<String, Value> = self
            .system_attributes(&received.message)
            .into_iter()
            .filter(|(name, _)| {
                request
                    .system_names()
                    .any(|wanted| wanted == "All" || wanted == *name)
            })
            .map(|(name, value)| (name.to_owned(), Value::String(value)))
            .collect();
        if !system.is_empty() {
            shown["Attributes"] = Value::Object(system);
        }
        let own: BTreeMap<String, Attribute> = received
            .message
            .attributes
            .iter()
            .filter(|(name, _)| request.wants(name))
            .map(|(name, attribute)| (name.clone(), attribute.clone()))
            .collect();
        if !own.is_empty() {
            shown["MD5OfMessageAttributes"] = json!(attributes::md5(&own));
            shown["MessageAttributes"] = json!(own);
        }
        shown
    }

    fn system_attributes(&self, message: &Message) -> BTreeMap<&'static str, String> {
        let first = message.first_received.unwrap_or(message.sent);
        let mut all = BTreeMap::from([
            ("ApproximateReceiveCount", message.receives.to_string()),
            ("SentTimestamp", message.sent.as_millisecond().to_string()),
            (
                "ApproximateFirstReceiveTimestamp",
                first.as_millisecond().to_string(),
            ),
            ("SenderId", self.address.account.to_owned()),
        ]);
        if let Some(trace) = &message.trace {
            all.insert(TRACE, trace.clone());
        }
        if let Some(source) = &message.dead_from {
            all.insert("DeadLetterQueueSourceArn", self.address.arn(source));
        }
        all
    }

    fn delete(&self, request: &Receipt) -> Result<Value, AwsError> {
        self.queue(&request.queue_url)?
            .delete(&request.receipt_handle)
            .map_err(bad_receipt)?;
        Ok(json!({}))
    }

    fn change_visibility(&self, request: &Receipt) -> Result<Value, AwsError> {
        let visibility = within(
            "VisibilityTimeout",
            request.visibility_timeout,
            LONGEST_VISIBILITY,
        )?
        .ok_or_else(|| invalid("VisibilityTimeout is missing".to_owned()))?;
        let queue = self.queue(&request.queue_url)?;
        match queue
            .change_visibility(&request.receipt_handle, visibility)
            .map_err(bad_receipt)?
        {
            true => Ok(json!({})),
            false => Err(AwsError::new(
                "MessageNotInflight",
                "the message is not in flight any more",
            )),
        }
    }

    fn purge(&self, request: &QueueUrl) -> Result<Value, AwsError> {
        self.queue(&request.queue_url)?.purge();
        Ok(json!({}))
    }

    fn sources(&self, request: &QueueUrl) -> Result<Value, AwsError> {
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
            let message =
                "DestinationArn is not supported here: dead letters go back to where they came from";
            return Err(AwsError::new("UnsupportedOperation", message));
        }
        let moved = self.queues.redrive(self.by_arn(&request.source_arn)?);
        tracing::info!(moved, queue = request.source_arn, "dead letters were sent back");
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
    read(body, "InvalidParameterValue")
}

fn invalid(message: String) -> AwsError {
    AwsError::new("InvalidParameterValue", message)
}

fn bad_receipt(BadReceipt: BadReceipt) -> AwsError {
    AwsError::new(
        "ReceiptHandleIsInvalid",
        "The specified receipt handle is not one of this queue's.",
    )
}

fn within(name: &str, seconds: Option<u64>, longest: u64) -> Result<Option<Duration>, AwsError> {
    match seconds {
        Some(seconds) if seconds > longest => Err(invalid(format!(
            "{name} is {seconds}; from 0 to {longest} are allowed"
        ))),
        seconds => Ok(seconds.map(Duration::from_secs)),
    }
}

/// The rules of <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html>.
fn check_message(request: &SendMessage) -> Result<(), AwsError> {
    attributes::check(&request.message_attributes).map_err(invalid)?;
    let size = request.message_body.len() + attributes::size(&request.message_attributes);
    if request.message_body.is_empty() || size > LARGEST_MESSAGE {
        return Err(invalid(format!(
            "The message has {size} bytes, attributes included; it must have a body, and up to {LARGEST_MESSAGE} bytes"
        )));
    }
    let allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..);
    match request.message_body.chars().find(|&c| !allowed(c)) {
        Some(bad) => Err(AwsError::new(
            "InvalidMessageContents",
            format!(
                "The message holds {}, which SQS does not carry",
                bad.escape_unicode()
            ),
        )),
        None => Ok(()),
    }
}

fn trace(system: &BTreeMap<String, Attribute>) -> Result<Option<String>, AwsError> {
    if let Some(other) = system.keys().find(|name| *name != TRACE) {
        return Err(invalid(format!(
            "MessageSystemAttributes has {other}; only {TRACE} can be set"
        )));
    }
    attributes::check(system).map_err(invalid)?;
    let trace = system.get(TRACE);
    Ok(trace.and_then(|attribute| attribute.string_value.clone()))
}

pub(crate) fn md5(text: &str) -> String {
    hex::encode(Md5::checksum(text.as_bytes()))
}
