//! What happens, sent to the queues of the functions that the wiring says hear of it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use engine::EventSink;
use serde_json::Value;
use tokio::sync::mpsc;

use crate::clock::datasets_of;
use crate::event_source::{EventSource, Invoke};
use crate::info::{INPUT_BUCKET, OUTPUT_BUCKET};
use crate::s3::Notification;
use crate::sqs::{Address, Message, QueueConfig, Queues, Received, Redrive};
use crate::wiring::{BUILD_MANIFEST, BucketRole, FUNCTIONS, FunctionWiring, LOCAL};

/// The wiring's queues, dead-letter queues first.
pub(crate) fn queue_configs() -> Vec<QueueConfig> {
    let dead_letters = FUNCTIONS.iter().map(|wiring| QueueConfig {
        name: wiring.dead_letter_queue(),
        delay: Duration::ZERO,
        visibility: Duration::from_secs(30),
        retention: retention(wiring),
        redrive: None,
    });
    let queues = FUNCTIONS.iter().map(|wiring| QueueConfig {
        name: wiring.name.to_owned(),
        delay: seconds(wiring.queue.delay_seconds).min(LOCAL.longest_delay),
        visibility: seconds(wiring.queue.visibility_seconds),
        retention: retention(wiring),
        redrive: Some(Redrive {
            to: wiring.dead_letter_queue(),
            max_receive: wiring.queue.max_receive,
        }),
    });
    dead_letters.chain(queues).collect()
}

fn retention(wiring: &FunctionWiring) -> Duration {
    seconds(wiring.queue.retention_days * 24 * 3600)
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
    })
}

/// The engine's events, to whom they concern.
pub(crate) struct JobEvents(pub(crate) Queues);

impl EventSink for JobEvents {
    fn state_changed(&self, event: Value) {
        for wiring in FUNCTIONS.iter().filter(|wiring| wiring.hears_job_states()) {
            send(&self.0, wiring, &event);
        }
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
    let source = |wiring: &FunctionWiring| {
        let changed = (wiring.name == BUILD_MANIFEST.name).then(|| changed.clone());
        Some(EventSource {
            queue: queues.get(wiring.name)?.clone(),
            queue_arn: address.arn(wiring.name),
            region: address.region,
            invoke: functions.get(wiring.name)?.clone(),
            batch_size: wiring.queue.batch_size as usize,
            window: seconds(wiring.queue.batch_window_seconds).min(LOCAL.longest_window),
            concurrency: wiring.queue.maximum_concurrency as usize,
            first_retry: LOCAL.first_retry,
            longest_retry: LOCAL.longest_retry,
            worked_on: Arc::new(move |batch| {
                if let Some(changed) = &changed {
                    say_changed(changed, batch);
                }
            }),
        })
    };
    FUNCTIONS.iter().filter_map(source).collect()
}

fn say_changed(changed: &mpsc::UnboundedSender<String>, batch: &[Received]) {
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
