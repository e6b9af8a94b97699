//! `assign-worker` makes it true that everyone who has set a password is in the groups of their teams.

mod assign;
#[cfg(test)]
mod tests;
mod token_groups;
mod trigger;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws::directory::UserPool;
use aws::s3::Buckets;
use aws::sdk::Sdk;
use jiff::Timestamp;
use lambda::metric::Metrics;
use lambda::start::required_variable;
pub use lambda::start::{ConfigError, HandlerError};
use serde_json::Value;
use shared::port::Store;
use shared::port::crew::Directory;
use tokio::time::timeout;

use crate::assign::AddedGroups;
use crate::trigger::{SignInTrigger, TriggerKind};

/// Cognito waits five seconds from its call to the answer, cold start included, and then fails the sign-in.
/// <https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-working-with-lambda-triggers.html>
pub const BUDGET: Duration = Duration::from_millis(3_500);

/// The user pool of an id.
pub type Pools<D> = Box<dyn Fn(&str) -> Arc<D> + Send + Sync>;

/// What the function works with; the ports are the AWS SDK's unless a test says otherwise.
pub struct Deps<S = Buckets, D = UserPool> {
    pub store: S,
    /// The user pool of this id. The event names it: in the stack's template, pool and function would each need the
    /// other to exist first.
    pub directory: Pools<D>,
    /// The output bucket: groups made by this stack name it.
    pub stack: String,
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
        stack: output.clone(),
        store: Buckets::new(input, output, env, sdk.clone()),
        directory: cached_pools(sdk),
        budget: BUDGET,
        metrics: Metrics::from_env(env),
    })
}

/// One client for each pool, kept between invocations. Only pools that our own documents name are asked for.
fn cached_pools(sdk: Sdk) -> Pools<UserPool> {
    let clients = Mutex::new(BTreeMap::<String, Arc<UserPool>>::new());
    Box::new(move |id| {
        let mut clients = clients.lock().unwrap_or_else(PoisonError::into_inner);
        let make = || Arc::new(UserPool::new(id.to_owned(), None, sdk.clone()).for_sign_ins());
        clients.entry(id.to_owned()).or_insert_with(make).clone()
    })
}

/// Answers one event, always with the event itself: a trigger that fails, or does not answer in time, fails the
/// sign-in, and what was not done here the sweep of `sync-team` does. Nothing is retried beyond what fits into the
/// budget.
///
/// The groups that were added go into the token that is being issued, so that the first session has the team's work.
/// PostConfirmation has no answer to give.
pub async fn handle<S: Store, D: Directory>(deps: &Deps<S, D>, event: Value) -> Result<Value, HandlerError> {
    handle_at(deps, event, Timestamp::now()).await
}

/// The same at a time that is handed in.
pub async fn handle_at<S: Store, D: Directory>(
    deps: &Deps<S, D>,
    mut event: Value,
    now: Timestamp,
) -> Result<Value, HandlerError> {
    let Some(trigger) = SignInTrigger::read(&event, now) else {
        return Ok(event);
    };
    let added = AddedGroups::default();
    if timeout(deps.budget, assign::assign(deps, &trigger, &added))
        .await
        .is_err()
    {
        tracing::error!("out of time; the sweep does the rest");
    }
    let added = added.into_names();
    if let (TriggerKind::Token(version), false) = (trigger.kind, added.is_empty()) {
        token_groups::add_groups(&mut event, version, &added);
    }
    Ok(event)
}
