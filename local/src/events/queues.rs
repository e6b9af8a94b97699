//! The functions' queues with their dead-letter queues, and how each function reads its own.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use super::event_source::EventSource;
use super::functions::Functions;
use crate::sqs::{Address, QueueConfig, Queues, ReceivedMessage, Redrive};
use crate::wiring::{BUILD_MANIFEST, FUNCTIONS, FunctionWiring, LOCAL_TIMING, QueueSettings};

/// The wiring's queues, dead-letter queues first.
pub(crate) fn queue_configs() -> Vec<QueueConfig> {
    let dead_letters = functions_with_queue().map(|(function, queue)| QueueConfig {
        name: function.dead_letter_queue(),
        delay: Duration::ZERO,
        visibility: Duration::from_secs(30),
        retention: retention(&queue),
        redrive: None,
    });
    let queues = functions_with_queue().map(|(function, queue)| QueueConfig {
        name: function.name.to_owned(),
        delay: seconds(queue.delay_seconds).min(LOCAL_TIMING.longest_delay),
        visibility: seconds(queue.visibility_seconds),
        retention: retention(&queue),
        redrive: Some(Redrive {
            to: function.dead_letter_queue(),
            max_receive: queue.max_receive,
        }),
    });
    dead_letters.chain(queues).collect()
}

/// The functions that have a queue, and its settings.
pub(crate) fn functions_with_queue() -> impl Iterator<Item = (&'static FunctionWiring, QueueSettings)> {
    const ALL: &[FunctionWiring] = &FUNCTIONS;
    ALL.iter()
        .filter_map(|function| Some((function, function.queue?)))
}

fn retention(queue: &QueueSettings) -> Duration {
    seconds(queue.retention_days * 24 * 3600)
}

fn seconds(seconds: u32) -> Duration {
    Duration::from_secs(u64::from(seconds))
}

/// From each queue to its function. The datasets that build-manifest has worked on are sent to `changed_datasets`.
pub(crate) fn event_sources(
    queues: &Queues,
    address: &Address,
    functions: &Functions,
    changed_datasets: &mpsc::UnboundedSender<String>,
) -> Vec<EventSource> {
    let source = |(wiring, queue): (&FunctionWiring, QueueSettings)| {
        let changed_datasets = (wiring.name == BUILD_MANIFEST.name).then(|| changed_datasets.clone());
        Some(EventSource {
            queue: queues.get(wiring.name)?.clone(),
            queue_arn: address.arn(wiring.name),
            region: address.region,
            function: functions.get(wiring.name)?.clone(),
            batch_size: queue.batch_size as usize,
            window: seconds(queue.batch_window_seconds).min(LOCAL_TIMING.longest_window),
            concurrency: queue.maximum_concurrency as usize,
            first_retry: LOCAL_TIMING.first_retry,
            longest_retry: LOCAL_TIMING.longest_retry,
            after_batch: Arc::new(move |batch| {
                if let Some(changed_datasets) = &changed_datasets {
                    report_datasets(changed_datasets, batch);
                }
            }),
        })
    };
    functions_with_queue().filter_map(source).collect()
}

fn report_datasets(changed_datasets: &mpsc::UnboundedSender<String>, batch: &[ReceivedMessage]) {
    let mut datasets: Vec<_> = batch
        .iter()
        .flat_map(|received| datasets_of(&received.message.body))
        .collect();
    datasets.sort_unstable();
    datasets.dedup();
    for dataset in datasets {
        let _clock_stopped = changed_datasets.send(dataset);
    }
}

/// The datasets an S3 event is about: the first folder of each key.
fn datasets_of(body: &str) -> Vec<String> {
    let event: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
    let records = event["Records"].as_array().cloned().unwrap_or_default();
    let keys = records
        .iter()
        .filter_map(|record| record["s3"]["object"]["key"].as_str());
    keys.filter_map(|key| {
        let folder = key.split_once('/')?.0.replace('+', " ");
        let folder = percent_encoding::percent_decode_str(&folder).decode_utf8().ok()?;
        Some(folder.into_owned())
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_names_the_dataset_it_is_about() {
        let body = json!({"Records": [{"s3": {"object": {"key": "my+cats/a%2Bb/1.txt"}}}, {"s3": {"object": {"key": "loose.txt"}}}]});
        assert_eq!(datasets_of(&body.to_string()), ["my cats"]);
        assert!(datasets_of("not JSON").is_empty());
    }
}
