//! How a call to the user pool is made: at the pool's pace, and again while Cognito throttles it.

use std::time::Duration;

use aws_sdk_cognitoidentityprovider::config::http::HttpResponse;
use aws_sdk_cognitoidentityprovider::error::{ProvideErrorMetadata, SdkError};
use tokio::time::{Instant, sleep};

use crate::failure::Failure;
use crate::pace::{Category, Pace};

/// How long a throttled call is repeated: others use the account's quota too, and a burst of theirs passes.
const THROTTLED_FOR: Duration = Duration::from_secs(20);
/// Attempts of a call that was not answered, or answered with 5xx.
const ATTEMPTS: u32 = 3;
const FIRST_WAIT: Duration = Duration::from_millis(100);

/// Calls to one user pool.
#[derive(Debug)]
pub(super) struct PacedCalls {
    pace: Pace,
}

impl PacedCalls {
    pub(super) fn new(pace: Pace) -> Self {
        Self { pace }
    }

    /// For a call that must not be made twice: only a throttled call is made again.
    pub(super) async fn call_once<T, E, F>(
        &self,
        operation: &'static str,
        category: Category,
        send: impl Fn() -> F,
    ) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let begun = Instant::now();
        loop {
            self.pace.wait_for_token(category).await;
            match send()
                .await
                .map_err(|error| Failure::of_person(operation, &error))
            {
                Err(failure) if is_throttled(&failure) && begun.elapsed() < THROTTLED_FOR => {
                    self.pace.slow_down(category, Instant::now());
                }
                result => {
                    if result.is_ok() {
                        self.pace.speed_up(category);
                    }
                    return result;
                }
            }
        }
    }

    /// For a call that may be made twice.
    pub(super) async fn call_repeatedly<T, E, F>(
        &self,
        operation: &'static str,
        category: Category,
        send: impl Fn() -> F,
    ) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let mut wait = FIRST_WAIT;
        for _ in 1..ATTEMPTS {
            match self.call_once(operation, category, &send).await {
                Err(failure) if failure.may_pass() && !is_throttled(&failure) => sleep(wait).await,
                result => return result,
            }
            wait *= 2;
        }
        self.call_once(operation, category, &send).await
    }
}

/// A used-up daily limit does not pass in a moment.
fn is_throttled(failure: &Failure) -> bool {
    matches!(failure.code(), "TooManyRequestsException" | "ThrottlingException") && !is_out_of_mail(failure)
}

/// The daily limit of Cognito's own sender (50 mails an account) comes under more than one code, always in these words.
pub(super) fn is_out_of_mail(failure: &Failure) -> bool {
    failure.says("daily email limit")
}
