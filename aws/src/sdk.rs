//! The AWS SDK's configuration and clients, made when the first call needs them.
//!
//! Finding the endpoints and keys of the environment and reading the root certificates is most of what a cold start
//! could cost: an event that needs no call pays for none of it, and all clients of a function share one configuration.

use std::sync::Arc;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use tokio::sync::OnceCell;

/// Clones share what is made.
#[derive(Clone, Debug, Default)]
pub struct Sdk {
    config: Arc<OnceCell<SdkConfig>>,
    timeouts: CallTimeouts,
}

impl Sdk {
    /// From the environment, when first asked for.
    pub async fn config(&self) -> &SdkConfig {
        self.config.get_or_init(|| from_environment(self.timeouts)).await
    }

    /// For a function that a user pool waits for: a call that hangs is stopped while there is time for another. Changes
    /// nothing in a configuration that has been made.
    pub fn with_short_timeouts(self) -> Self {
        Self {
            timeouts: CallTimeouts::SHORT,
            ..self
        }
    }

    /// The Region, without making anything: Lambda names it in the environment.
    pub fn region(&self, env: &dyn Fn(&str) -> Option<String>) -> Option<String> {
        let given = self.config.get().and_then(|config| config.region());
        given.map(ToString::to_string).or_else(|| env("AWS_REGION"))
    }
}

impl From<&SdkConfig> for Sdk {
    fn from(config: &SdkConfig) -> Self {
        Self {
            config: Arc::new(OnceCell::new_with(Some(config.clone()))),
            timeouts: CallTimeouts::default(),
        }
    }
}

/// How long a call may take; a test compares them with the functions' timeouts in the stack's template.
#[derive(Clone, Copy, Debug)]
pub struct CallTimeouts {
    pub connect: Duration,
    pub attempt: Duration,
    /// All attempts of a call, and the waits between them.
    pub operation: Duration,
}

/// Attempts of one call; the SDK waits up to a second before the second one and up to two before the third.
pub const MAX_ATTEMPTS: u32 = 3;

impl CallTimeouts {
    /// A call fails well before the function does (the shortest function timeout is 300 s), so that the failure is
    /// reported by name and not as "Task timed out". 30 s an attempt carries a 32 MiB manifest at 9 Mbit/s.
    pub const LONG: Self = Self {
        connect: Duration::from_secs(3),
        attempt: Duration::from_secs(30),
        operation: Duration::from_secs(75),
    };

    /// A user pool waits five seconds for a trigger, cold start included: two calls fit in after one another, and one
    /// that is lost may be made again.
    pub const SHORT: Self = Self {
        connect: Duration::from_millis(800),
        attempt: Duration::from_millis(1_200),
        operation: Duration::from_millis(3_000),
    };

    pub fn to_config(self) -> TimeoutConfig {
        TimeoutConfig::builder()
            .connect_timeout(self.connect)
            .operation_attempt_timeout(self.attempt)
            .operation_timeout(self.operation)
            .build()
    }
}

impl Default for CallTimeouts {
    fn default() -> Self {
        Self::LONG
    }
}

async fn from_environment(timeouts: CallTimeouts) -> SdkConfig {
    aws_config::defaults(BehaviorVersion::latest())
        .timeout_config(timeouts.to_config())
        .retry_config(RetryConfig::standard().with_max_attempts(MAX_ATTEMPTS))
        .load()
        .await
}
