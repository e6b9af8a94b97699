//! `notify` makes it true that every finished, failed or stopped job is summarised, exported and announced.

mod deps;
mod events;
mod overdue_jobs;
mod reconcile;
mod results;
mod sweep;
mod worker_counts;

#[cfg(test)]
mod tests;

use jiff::Timestamp;
use lambda::event::TriggerEvent;
pub use lambda::start::{ConfigError, HandlerError};
use serde_json::Value;
use shared::port::{Labeling, Store, Topic};

pub use crate::deps::{Deps, deps};
pub use crate::reconcile::{EndOutcome, ReconcileError, reconcile};

/// Answers one event.
///
/// The rule that feeds the queue sees every labeling job of the account, and the same end more than once.
///
/// Retried: throttling, timeouts and refused calls fail the message. Events of an unknown kind fail until they are dead
/// letters.
///
/// Acknowledged: jobs of other stacks, which are counted, and an end that was announced before. An unreadable output
/// manifest stops nothing: the job is announced with what its description says, and the report says what is wrong.
///
/// A sweep lists the jobs, announces every end without an announcement and counts the jobs that should have ended; it fails
/// when any of them failed.
///
/// After the announcements every worker's answers are counted. A failure there is logged, and the next sweep counts what has
/// not been counted.
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
        // A job's name does not say its dataset, so all are looked at; most have been announced.
        TriggerEvent::Sweep(_) => sweep::sweep(deps, now).await,
        TriggerEvent::Unknown => Err(HandlerError::UnknownEvent),
    }
}
