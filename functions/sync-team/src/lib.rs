//! `sync-team` makes it true that the team's group, work team and invitations match its file.

mod bounds;
mod events;
mod joined;
mod leave;
mod mail;
mod member;
mod names;
mod networks;
mod own;
mod people;
mod person;
mod place;
mod ports;
mod problems;
mod reconcile;
mod repair;
mod roster;
mod run;
mod sweep;
mod unlisted;
mod workforce;

#[cfg(test)]
mod tests;

use aws::directory::UserPool;
use aws::s3::Buckets;
use aws::sdk::Sdk;
use aws::topic::SnsTopic;
use aws::{crew::PrivateWorkforce, topics::TeamTopics};
use lambda::event::TriggerEvent;
use lambda::metric::Metrics;
use lambda::start::required_variable;
pub use lambda::start::{ConfigError, HandlerError};
use serde_json::Value;
use shared::crew::{AllowedDomains, Networks};
use shared::port::crew::CrewError;
use shared::port::{PublishError, StoreError};

pub use crate::ports::{Deps, Ports, Settings};

/// Why something is not as it should be yet. Trying again goes on where it stopped.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Crew(#[from] CrewError),
    #[error(transparent)]
    Publish(#[from] PublishError),
    #[error("{what} changed under each of {tries} tries")]
    Contended { what: String, tries: usize },
    #[error("the workforce is {0} still; it is looked at again")]
    WorkforceNotReady(String),
    #[error("the portal has no address yet; it is looked at again")]
    NoPortal,
    #[error("{failed} of {of} people could not be served; the first: {first}")]
    People { failed: usize, of: usize, first: String },
}

impl From<shared::notice::AnnounceError> for SyncError {
    fn from(error: shared::notice::AnnounceError) -> Self {
        match error {
            shared::notice::AnnounceError::Store(error) => Self::Store(error),
            shared::notice::AnnounceError::Publish(error) => Self::Publish(error),
        }
    }
}

/// Reads `INPUT_BUCKET`, `OUTPUT_BUCKET`, `NOTICE_TOPIC_ARN`, `USER_POOL_ID`, `CLIENT_ID`, `INVITATIONS_PER_DAY` (a
/// number or `unlimited`), `MAX_INVITATIONS`, `ALLOWED_EMAIL_DOMAINS`, `NETWORKS_WITHIN`, `WORK_TOPIC_PREFIX`, `AWS_ACCOUNT`, `AWS_PARTITION`, and `PORTAL_URL`
/// where it is set. Makes no AWS call.
pub fn deps(env: &dyn Fn(&str) -> Option<String>, sdk: impl Into<Sdk>) -> Result<Deps, ConfigError> {
    let sdk = sdk.into();
    let settings = Settings {
        input_bucket: required_variable(env, "INPUT_BUCKET")?,
        output_bucket: required_variable(env, "OUTPUT_BUCKET")?,
        user_pool: required_variable(env, "USER_POOL_ID")?,
        client_id: required_variable(env, "CLIENT_ID")?,
        invitations_per_day: per_day(required_variable(env, "INVITATIONS_PER_DAY")?)?,
        max_invitations: number("MAX_INVITATIONS", required_variable(env, "MAX_INVITATIONS")?)?,
        allowed_domains: bound(env, "ALLOWED_EMAIL_DOMAINS", AllowedDomains::parse)?,
        networks_within: bound(env, "NETWORKS_WITHIN", Networks::parse)?,
        portal_url: env("PORTAL_URL")
            .map(|url| url.trim_end_matches('/').to_owned())
            .filter(|url| !url.is_empty()),
    };
    let (input, output) = (settings.input_bucket.clone(), settings.output_bucket.clone());
    Ok(Deps {
        store: Buckets::new(input, output, env, sdk.clone()),
        directory: UserPool::new(
            settings.user_pool.clone(),
            Some(settings.client_id.clone()),
            sdk.clone(),
        ),
        workforce: PrivateWorkforce::new(sdk.clone()),
        work_topics: TeamTopics::new(
            required_variable(env, "WORK_TOPIC_PREFIX")?,
            required_variable(env, "AWS_ACCOUNT")?,
            required_variable(env, "AWS_PARTITION")?,
            sdk.clone(),
        ),
        topic: SnsTopic::new(required_variable(env, "NOTICE_TOPIC_ARN")?, sdk),
        metrics: Metrics::from_env(env),
        settings,
    })
}

/// The sender a user pool has by itself stops at 50 a day; SES stops where its own quota does.
fn per_day(text: String) -> Result<Option<u32>, ConfigError> {
    if text == "unlimited" {
        return Ok(None);
    }
    number("INVITATIONS_PER_DAY", text).map(Some)
}

/// An operator's bound. One that cannot be read starts nothing, rather than bounding nothing; empty: there is none.
fn bound<T, E: std::fmt::Display>(
    env: &dyn Fn(&str) -> Option<String>,
    name: &'static str,
    parse: impl Fn(&str) -> Result<T, E>,
) -> Result<T, ConfigError> {
    let text = env(name).unwrap_or_default();
    parse(&text).map_err(|error| {
        tracing::error!(name, %error, "a setting cannot be read");
        ConfigError::Malformed {
            name,
            value: text.clone(),
            expected: "it is a list of domains (`example.org`, `*.example.org`) or networks (`203.0.113.0/24`)",
        }
    })
}

fn number(name: &'static str, text: String) -> Result<u32, ConfigError> {
    text.parse().map_err(|_| ConfigError::Malformed {
        name,
        value: text,
        expected: "it is a whole number (INVITATIONS_PER_DAY: or `unlimited`)",
    })
}

/// Answers one event.
///
/// A dropped team file is a hint that the team is to be looked at, a marker under `joined/` that somebody has joined.
/// What passes (throttling, a conflict, a workforce that is being made, one person's failed call) fails the message,
/// which comes again and goes on where it stopped, after everybody else has been served. What somebody has to change
/// (a bad file, a bad address, a 26th team, a workforce of the other kind) is a state: it is told once, stands in the
/// roster, and is acknowledged. People who wait for the next day's mail are a state too; the sweep goes on with them.
///
/// A sweep looks at every team, repairs what lost events left undone, and fails when any team failed.
pub async fn handle<P: Ports>(deps: &P, event: Value) -> Result<Value, HandlerError> {
    match TriggerEvent::parse(&event) {
        TriggerEvent::Messages(messages) => Ok(events::handle_messages(deps, messages).await),
        TriggerEvent::Sweep(_) => sweep::answer(deps).await,
        TriggerEvent::Unknown => Err(HandlerError::UnknownEvent),
    }
}
