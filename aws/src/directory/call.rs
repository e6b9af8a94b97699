//! How a call to the user pool is made: at the pool's pace, and again while Cognito says "too many".

use std::time::Duration;

use aws_sdk_cognitoidentityprovider::config::http::HttpResponse;
use aws_sdk_cognitoidentityprovider::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use tokio::time::{Instant, sleep};

use super::{OUT_OF_MAIL, UserPool};
use crate::failure::Failure;
use crate::pace::Category;

/// How long "too many" is taken for an answer: others use the account's quota too, and a burst of theirs passes.
const PATIENCE: Duration = Duration::from_secs(20);
/// Tries of a call that was not answered, or answered with 5xx.
const TRIES: u32 = 3;
const FIRST_WAIT: Duration = Duration::from_millis(100);

impl UserPool {
    /// For a call that must not be made twice: only a call that was turned away is made again.
    pub(super) async fn once<T, E, F>(
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
            self.pace.admit(category).await;
            match send().await.map_err(|error| failure(operation, &error)) {
                Err(failure) if is_throttled(&failure) && begun.elapsed() < PATIENCE => {
                    self.pace.throttled(category, Instant::now());
                }
                result => {
                    if result.is_ok() {
                        self.pace.went_through(category);
                    }
                    return result;
                }
            }
        }
    }

    /// For a call that may be made twice.
    pub(super) async fn repeated<T, E, F>(
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
        for _ in 1..TRIES {
            match self.once(operation, category, &send).await {
                Err(failure) if failure.may_pass() && !is_throttled(&failure) => sleep(wait).await,
                result => return result,
            }
            wait *= 2;
        }
        self.once(operation, category, &send).await
    }
}

/// A day's mail that is used up does not come back in a moment.
fn is_throttled(failure: &Failure) -> bool {
    matches!(failure.code(), "TooManyRequestsException" | "ThrottlingException") && !failure.says(OUT_OF_MAIL)
}

fn failure<E>(operation: &'static str, error: &SdkError<E, HttpResponse>) -> Failure
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let status = error.raw_response().map(|response| response.status().as_u16());
    let sent = !matches!(error, SdkError::ConstructionFailure(_));
    Failure::new(operation, sent, (status, error.code(), error.message()), || {
        DisplayErrorContext(error).to_string()
    })
}
