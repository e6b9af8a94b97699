//! `notify` makes it true that every finished, failed or stopped job is summarised, exported and announced.

mod ended;
mod events;
mod overdue;
mod results;
mod sweep;
mod workers;

#[cfg(test)]
mod tests;

use aws::labeling::GroundTruth;
use aws::s3::Buckets;
use aws::sdk::Sdk;
use aws::topic::SnsTopic;
use jiff::Timestamp;
use lambda::event::TriggerEvent;
use lambda::metric::Metrics;
use lambda::start::required_variable;
pub use lambda::start::{ConfigError, HandlerError};
use serde_json::Value;
use shared::name::JobPrefix;
use shared::port::{Labeling, Store, Topic};

pub use crate::ended::{EndError, Ended, ended};

/// What the function works with; the ports are the AWS SDK's unless a test says otherwise.
pub struct Deps<S = Buckets, L = GroundTruth, T = SnsTopic> {
    pub store: S,
    pub labeling: L,
    pub topic: T,
    /// Jobs of another stack, and of nobody's, are not ours.
    pub prefix: JobPrefix,
    pub output_bucket: String,
    pub console_url: Option<String>,
    pub portal_url: Option<String>,
    pub metrics: Metrics,
}

/// Reads `INPUT_BUCKET`, `OUTPUT_BUCKET`, `NOTICE_TOPIC_ARN`, `JOB_PREFIX`, and `CONSOLE_URL` and `PORTAL_URL` where
/// they are set. Makes no AWS call.
pub fn deps(env: &dyn Fn(&str) -> Option<String>, sdk: impl Into<Sdk>) -> Result<Deps, ConfigError> {
    let sdk = sdk.into();
    let output_bucket = required_variable(env, "OUTPUT_BUCKET")?;
    let prefix = required_variable(env, "JOB_PREFIX")?;
    Ok(Deps {
        store: Buckets::new(
            required_variable(env, "INPUT_BUCKET")?,
            output_bucket.clone(),
            env,
            sdk.clone(),
        ),
        labeling: GroundTruth::new(sdk.clone()),
        topic: SnsTopic::new(required_variable(env, "NOTICE_TOPIC_ARN")?, sdk),
        prefix: JobPrefix::new(&prefix).ok_or(ConfigError::Malformed {
            name: "JOB_PREFIX",
            value: prefix,
            expected: "it has four characters, lower-case letters and digits",
        })?,
        output_bucket,
        console_url: env("CONSOLE_URL").filter(|url| !url.is_empty()),
        portal_url: env("PORTAL_URL").filter(|url| !url.is_empty()),
        metrics: Metrics::from_env(env),
    })
}

/// Answers one event.
///
/// The rule that feeds the queue sees every labeling job of the account, and the same end more than once: jobs of
/// others are dropped and counted, an end that was told before is acknowledged. Throttling, timeouts and refused
/// calls fail the message, which comes again. An output manifest that cannot be read is no reason for silence: the
/// job is announced with what its description says, and the report says what is wrong. Events of an unknown kind
/// fail until they are dead letters.
///
/// A sweep lists the jobs, tells every end that has not been told and counts the jobs that should have ended; it fails
/// when any of them failed.
///
/// Whatever was told is followed by a count of every person's answers, which holds nothing up: a failure is logged, and
/// the next sweep counts what has not been counted.
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
        // A job is found by its name, which says no dataset: all are looked at, and most have been told.
        TriggerEvent::Sweep(_) => sweep::answer(deps, now).await,
        TriggerEvent::Unknown => Err(HandlerError::UnknownEvent),
    }
}

impl<S, L, T> Deps<S, L, T> {
    /// Another prefix may begin with ours; ours ends at the hyphen.
    fn is_ours(&self, job: &str) -> bool {
        job.strip_prefix(self.prefix.as_str())
            .is_some_and(|rest| rest.starts_with('-'))
    }
}
