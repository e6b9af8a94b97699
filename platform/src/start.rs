//! How every function starts: JSON log lines, dependencies, then the Lambda runtime's loop.

use std::pin::Pin;

use lambda_runtime::{LambdaEvent, service_fn, tracing};
use serde_json::Value;

use crate::sdk::Sdk;

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
}

/// A variable that has to be there.
pub fn required(env: &dyn Fn(&str) -> Option<String>, name: &'static str) -> Result<String, ConfigError> {
    env(name)
        .filter(|value| !value.is_empty())
        .ok_or(ConfigError::Missing(name))
}

/// Runs a function until Lambda stops it.
///
/// `deps` runs once and makes no AWS call: configuration and clients come into being when first used, so that the
/// cold start pays for none that the event does not need.
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
            let reply: Pin<Box<dyn Future<Output = _>>> = Box::pin(handle(deps, event.payload));
            reply.await.map_err(Error::from)
        };
        lambda_runtime::run(service_fn(answer)).await
    })
}
