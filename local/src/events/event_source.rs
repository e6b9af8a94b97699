//! From a queue to its function, as Lambda's event source mapping does it: collect a batch, call the function, delete the
//! messages it processed, make the others visible again later.
//! <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html>

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::functions::Function;
use crate::sqs::{Queue, ReceivedMessage};

/// An event is at most 6 MB; each record carries about this much beside its body.
const LARGEST_EVENT: usize = 6 * 1024 * 1024;
const RECORD_OVERHEAD: usize = 600;
/// How long one wait for messages lasts.
const LONG_POLL: Duration = Duration::from_secs(20);

/// Called with each batch once the function has been called for it.
pub(crate) type AfterBatch = Arc<dyn Fn(&[ReceivedMessage]) + Send + Sync>;

/// How a function reads its queue.
#[derive(Clone)]
pub(crate) struct EventSource {
    pub(crate) queue: Arc<Queue>,
    pub(crate) queue_arn: String,
    pub(crate) region: &'static str,
    pub(crate) function: Function,
    pub(crate) batch_size: usize,
    pub(crate) window: Duration,
    pub(crate) concurrency: usize,
    pub(crate) first_retry: Duration,
    pub(crate) longest_retry: Duration,
    pub(crate) after_batch: AfterBatch,
}

impl EventSource {
    /// Runs until stopped; batches that have been collected are processed first.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let permits = Arc::new(Semaphore::new(self.concurrency));
        let running = TaskTracker::new();
        loop {
            let Ok(permit) = permits.clone().acquire_owned().await else {
                break;
            };
            let Some(batch) = stop.run_until_cancelled(self.collect()).await else {
                break;
            };
            let source = self.clone();
            running.spawn(async move {
                source.process(batch).await;
                drop(permit);
            });
        }
        running.close();
        running.wait().await;
    }

    /// The first message, and what else comes while the window is open.
    async fn collect(&self) -> Vec<ReceivedMessage> {
        let mut batch = Vec::new();
        let mut bytes = 0;
        let mut closes = None;
        while batch.len() < self.batch_size && bytes < LARGEST_EVENT {
            let wait = closes.map_or(LONG_POLL, |at: Instant| {
                at.saturating_duration_since(Instant::now())
            });
            // A few at a time, so that a batch goes over its size in bytes by little.
            let room = (self.batch_size - batch.len()).min(10);
            let received = self.queue.receive(room, self.queue.config.visibility, wait).await;
            if received.is_empty() && closes.is_some_and(|at| Instant::now() >= at) {
                break;
            }
            if !received.is_empty() {
                closes.get_or_insert_with(|| Instant::now() + self.window);
            }
            bytes += received
                .iter()
                .map(|one| one.message.body.len() + RECORD_OVERHEAD)
                .sum::<usize>();
            batch.extend(received);
        }
        batch
    }

    async fn process(&self, batch: Vec<ReceivedMessage>) {
        let event = self.event(&batch);
        // A panic in a function is that invocation's failure, not the stack's.
        let failed = match tokio::spawn((self.function)(event)).await {
            Ok(Ok(answer)) => failures(&answer, &batch),
            Ok(Err(reason)) => self.all_failed(&batch, &reason),
            Err(panic) => self.all_failed(&batch, &panic.to_string()),
        };
        for received in &batch {
            let settled = if failed.contains(&received.message.id) {
                self.queue
                    .change_visibility(&received.receipt, self.retry_after(received.message.receives))
                    .map(drop)
            } else {
                self.queue.delete(&received.receipt)
            };
            debug_assert!(settled.is_ok(), "the receipt came from this queue");
        }
        (self.after_batch)(&batch);
    }

    fn all_failed(&self, batch: &[ReceivedMessage], reason: &str) -> BTreeSet<String> {
        tracing::error!(
            function = self.queue.config.name,
            messages = batch.len(),
            reason,
            "invocation failed; its messages will be retried"
        );
        batch.iter().map(|received| received.message.id.clone()).collect()
    }

    fn retry_after(&self, receives: u32) -> Duration {
        let doublings = receives.saturating_sub(1).min(16);
        (self.first_retry * 2_u32.pow(doublings)).min(self.longest_retry)
    }

    fn event(&self, batch: &[ReceivedMessage]) -> Value {
        json!({"Records": batch.iter().map(|received| self.record(received)).collect::<Vec<_>>()})
    }

    fn record(&self, received: &ReceivedMessage) -> Value {
        let message = &received.message;
        let first = message.first_received.unwrap_or(message.sent);
        json!({
            "messageId": message.id,
            "receiptHandle": received.receipt,
            "body": message.body,
            "attributes": {
                "ApproximateReceiveCount": message.receives.to_string(),
                "SentTimestamp": message.sent.as_millisecond().to_string(),
                "SenderId": "000000000000",
                "ApproximateFirstReceiveTimestamp": first.as_millisecond().to_string(),
            },
            "messageAttributes": {},
            "md5OfBody": crate::sqs::md5_hex(message.body.as_bytes()),
            "eventSource": "aws:sqs",
            "eventSourceARN": self.queue_arn,
            "awsRegion": self.region,
        })
    }
}

