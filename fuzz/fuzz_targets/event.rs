//! What queues and the event bus hand to a function: one message that says nothing, or something foreign, spoils no other.
#![no_main]
#![allow(
    dead_code,
    reason = "a file taken in by its path, without the crate around it"
)]

#[path = "../../lambda/src/event.rs"]
mod event;

use event::{Body, Incoming};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

fuzz_target!(|text: &str| {
    match Body::parse(text) {
        Body::Dropped(dropped) => {
            // Decoding never makes a key longer than three bytes for one that stood there.
            assert!(dropped.iter().all(|object| object.key.len() <= 3 * text.len()));
        }
        Body::JobEnded(ended) => assert!(ended.arn.ends_with(&ended.job)),
        Body::Unsupported(reason) => assert!(reason.len() <= 8 * text.len() + 1024, "{reason}"),
        Body::Nothing(_) => {}
    }
    if let Ok(event) = serde_json::from_str::<Value>(text) {
        Incoming::parse(&event);
    }
    let record = |id: &str, body: &str| json!({"messageId": id, "body": body, "eventSource": "aws:sqs"});
    let batch = json!({"Records": [record("1", text), record("2", "{}")]});
    let Incoming::Sqs(messages) = Incoming::parse(&batch) else {
        panic!("a batch was not read");
    };
    assert_eq!((messages.len(), messages[0].body.as_str()), (2, text));
});
