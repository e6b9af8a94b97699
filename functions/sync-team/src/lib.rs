//! `sync-team` makes it true that the team's group, work team and invitations match its file.

mod error;
mod events;
mod mail;
mod member;
mod ports;
mod problems;
mod reconcile;
mod repair;
mod roster;
mod run;
mod setup;
mod sweep;
mod team_file;

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

pub use crate::error::SyncError;
pub use crate::ports::{Deps, Ports, Settings};

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
        invitations_per_day: parse_invitations_per_day(required_variable(env, "INVITATIONS_PER_DAY")?)?,
        max_invitations: parse_number("MAX_INVITATIONS", required_variable(env, "MAX_INVITATIONS")?)?,
        allowed_domains: parse_bound(env, "ALLOWED_EMAIL_DOMAINS", AllowedDomains::parse)?,
        networks_within: parse_bound(env, "NETWORKS_WITHIN", Networks::parse)?,
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
fn parse_invitations_per_day(text: String) -> Result<Option<u32>, ConfigError> {
    if text == "unlimited" {
        return Ok(None);
    }
    parse_number("INVITATIONS_PER_DAY", text).map(Some)
}

/// An operator's bound; empty: there is none. A function with an unreadable bound does not start, so that none is missing.
fn parse_bound<T, E: std::fmt::Display>(
    env: &dyn Fn(&str) -> Option<String>,
    name: &'static str,
    parse: impl Fn(&str) -> Result<T, E>,
) -> Result<T, ConfigError> {
    let text = env(name).unwrap_or_default();
    parse(&text).map_err(|error| {
        tracing::error!(name, %error, "unreadable setting");
        ConfigError::Malformed {
            name,
            value: text.clone(),
            expected: "it is a list of domains (`example.org`, `*.example.org`) or networks (`203.0.113.0/24`)",
        }
    })
}

fn parse_number(name: &'static str, text: String) -> Result<u32, ConfigError> {
    text.parse().map_err(|_| ConfigError::Malformed {
        name,
        value: text,
        expected: "it is a whole number (INVITATIONS_PER_DAY: or `unlimited`)",
    })
}

/// Answers one event.
///
/// A dropped team file asks for a look at the team; a marker under `joined/` says that a person has joined.
///
/// Retried: what passes by itself, such as throttling, a conflict, a workforce that is being created, or one person's
/// failed call. The message fails after all other people have been dealt with, and its retry goes on where it stopped.
///
/// Acknowledged: what an admin has to change, such as a bad file, a bad address, a 26th team, or a workforce of the other
/// kind. It is announced once and listed in the roster. People who wait for the next day's mail are acknowledged too; the
/// sweep goes on with them.
///
/// A sweep looks at every team, repairs what lost events left undone, and fails when any team failed.
pub async fn handle<P: Ports>(deps: &P, event: Value) -> Result<Value, HandlerError> {
    match TriggerEvent::parse(&event) {
        TriggerEvent::Messages(messages) => Ok(events::handle_messages(deps, messages).await),
        TriggerEvent::Sweep(_) => sweep::sweep(deps).await,
        TriggerEvent::Unknown => Err(HandlerError::UnknownEvent),
    }
}