/// The messages a partial batch response names. As on AWS, a response that names an unknown message fails the whole batch.
fn failures(answer: &Value, batch: &[ReceivedMessage]) -> BTreeSet<String> {
    let all: BTreeSet<String> = batch.iter().map(|received| received.message.id.clone()).collect();
    let named = answer
        .get("batchItemFailures")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    let named: Option<BTreeSet<String>> = named
        .iter()
        .map(|failure| failure["itemIdentifier"].as_str().map(str::to_owned))
        .collect();
    match named {
        Some(named) if named.is_subset(&all) => named,
        _ => {
            tracing::error!(
                "function named messages that were not in its batch; the whole batch will be retried"
            );
            all
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::sqs::{Message, QueueConfig, Queues, Redrive};

    /// A function that records what it was sent and fails the bodies `bad`.
    fn failing_on_bad(seen: Arc<Mutex<Vec<Vec<String>>>>) -> Function {
        Arc::new(move |event| {
            let records = event["Records"].as_array().unwrap().clone();
            let bodies = records
                .iter()
                .map(|record| record["body"].as_str().unwrap().to_owned())
                .collect();
            seen.lock().unwrap().push(bodies);
            let failures: Vec<_> = records
                .iter()
                .filter(|record| record["body"] == "bad")
                .map(|record| json!({"itemIdentifier": record["messageId"]}))
                .collect();
            Box::pin(async move { Ok(json!({"batchItemFailures": failures})) })
        })
    }

    fn stack(folder: &std::path::Path) -> Queues {
        let redrive = Some(Redrive {
            to: "work-dlq".into(),
            max_receive: 3,
        });
        let config = |name: &str, redrive| QueueConfig {
            name: name.into(),
            delay: Duration::ZERO,
            visibility: Duration::from_secs(600),
            retention: Duration::from_secs(1_000_000),
            redrive,
        };
        Queues::open(folder, vec![config("work-dlq", None), config("work", redrive)]).unwrap()
    }

    fn source(queues: &Queues, function: Function) -> EventSource {
        EventSource {
            queue: queues.get("work").unwrap().clone(),
            queue_arn: "arn:aws:sqs:us-east-1:000000000000:work".into(),
            region: "us-east-1",
            function,
            batch_size: 100,
            window: Duration::from_millis(10),
            concurrency: 2,
            first_retry: Duration::from_millis(1),
            longest_retry: Duration::from_millis(2),
            after_batch: Arc::new(|_| {}),
        }
    }

    #[tokio::test]
    async fn only_failed_messages_are_retried_until_they_are_dead_letters() {
        let folder = tempfile::tempdir().unwrap();
        let queues = stack(folder.path());
        let work = queues.get("work").unwrap().clone();
        for body in ["a", "bad", "b"] {
            work.send(Message::new(body));
        }
        let seen = Arc::new(Mutex::new(Vec::new()));
        let stop = CancellationToken::new();
        let running = tokio::spawn(source(&queues, failing_on_bad(seen.clone())).run(stop.clone()));
        let dead = queues.get("work-dlq").unwrap();
        let letters = dead
            .receive(10, Duration::from_secs(600), Duration::from_secs(120))
            .await;
        stop.cancel();
        running.await.unwrap();
        assert_eq!(letters.len(), 1);
        assert_eq!(letters[0].message.dead_from.as_deref(), Some("work"));
        let seen = seen.lock().unwrap().clone();
        assert_eq!(seen, [vec!["a", "bad", "b"], vec!["bad"], vec!["bad"]]);
        assert_eq!(work.counts(), crate::sqs::QueueCounts::default());
    }

    #[tokio::test]
    async fn a_function_that_panics_fails_its_batch_alone() {
        let folder = tempfile::tempdir().unwrap();
        let queues = stack(folder.path());
        queues.get("work").unwrap().send(Message::new("a"));
        let stop = CancellationToken::new();
        let function: Function = Arc::new(|_| Box::pin(async { panic!("on purpose") }));
        let running = tokio::spawn(source(&queues, function).run(stop.clone()));
        let dead = queues.get("work-dlq").unwrap();
        assert_eq!(
            dead.receive(10, Duration::ZERO, Duration::from_secs(120))
                .await
                .len(),
            1
        );
        stop.cancel();
        running.await.unwrap();
    }

    #[test]
    fn a_response_that_names_unknown_messages_fails_the_whole_batch() {
        let batch = vec![ReceivedMessage {
            receipt: "0.x".into(),
            message: Message::new("a"),
        }];
        let stranger = json!({"batchItemFailures": [{"itemIdentifier": "stranger"}]});
        assert_eq!(failures(&stranger, &batch).len(), 1);
        assert_eq!(failures(&json!({"batchItemFailures": []}), &batch).len(), 0);
        assert_eq!(failures(&Value::Null, &batch).len(), 0);
    }
}
