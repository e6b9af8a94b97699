//! `start-job` makes it true that every batch has exactly one labeling job.

mod backlog;
mod daily_jobs;
mod deps;
mod events;
mod missing_team;
mod outcome;
mod reconcile;
mod sweep;
mod wait;

#[cfg(test)]
mod tests;

use jiff::Timestamp;
use lambda::event::TriggerEvent;
pub use lambda::start::{ConfigError, HandlerError};
use serde_json::Value;
use shared::port::{Labeling, Store, Topic};

pub use crate::backlog::{BacklogCounts, start_backlog};
pub use crate::deps::{Deps, deps};
pub use crate::outcome::{StartError, StartOutcome};
pub use crate::reconcile::reconcile;

/// Answers one event.
///
/// A message about a manifest starts that batch's job. One about any job that ended says that a slot of the account's
/// quota is free: every waiting batch is tried, oldest first, as in a sweep.
///
/// Retried: throttling, timeouts and refused store calls fail the message. Events of an unknown kind or major version
/// fail until they are dead letters.
///
/// Acknowledged: a full quota, a day whose jobs are used up, a request that the service refuses and a job name that is
/// in use. They are written to `waiting.json`, all but the first announced once, and the next sweep and the next free
/// slot try again. A key that is no batch's manifest is acknowledged and never starts anything.
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
        TriggerEvent::Sweep(which) => sweep::sweep(deps, which, now).await,
        TriggerEvent::Unknown => Err(HandlerError::UnknownEvent),
    }
}
