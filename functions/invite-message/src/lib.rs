//! `invite-message` makes the invitation name the organization, the contact and the portal.

mod message;
#[cfg(test)]
mod tests;
mod trigger;

use std::time::Duration;

use aws::s3::Buckets;
use aws::sdk::Sdk;
use lambda::metric::Metrics;
use lambda::start::required_variable;
pub use lambda::start::{ConfigError, HandlerError};
use serde_json::Value;
use shared::port::Store;
use tokio::time::timeout;

use crate::trigger::InvitationTrigger;

/// Cognito waits five seconds from its call to the answer, cold start included, and then refuses the invitation.
/// <https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-working-with-lambda-triggers.html>
pub const BUDGET: Duration = Duration::from_millis(3_500);

/// What the function works with; the port is the AWS SDK's unless a test says otherwise.
pub struct Deps<S = Buckets> {
    pub store: S,
    /// From the beginning of an invocation to its answer.
    pub budget: Duration,
    pub metrics: Metrics,
}

/// Reads `INPUT_BUCKET` and `OUTPUT_BUCKET`. Makes no AWS call.
pub fn deps(env: &dyn Fn(&str) -> Option<String>, sdk: impl Into<Sdk>) -> Result<Deps, ConfigError> {
    let sdk = sdk.into().with_short_timeouts();
    let (input, output) = (
        required_variable(env, "INPUT_BUCKET")?,
        required_variable(env, "OUTPUT_BUCKET")?,
    );
    Ok(Deps {
        store: Buckets::new(input, output, env, sdk),
        budget: BUDGET,
        metrics: Metrics::from_env(env),
    })
}

/// Answers one event, always with the event itself. When the text cannot be made in time, the answer stays as it is and the
/// user pool sends its own template: a plain invitation is better than none. Nothing is retried.
pub async fn handle<S: Store>(deps: &Deps<S>, mut event: Value) -> Result<Value, HandlerError> {
    let Some(trigger) = InvitationTrigger::read(&event) else {
        return Ok(event);
    };
    match timeout(deps.budget, message::invitation_mail(deps, &trigger)).await {
        Ok(Some(mail)) => {
            trigger::set_mail(&mut event, mail);
        }
        Ok(None) => {}
        Err(_) => tracing::error!("out of time; the user pool's own text is sent"),
    }
    Ok(event)
}
