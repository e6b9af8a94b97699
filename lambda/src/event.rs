//! The event of an invocation: queue messages, or the clock.
//!
//! The batch is `aws_lambda_events`' own type. What a message says is read by [`crate::message_body`].

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use serde::Deserialize;
use serde_json::{Value, json};
use shared::name::DatasetName;

/// The event of an invocation.
#[derive(Clone, Debug, PartialEq)]
pub enum TriggerEvent {
    Messages(Vec<QueueMessage>),
    Sweep(Sweep),
    Unknown,
}

/// One message of a queue.
#[derive(Clone, Debug, PartialEq)]
pub struct QueueMessage {
    pub id: String,
    pub body: String,
    /// 1 the first time.
    pub receive_count: u32,
}

/// The clock asks for a look at everything, or at these datasets.
#[derive(Clone, Debug, PartialEq)]
pub enum Sweep {
    All,
    Datasets(Vec<DatasetName>),
}

impl TriggerEvent {
    pub fn parse(event: &Value) -> Self {
        if let Some(sweep) = event.get("sweep") {
            return Sweep::parse(sweep).map_or(Self::Unknown, Self::Sweep);
        }
        let Ok(batch) = SqsEvent::deserialize(event) else {
            return Self::Unknown;
        };
        let messages = batch.records.into_iter().map(QueueMessage::read);
        messages
            .collect::<Option<Vec<_>>>()
            .map_or(Self::Unknown, Self::Messages)
    }
}

impl Sweep {
    fn parse(value: &Value) -> Option<Self> {
        match value {
            Value::String(all) if all == "all" => Some(Self::All),
            Value::Array(names) => {
                let names = names.iter().map(|n| DatasetName::new(n.as_str()?).ok());
                names.collect::<Option<Vec<_>>>().map(Self::Datasets)
            }
            _ => None,
        }
    }
}

impl QueueMessage {
    /// `None` for a record that is not a queue's, or that has no id to name it by in the reply.
    fn read(message: SqsMessage) -> Option<Self> {
        let is_of_a_queue = message.event_source.as_deref() == Some("aws:sqs");
        let count = message.attributes.get("ApproximateReceiveCount");
        Some(Self {
            id: message.message_id.filter(|_| is_of_a_queue)?,
            body: message.body.unwrap_or_default(),
            receive_count: count.and_then(|count| count.parse().ok()).unwrap_or(1),
        })
    }
}

/// Lambda's partial batch response: these messages are delivered again, the others are deleted.
pub fn failed_messages<'a>(ids: impl IntoIterator<Item = &'a str>) -> Value {
    let mut response = SqsBatchResponse::default();
    for id in ids {
        response.add_failure(id);
    }
    json!(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_names_all_datasets_or_some() {
        let sweep = |event: Value| TriggerEvent::parse(&event);
        assert_eq!(sweep(json!({"sweep": "all"})), TriggerEvent::Sweep(Sweep::All));
        let cats = DatasetName::new("cats").unwrap();
        assert_eq!(
            sweep(json!({"sweep": ["cats"]})),
            TriggerEvent::Sweep(Sweep::Datasets(vec![cats]))
        );
        for event in [
            json!({"sweep": "some"}),
            json!({"sweep": ["a/b"]}),
            json!({}),
            json!(null),
        ] {
            assert_eq!(TriggerEvent::parse(&event), TriggerEvent::Unknown, "{event}");
        }
    }

    #[test]
    fn only_messages_of_a_queue_are_a_batch() {
        let record = |source: &str| {
            json!({"Records": [{"messageId": "m1", "body": "b", "eventSource": source,
                "attributes": {"ApproximateReceiveCount": "3"}}]})
        };
        let message = QueueMessage {
            id: "m1".to_owned(),
            body: "b".to_owned(),
            receive_count: 3,
        };
        assert_eq!(
            TriggerEvent::parse(&record("aws:sqs")),
            TriggerEvent::Messages(vec![message])
        );
        assert_eq!(TriggerEvent::parse(&record("aws:kinesis")), TriggerEvent::Unknown);
    }
}
