//! What queues and the event bus hand to a function: one message that says nothing, or something foreign, spoils no other.
#![no_main]
#![allow(
    dead_code,
    reason = "a file taken in by its path, without the crate around it"
)]

#[path = "../../lambda/src/event.rs"]
mod event;
#[path = "../../lambda/src/message_body.rs"]
mod message_body;

use event::TriggerEvent;
use libfuzzer_sys::fuzz_target;
use message_body::MessageBody;
use serde_json::{Value, json};

fuzz_target!(|text: &str| {
    match MessageBody::parse(text) {
        MessageBody::ObjectsCreated(created) => {
            // Decoding never makes a key longer than three bytes for one that stood there.
            assert!(created.iter().all(|object| object.key.len() <= 3 * text.len()));
        }
        MessageBody::JobEnded(ended) => assert!(ended.arn.ends_with(&ended.job)),
        MessageBody::Unsupported(reason) => assert!(reason.len() <= 8 * text.len() + 1024, "{reason}"),
        MessageBody::Empty(_) => {}
    }
    if let Ok(event) = serde_json::from_str::<Value>(text) {
        TriggerEvent::parse(&event);
    }
    let record = |id: &str, body: &str| json!({"messageId": id, "body": body, "eventSource": "aws:sqs"});
    let batch = json!({"Records": [record("1", text), record("2", "{}")]});
    let TriggerEvent::Messages(messages) = TriggerEvent::parse(&batch) else {
        panic!("a batch was not read");
    };
    assert_eq!((messages.len(), messages[0].body.as_str()), (2, text));
});
