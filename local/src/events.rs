//! What happens, sent to the queues of the functions that the wiring says hear of it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use engine::{EventSink, WorkNotice};
use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::Value;
use tokio::sync::mpsc;

use crate::clock::datasets_of;
use crate::event_source::{EventSource, Invoke};
use crate::info::{INPUT_BUCKET, OUTPUT_BUCKET};
use crate::s3::Notification;
use crate::sns::Sns;
use crate::sqs::{Address, Message, QueueConfig, Queues, ReceivedMessage, Redrive};
use crate::wiring::{BUILD_MANIFEST, BucketRole, FUNCTIONS, FunctionWiring, LOCAL, QueueSettings};

/// The wiring's queues, dead-letter queues first.
pub(crate) fn queue_configs() -> Vec<QueueConfig> {
    let dead_letters = queued().map(|(wiring, queue)| QueueConfig {
        name: wiring.dead_letter_queue(),
        delay: Duration::ZERO,
        visibility: Duration::from_secs(30),
        retention: retention(&queue),
        redrive: None,
    });
    let queues = queued().map(|(wiring, queue)| QueueConfig {
        name: wiring.name.to_owned(),
        delay: seconds(queue.delay_seconds).min(LOCAL.longest_delay),
        visibility: seconds(queue.visibility_seconds),
        retention: retention(&queue),
        redrive: Some(Redrive {
            to: wiring.dead_letter_queue(),
            max_receive: queue.max_receive,
        }),
    });
    dead_letters.chain(queues).collect()
}

/// The functions that have a queue, and its settings.
pub(crate) fn queued() -> impl Iterator<Item = (&'static FunctionWiring, QueueSettings)> {
    const ALL: &[FunctionWiring] = &FUNCTIONS;
    ALL.iter().filter_map(|wiring| Some((wiring, wiring.queue?)))
}

fn retention(queue: &QueueSettings) -> Duration {
    seconds(queue.retention_days * 24 * 3600)
}

fn seconds(seconds: u32) -> Duration {
    Duration::from_secs(u64::from(seconds))
}

/// The store's events, to whom they concern.
pub(crate) fn object_events(queues: Queues) -> crate::s3::Notify {
    Arc::new(move |notification: Notification| {
        let role = match notification.bucket.as_str() {
            INPUT_BUCKET => BucketRole::Input,
            OUTPUT_BUCKET => BucketRole::Output,
            _ => return,
        };
        if !notification.created() {
            return;
        }
        for wiring in FUNCTIONS
            .iter()
            .filter(|wiring| wiring.hears_object(role, &notification.key))
        {
            send(&queues, wiring, &notification.records_json());
        }
        for wiring in FUNCTIONS
            .iter()
            .filter(|wiring| role == BucketRole::Input && wiring.hears_on_bus(&notification.key))
        {
            send(&queues, wiring, &notification.bus_event());
        }
    })
}

/// The engine's events, to whom they concern.
pub(crate) struct JobEvents {
    pub(crate) queues: Queues,
    pub(crate) sns: Sns,
}

impl EventSink for JobEvents {
    fn state_changed(&self, event: Value) -> BoxFuture<'_, Result<(), String>> {
        let mut sent = Ok(());
        for wiring in FUNCTIONS.iter().filter(|wiring| wiring.hears_job_states()) {
            match self.queues.get(wiring.name) {
                Some(queue) => queue.send(Message::new(event.to_string())),
                None => sent = Err(format!("there is no queue {}", wiring.name)),
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

fn send(queues: &Queues, wiring: &FunctionWiring, body: &Value) {
    if let Some(queue) = queues.get(wiring.name) {
        queue.send(Message::new(body.to_string()));
    }
}

/// From each queue to its function; `changed` hears of the datasets build-manifest has worked on.
pub(crate) fn sources(
    queues: &Queues,
    address: &Address,
    functions: &HashMap<&'static str, Invoke>,
    changed: &mpsc::UnboundedSender<String>,
) -> Vec<EventSource> {
    let source = |(wiring, queue): (&FunctionWiring, QueueSettings)| {
        let changed = (wiring.name == BUILD_MANIFEST.name).then(|| changed.clone());
        Some(EventSource {
            queue: queues.get(wiring.name)?.clone(),
            queue_arn: address.arn(wiring.name),
            region: address.region,
            invoke: functions.get(wiring.name)?.clone(),
            batch_size: queue.batch_size as usize,
            window: seconds(queue.batch_window_seconds).min(LOCAL.longest_window),
            concurrency: queue.maximum_concurrency as usize,
            first_retry: LOCAL.first_retry,
            longest_retry: LOCAL.longest_retry,
            worked_on: Arc::new(move |batch| {
                if let Some(changed) = &changed {
                    say_changed(changed, batch);
                }
            }),
        })
    };
    queued().filter_map(source).collect()
}

fn say_changed(changed: &mpsc::UnboundedSender<String>, batch: &[ReceivedMessage]) {
    let mut datasets: Vec<_> = batch
        .iter()
        .flat_map(|received| datasets_of(&received.message.body))
        .collect();
    datasets.sort_unstable();
    datasets.dedup();
    for dataset in datasets {
        let _clock_stopped = changed.send(dataset);
    }
}
