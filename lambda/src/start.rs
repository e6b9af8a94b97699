//! How every function starts: JSON log lines, dependencies, then the Lambda runtime's loop.

use std::pin::Pin;
use std::time::{Duration, SystemTime};

use lambda_runtime::{LambdaEvent, service_fn, tracing};
use serde_json::Value;

use crate::event::failed_messages;
use aws::sdk::Sdk;

/// What `main` may end with.
pub use lambda_runtime::Error;

/// Why a function cannot start: its environment is not as the template sets it.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("the environment variable {0} is not set; the stack's template sets it for this function")]
    Missing(&'static str),
    #[error("the environment variable {name} is `{value}`: {expected}")]
    Malformed {
        name: &'static str,
        value: String,
        expected: &'static str,
    },
}

/// Why an invocation as a whole failed. Failed messages of a batch are not this: they are named in the reply.
#[derive(Debug, thiserror::Error)]
pub enum HandlerError {
    #[error(
        "this is neither a batch of queue messages nor {{\"sweep\": \"all\"}} nor {{\"sweep\": [\"<dataset>\", …]}}; \
         check what is wired to the function"
    )]
    UnknownEvent,
    /// Everything that could be done has been done; the next sweep tries the rest again.
    #[error("{failed} of {of} could not be brought up to date; the first: {first}")]
    Sweep { failed: usize, of: usize, first: String },
    #[error("stopped {left_over:?} before the function's timeout; the next event or sweep continues")]
    OutOfTime { left_over: Duration },
}

/// A variable that must be set.
pub fn required_variable(
    env: &dyn Fn(&str) -> Option<String>,
    name: &'static str,
) -> Result<String, ConfigError> {
    env(name)
        .filter(|value| !value.is_empty())
        .ok_or(ConfigError::Missing(name))
}

/// Time kept for the reply that there was no time: a tenth of what there is, so that a function of a few seconds has
/// most of them.
const LONGEST_MARGIN: Duration = Duration::from_secs(5);

/// Stops work before Lambda kills the process in the middle of it. Everything the functions do may be interrupted
/// anywhere. Work that is interrupted here is reported by name, its messages are retried, and the next event finds a
/// warm process.
pub async fn stop_before_timeout(
    work: impl Future<Output = Result<Value, HandlerError>>,
    messages: &[String],
    left: Duration,
) -> Result<Value, HandlerError> {
    let margin = (left / 10).min(LONGEST_MARGIN);
    let Ok(done) = tokio::time::timeout(left.saturating_sub(margin), work).await else {
        let error = HandlerError::OutOfTime { left_over: margin };
        if messages.is_empty() {
            return Err(error);
        }
        tracing::error!(%error, messages = messages.len(), "out of time; all messages of this invocation will be retried");
        return Ok(failed_messages(messages.iter().map(String::as_str)));
    };
    done
}

/// Ids of the queue messages an event consists of; none of any other event.
pub fn message_ids(event: &Value) -> Vec<String> {
    let records = event.get("Records").and_then(Value::as_array);
    let is_of_a_queue =
        |record: &&Value| record.get("eventSource").and_then(Value::as_str) == Some("aws:sqs");
    let id = |record: &Value| record.get("messageId")?.as_str().map(str::to_owned);
    records
        .into_iter()
        .flatten()
        .filter(is_of_a_queue)
        .filter_map(id)
        .collect()
}

/// Runs a function until Lambda stops it.
///
/// `deps` runs once and makes no AWS call: configuration and clients are made when first used, so that the cold start
/// pays for none that the event does not need.
pub fn run<D, H>(
    deps: impl FnOnce(&dyn Fn(&str) -> Option<String>, Sdk) -> Result<D, ConfigError>,
    handle: &H,
) -> Result<(), Error>
where
    H: AsyncFn(&D, Value) -> Result<Value, HandlerError>,
{
    tracing::init_default_subscriber();
    // One thread: a function of this memory size has at most one virtual CPU.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let deps = deps(&|name| std::env::var(name).ok(), Sdk::default())?;
        let deps = &deps;
        let answer = |event: LambdaEvent<Value>| async move {
            // Behind a pointer: the types of nested SDK futures go deeper than the compiler follows.
            let (messages, deadline) = (message_ids(&event.payload), event.context.deadline());
            let left = deadline.duration_since(SystemTime::now()).unwrap_or_default();
            let reply: Pin<Box<dyn Future<Output = _>>> = Box::pin(handle(deps, event.payload));
            stop_before_timeout(reply, &messages, left)
                .await
                .map_err(Error::from)
        };
        lambda_runtime::run(service_fn(answer)).await
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn batch() -> Value {
        let record = |id: &str, source: &str| json!({"messageId": id, "eventSource": source, "body": ""});
        json!({"Records": [record("a", "aws:sqs"), record("b", "aws:sqs"), record("c", "aws:kinesis")]})
    }

    #[tokio::test]
    async fn messages_of_work_that_does_not_end_are_retried() {
        let never = std::future::pending();
        let reply = stop_before_timeout(never, &message_ids(&batch()), Duration::from_millis(20))
            .await
            .unwrap();
        let failed = json!({"batchItemFailures": [{"itemIdentifier": "a"}, {"itemIdentifier": "b"}]});
        assert_eq!(reply, failed);
    }

    #[tokio::test]
    async fn a_sweep_that_does_not_end_fails_by_name() {
        let sweep = message_ids(&json!({"sweep": "all"}));
        let error = stop_before_timeout(std::future::pending(), &sweep, Duration::from_millis(20)).await;
        let error = error.unwrap_err().to_string();
        assert!(error.starts_with("stopped 2ms before"), "{error}");
    }

    #[tokio::test]
    async fn work_done_in_time_is_answered_as_it_is() {
        let done = std::future::ready(Ok(json!({"batchItemFailures": []})));
        let reply = stop_before_timeout(done, &message_ids(&batch()), Duration::from_secs(900)).await;
        assert_eq!(reply.unwrap(), json!({"batchItemFailures": []}));
    }
}
