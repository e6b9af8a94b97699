//! From an event to the queues of the functions that listen for it.

use std::sync::Arc;

use engine::{EventSink, WorkNotice};
use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::Value;

use crate::info::{INPUT_BUCKET, OUTPUT_BUCKET};
use crate::s3::{Notification, Notify};
use crate::sns::Sns;
use crate::sqs::{Message, Queues};
use crate::wiring::{BucketRole, FUNCTIONS, FunctionWiring};

/// What the store calls after each change: the bucket notifications and the EventBridge rules of the deployed stack.
pub(crate) fn route_object_events(queues: Queues) -> Notify {
    Arc::new(move |notification: Notification| {
        let bucket = match notification.bucket.as_str() {
            INPUT_BUCKET => BucketRole::Input,
            OUTPUT_BUCKET => BucketRole::Output,
            _ => return,
        };
        if !notification.event.is_created() {
            return;
        }
        let key = &notification.key;
        for function in FUNCTIONS
            .iter()
            .filter(|function| function.is_notified_of(bucket, key))
        {
            send(&queues, function, &notification.records_json());
        }
        for function in FUNCTIONS
            .iter()
            .filter(|function| bucket == BucketRole::Input && function.has_bus_rule_for(key))
        {
            send(&queues, function, &notification.bus_event());
        }
    })
}

fn send(queues: &Queues, function: &FunctionWiring, event: &Value) {
    if let Some(queue) = queues.get(function.name) {
        queue.send(Message::new(event.to_string()));
    }
}

/// Where the engine sends its events: job states to the functions' queues, work notices to SNS.
pub(crate) struct EngineEvents {
    pub(crate) queues: Queues,
    pub(crate) sns: Sns,
}

impl EventSink for EngineEvents {
    fn state_changed(&self, event: Value) -> BoxFuture<'_, Result<(), String>> {
        let mut sent = Ok(());
        for function in FUNCTIONS
            .iter()
            .filter(|function| function.listens_for_job_states())
        {
            match self.queues.get(function.name) {
                Some(queue) => queue.send(Message::new(event.to_string())),
                None => sent = Err(format!("there is no queue {}", function.name)),
            }
        }
        std::future::ready(sent).boxed()
    }

    /// As SageMaker does: a message to the work team's topic.
    fn work_notice(&self, notice: WorkNotice) -> BoxFuture<'_, Result<(), String>> {
        let WorkNotice {
            topic_arn,
            subject,
            message,
        } = notice;
        let published = self.sns.publish_text(&topic_arn, &subject, &message);
        async move { published }.boxed()
    }
}
