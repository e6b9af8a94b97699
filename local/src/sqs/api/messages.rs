//! Messages through the API: sent, received, deleted, hidden for longer.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{Api, LARGEST_MESSAGE, invalid};
use crate::aws_json::AwsError;
use crate::sqs::requests::{ChangeMessageVisibility, DeleteMessage, ReceiveMessage, SendMessage};
use crate::sqs::{Attribute, InvalidReceipt, Message, ReceivedMessage, attributes, md5_hex};

/// The one system attribute that a sender may set.
const TRACE: &str = "AWSTraceHeader";
const LONGEST_WAIT: u64 = 20;
const LONGEST_VISIBILITY: u64 = 12 * 60 * 60;
const LONGEST_DELAY: u64 = 900;

impl Api {
    pub(super) fn send(&self, request: SendMessage) -> Result<Value, AwsError> {
        let queue = self.queue(&request.queue_url)?;
        check_message(&request)?;
        let trace = read_trace(&request.message_system_attributes)?;
        let delay =
            within("DelaySeconds", request.delay_seconds, LONGEST_DELAY)?.unwrap_or(queue.config.delay);
        let mut message = Message::new(request.message_body);
        message.attributes = request.message_attributes;
        message.trace = trace;
        let mut answer =
            json!({"MessageId": message.id, "MD5OfMessageBody": md5_hex(message.body.as_bytes())});
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

    pub(super) async fn receive(&self, request: &ReceiveMessage) -> Result<Value, AwsError> {
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
            .map(|received| self.describe(received, request))
            .collect();
        Ok(if messages.is_empty() {
            json!({})
        } else {
            json!({"Messages": messages})
        })
    }

    fn describe(&self, received: &ReceivedMessage, request: &ReceiveMessage) -> Value {
        let mut described = json!({
            "MessageId": received.message.id,
            "ReceiptHandle": received.receipt,
            "Body": received.message.body,
            "MD5OfBody": md5_hex(received.message.body.as_bytes()),
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
            described["Attributes"] = Value::Object(system);
        }
        let asked_for: BTreeMap<String, Attribute> = received
            .message
            .attributes
            .iter()
            .filter(|(name, _)| request.asks_for(name))
            .map(|(name, attribute)| (name.clone(), attribute.clone()))
            .collect();
        if !asked_for.is_empty() {
            described["MD5OfMessageAttributes"] = json!(attributes::md5(&asked_for));
            described["MessageAttributes"] = json!(asked_for);
        }
        described
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

    pub(super) fn delete(&self, request: &DeleteMessage) -> Result<Value, AwsError> {
        self.queue(&request.queue_url)?
            .delete(&request.receipt_handle)
            .map_err(invalid_receipt)?;
        Ok(json!({}))
    }

    pub(super) fn change_visibility(&self, request: &ChangeMessageVisibility) -> Result<Value, AwsError> {
        let seconds = Some(request.visibility_timeout);
        let visibility = within("VisibilityTimeout", seconds, LONGEST_VISIBILITY)?.unwrap_or_default();
        let queue = self.queue(&request.queue_url)?;
        match queue
            .change_visibility(&request.receipt_handle, visibility)
            .map_err(invalid_receipt)?
        {
            true => Ok(json!({})),
            false => Err(AwsError::new(
                "MessageNotInflight",
                "the message is not in flight any more",
            )),
        }
    }
}

fn invalid_receipt(InvalidReceipt: InvalidReceipt) -> AwsError {
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

fn read_trace(system: &BTreeMap<String, Attribute>) -> Result<Option<String>, AwsError> {
    if let Some(other) = system.keys().find(|name| *name != TRACE) {
        return Err(invalid(format!(
            "MessageSystemAttributes has {other}; only {TRACE} can be set"
        )));
    }
    attributes::check(system).map_err(invalid)?;
    let trace = system.get(TRACE);
    Ok(trace.and_then(|attribute| attribute.string_value.clone()))
}
