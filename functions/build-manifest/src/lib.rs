//! `build-manifest` makes it true that every settled item of a dataset is in exactly one batch.

mod batches;
mod catch_up;
mod cut;
mod deps;
mod events;
mod fill;
mod folder_listing;
mod memory;
mod misplaced_files;
mod outcome;
mod reconcile;
mod rejects;
mod report;
mod spec;
mod sweep;

#[cfg(test)]
mod tests;

use lambda::event::TriggerEvent;
pub use lambda::start::{ConfigError, HandlerError};
use serde_json::Value;
use shared::port::{Store, Topic};

pub use crate::deps::{Deps, deps};
pub use crate::outcome::{Outcome, ReconcileError};
pub use crate::reconcile::reconcile;

/// Answers one event.
///
/// Retried: a dataset that cannot be reconciled (throttling, a conflict, a refused call) fails with *one* of its messages,
/// which is delivered again after the queue's visibility timeout and at last goes to the dead letters. Its other messages
/// are acknowledged, and the sweep looks at the dataset anyway. Events of an unknown kind or major version fail until they
/// are dead letters, where an admin sees them.
///
/// Acknowledged: a bad spec, bad files, a gap between batches, a day whose items are used up. They are announced once, since
/// the same message again would change nothing. Messages that say nothing are acknowledged too.
///
/// A sweep fails when any dataset failed, after all the others have been done.
pub async fn handle<S: Store, T: Topic>(deps: &Deps<S, T>, event: Value) -> Result<Value, HandlerError> {
    match TriggerEvent::parse(&event) {
        TriggerEvent::Messages(messages) => Ok(events::handle_messages(deps, messages).await),
        TriggerEvent::Sweep(which) => sweep::sweep(deps, which).await,
        TriggerEvent::Unknown => Err(HandlerError::UnknownEvent),
    }
}
