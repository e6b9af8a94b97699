//! Queues as SQS is: at least once, in no order, and the bodies of the events that go through them.

use std::fmt::Write;

use serde_json::{Value, json};
use shared::port::JobState;

use crate::agenda::Event;
use crate::fault::Fault;
use crate::function::Function;
use crate::time::{MINUTE, Ms, SECOND, timestamp};
use crate::world::World;
use crate::{INPUT, OUTPUT};

#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) id: u32,
    pub(crate) body: String,
    /// Times it was received.
    pub(crate) received: u32,
}

/// Messages that are visible and not yet received.
#[derive(Default)]
pub(crate) struct Queue {
    visible: Vec<Message>,
    asked: bool,
}

impl World {
    /// An event on its way to a function, which may get lost, multiply or be late.
    pub(crate) fn send(&mut self, to: Function, body: &str) {
        if self.silent || self.strikes(Fault::EventLost) {
            self.note(|| format!("  an event for {to} is lost"));
            return;
        }
        let copies = match self.strikes(Fault::EventRepeated) {
            true => 2 + self.dice.below(4),
            false => 1,
        };
        for _ in 0..copies {
            let usual = match to {
                Function::BuildManifest => self.delay,
                _ => 0,
            };
            let late = match self.strikes(Fault::EventLate) {
                true => self.dice.between(MINUTE, 30 * MINUTE),
                false => self.dice.between(SECOND / 10, 20 * SECOND),
            };
            self.messages += 1;
            let (id, body) = (self.messages, body.to_owned());
            let message = Message {
                id,
                body,
                received: 0,
            };
            self.agenda
                .add(self.now + usual + late, Event::Visible(to, message));
        }
    }

    pub(crate) fn visible(&mut self, of: Function, message: Message) {
        if self.silent {
            return;
        }
        let window = self.dice.between(0, 20 * SECOND);
        let queue = self.queue(of);
        queue.visible.push(message);
        if !std::mem::replace(&mut queue.asked, true) {
            self.agenda.add(self.now + window, Event::Receive(of));
        }
    }

    /// Some of what is visible, in no order; the rest is for another invocation.
    pub(crate) fn receive(&mut self, of: Function) -> Vec<Message> {
        let queue = self.queue(of);
        queue.asked = false;
        let mut visible = std::mem::take(&mut queue.visible);
        if self.silent {
            return Vec::new();
        }
        let most = 1 + self.dice.index(visible.len());
        let mut received = Vec::new();
        while received.len() < most && !visible.is_empty() {
            let place = self.dice.index(visible.len());
            received.push(visible.swap_remove(place));
        }
        let more = !visible.is_empty();
        self.queue(of).visible = visible;
        if more {
            self.queue(of).asked = true;
            let soon = self.dice.between(1, SECOND);
            self.agenda.add(self.now + soon, Event::Receive(of));
        }
        if self.strikes(Fault::Garbage) {
            let body = garbage(self.dice.below(8));
            self.messages += 1;
            let id = self.messages;
            received.push(Message {
                id,
                body,
                received: 0,
            });
        }
        received.iter_mut().for_each(|message| message.received += 1);
        received
    }

    /// The message was not dealt with: it is seen again, or lies among the dead letters for good.
    pub(crate) fn give_back(&mut self, of: Function, message: Message) {
        if message.received >= of.max_receives() {
            self.note(|| format!("  message {} of {of} goes to the dead letters", message.id));
            return;
        }
        self.agenda
            .add(self.now + of.visibility(), Event::Visible(of, message));
    }

    fn queue(&mut self, of: Function) -> &mut Queue {
        self.queues.entry(of).or_default()
    }
}

/// What Lambda hands to the function.
pub(crate) fn batch(messages: &[Message]) -> Value {
    let records: Vec<Value> = messages
        .iter()
        .map(|message| {
            json!({
                "messageId": message.id.to_string(), "eventSource": "aws:sqs", "body": message.body,
                "attributes": {"ApproximateReceiveCount": message.received.to_string()},
            })
        })
        .collect();
    json!({ "Records": records })
}

/// Ids of the messages that the reply says were not dealt with.
pub(crate) fn failures(reply: &Value) -> Vec<u32> {
    let failures = reply.get("batchItemFailures").and_then(Value::as_array);
    let ids = failures.into_iter().flatten();
    ids.filter_map(|failure| failure.get("itemIdentifier")?.as_str()?.parse().ok())
        .collect()
}

/// S3's notification.
pub(crate) fn object_created(bucket: &str, key: &str, event: &str, at: Ms) -> String {
    let (key, at) = (form_encoded(key), timestamp(at));
    format!(
        r#"{{"Records":[{{"eventVersion":"2.1","eventSource":"aws:s3","eventTime":"{at:.3}","eventName":"ObjectCreated:{event}","s3":{{"bucket":{{"name":"{bucket}"}},"object":{{"key":"{key}"}}}}}}]}}"#
    )
}

/// EventBridge's event about a team file.
pub(crate) fn team_dropped(key: &str, at: Ms) -> String {
    let at = timestamp(at);
    json!({
        "source": "aws.s3", "detail-type": "Object Created", "time": format!("{at:.0}"),
        "detail": {"bucket": {"name": INPUT}, "object": {"key": key}},
    })
    .to_string()
}

/// EventBridge's event about a labeling job.
pub(crate) fn job_changed(arn: &str, state: JobState) -> String {
    format!(
        r#"{{"source":"aws.sagemaker","detail-type":"SageMaker Ground Truth Labeling Job State Change","resources":["{arn}"],"detail":{{"LabelingJobStatus":"{state:?}"}}}}"#
    )
}

/// Keys in notifications are encoded as forms are: a space is `+`.
fn form_encoded(key: &str) -> String {
    key.bytes().fold(String::new(), |mut out, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'*' => out.push(char::from(byte)),
            b' ' => out.push('+'),
            _ => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
        out
    })
}

fn garbage(which: u32) -> String {
    let job = "arn:aws:sagemaker:us-east-1:111122223333:labeling-job/of-others";
    match which {
        0 => String::new(),
        1 => "not JSON".to_owned(),
        2 => r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"in"}"#.to_owned(),
        3 => r#"{"Records":[]}"#.to_owned(),
        4 => object_created("another-bucket", "cats/x.txt", "Put", 0),
        5 => object_created(OUTPUT, "labels/gc00-x/manifests/output/output.manifest", "Put", 0),
        6 => object_created(INPUT, "cats/x.txt", "Put", 0).replace("\"2.1\"", "\"3.0\""),
        _ => job_changed(job, JobState::Completed),
    }
}
