//! `start-job` makes it true that every batch has exactly one labeling job.

mod all;
mod daily_jobs;
mod events;
mod missing_team;
mod start;
mod waiting;

#[cfg(test)]
mod tests;

use aws::labeling::GroundTruth;
use aws::s3::Buckets;
use aws::sdk::Sdk;
use aws::topic::SnsTopic;
use jiff::Timestamp;
use lambda::bounds::{bounds, per_day};
use lambda::event::{Sweep, TriggerEvent};
use lambda::metric::Metrics;
use lambda::start::required_variable;
pub use lambda::start::{ConfigError, HandlerError};
use serde_json::Value;
use shared::job::Stack;
use shared::name::JobPrefix;
use shared::port::{Labeling, Store, Topic};

pub use crate::all::{Counts, start_all};
pub use crate::start::{StartError, Started, start};

/// What the function works with; the ports are the AWS SDK's unless a test says otherwise.
pub struct Deps<S = Buckets, L = GroundTruth, T = SnsTopic> {
    pub store: S,
    pub labeling: L,
    pub topic: T,
    pub stack: Stack,
    /// Labeling jobs that may be started on one day; `None`: as many as there are batches.
    pub jobs_per_day: Option<u64>,
    pub metrics: Metrics,
}

/// Reads `INPUT_BUCKET`, `OUTPUT_BUCKET`, `NOTICE_TOPIC_ARN`, `JOB_PREFIX`, `LABELING_ROLE_ARN`, `AWS_ACCOUNT` and
/// `AWS_PARTITION`, `JOBS_PER_DAY`, the stack's other bounds, and the Region from the SDK's configuration. Makes no AWS call.
pub fn deps(env: &dyn Fn(&str) -> Option<String>, sdk: impl Into<Sdk>) -> Result<Deps, ConfigError> {
    let sdk = sdk.into();
    let stack = stack(env, &sdk)?;
    let store = Buckets::new(
        stack.input_bucket.clone(),
        stack.output_bucket.clone(),
        env,
        sdk.clone(),
    );
    let topic = SnsTopic::new(required_variable(env, "NOTICE_TOPIC_ARN")?, sdk.clone());
    Ok(Deps {
        store,
        labeling: GroundTruth::new(sdk),
        topic,
        stack,
        jobs_per_day: per_day(env, "JOBS_PER_DAY")?,
        metrics: Metrics::from_env(env),
    })
}

/// Answers one event.
///
/// A message about a manifest starts that batch's job; one about a job that ended, anybody's, says that a slot of the
/// account's quota is free, so every waiting batch is tried, oldest first, as in a sweep. Throttling, timeouts and
/// refused store calls fail the message, which comes again. A full quota, a day whose jobs are
/// used up, a request the service will not take and a name somebody else has are states: written to `waiting.json`,
/// all but the first announced once, and acknowledged; the next sweep and the next free slot try again. A key that is no batch's manifest is acknowledged and never starts
/// anything. Events of an unknown kind or major version fail until they are dead letters.
pub async fn handle<S: Store, L: Labeling, T: Topic>(
    deps: &Deps<S, L, T>,
    event: Value,
) -> Result<Value, HandlerError> {
    handle_at(deps, event, Timestamp::now()).await
}

/// The same at a time that is handed in.
pub async fn handle_at<S: Store, L: Labeling, T: Topic>(
    deps: &Deps<S, L, T>,
    event: Value,
    now: Timestamp,
) -> Result<Value, HandlerError> {
    match TriggerEvent::parse(&event) {
        TriggerEvent::Messages(messages) => Ok(events::handle_messages(deps, messages, now).await),
        TriggerEvent::Sweep(Sweep::All) => all::answer(deps, None, now).await,
        TriggerEvent::Sweep(Sweep::Datasets(names)) => all::answer(deps, Some(&names), now).await,
        TriggerEvent::Unknown => Err(HandlerError::UnknownEvent),
    }
}

fn stack(env: &dyn Fn(&str) -> Option<String>, sdk: &Sdk) -> Result<Stack, ConfigError> {
    let prefix = required_variable(env, "JOB_PREFIX")?;
    let (input_bucket, output_bucket) = (
        required_variable(env, "INPUT_BUCKET")?,
        required_variable(env, "OUTPUT_BUCKET")?,
    );
    let bounds = bounds(env, &input_bucket, &output_bucket)?;
    Ok(Stack {
        region: sdk.region(env).ok_or(ConfigError::Missing("AWS_REGION"))?,
        account: required_variable(env, "AWS_ACCOUNT")?,
        partition: required_variable(env, "AWS_PARTITION")?,
        prefix: JobPrefix::new(&prefix).ok_or(ConfigError::Malformed {
            name: "JOB_PREFIX",
            value: prefix,
            expected: "it has four characters, lower-case letters and digits",
        })?,
        input_bucket,
        output_bucket,
        labeling_role_arn: required_variable(env, "LABELING_ROLE_ARN")?,
        bounds,
    })
}
