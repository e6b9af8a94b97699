//! The AWS SDK's configuration, made when the first call needs it.
//!
//! Finding the endpoints and keys of the environment and reading the root certificates is most of what a cold start
//! could cost: an event that needs no call pays for none of it, and all clients of a function share one.

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
    hurried: bool,
}

impl Sdk {
    /// From the environment, when first asked for.
    pub async fn config(&self) -> &SdkConfig {
        let make = || from_environment(if self.hurried { HURRIED } else { CALM });
        self.config.get_or_init(make).await
    }

    /// For a function somebody waits for: a call that hangs is given up while there is time for another. Changes
    /// nothing of a configuration that has been made.
    pub fn hurried(self) -> Self {
        Self {
            hurried: true,
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
            hurried: false,
        }
    }
}

/// How long a call may take; a test holds them against the functions' timeouts in the stack's template.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub connect: Duration,
    pub attempt: Duration,
    /// All attempts of a call, and what is waited between them.
    pub operation: Duration,
}

/// A call gives up well before the function does (the shortest function timeout is 300 s), so that the failure is
/// reported by name and not as "Task timed out". 30 s an attempt carries a 32 MiB manifest at 9 Mbit/s.
pub const CALM: Limits = Limits {
    connect: Duration::from_secs(3),
    attempt: Duration::from_secs(30),
    operation: Duration::from_secs(75),
};

/// A user pool waits five seconds for a trigger, cold start included: two calls fit in after one another, and one
/// that is lost may be made again.
pub const HURRIED: Limits = Limits {
    connect: Duration::from_millis(800),
    attempt: Duration::from_millis(1_200),
    operation: Duration::from_millis(3_000),
};

/// Of one call, the first included; the SDK waits up to a second before the second and up to two before the third.
pub const ATTEMPTS: u32 = 3;

impl Limits {
    pub fn timeouts(self) -> TimeoutConfig {
        TimeoutConfig::builder()
            .connect_timeout(self.connect)
            .operation_attempt_timeout(self.attempt)
            .operation_timeout(self.operation)
            .build()
    }
}

async fn from_environment(limits: Limits) -> SdkConfig {
    aws_config::defaults(BehaviorVersion::latest())
        .timeout_config(limits.timeouts())
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
        .load()
        .await
}
