//! `sync-team` makes it true that the team's group, work team and invitations match its file.

use platform::sdk::Sdk;
pub use platform::start::{ConfigError, HandlerError};
use serde_json::Value;

/// What the function works with.
pub struct Deps {}

/// Makes no AWS call.
pub fn deps(_env: &dyn Fn(&str) -> Option<String>, _sdk: impl Into<Sdk>) -> Result<Deps, ConfigError> {
    Ok(Deps {})
}

/// Answers one event.
pub async fn handle(_deps: &Deps, _event: Value) -> Result<Value, HandlerError> {
    Err(HandlerError::UnknownEvent)
}
