//! What the operations' requests and answers have in common.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::cognito::attributes::Attributes;
use crate::cognito::error::PoolError;
use crate::cognito::pool::POOL_ID;
use crate::cognito::store::record::User;

pub(super) type ApiResult = Result<Value, PoolError>;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Attribute {
    name: String,
    #[serde(default)]
    value: String,
}

pub(super) fn read_attributes(given: &[Attribute]) -> Result<Attributes, PoolError> {
    Attributes::read(given.iter().map(|one| (one.name.as_str(), one.value.as_str())))
}

pub(super) fn check_pool(id: &str) -> Result<(), PoolError> {
    if id == POOL_ID {
        Ok(())
    } else {
        Err(PoolError::NotFound(format!("User pool {id} does not exist.")))
    }
}

/// To the millisecond, as Cognito gives times.
pub(super) fn seconds(at: Timestamp) -> f64 {
    at.as_millisecond() as f64 / 1000.0
}

/// Attributes as a list of names and values; `only` these, where it names any.
pub(super) fn describe_attributes(user: &User, only: Option<&[String]>) -> Vec<Value> {
    let wanted = |name: &str| only.is_none_or(|only| only.is_empty() || only.iter().any(|one| one == name));
    user.named_attributes()
        .into_iter()
        .filter(|(name, _)| wanted(name))
        .map(|(name, value)| json!({"Name": name, "Value": value}))
        .collect()
}

/// A user as AdminCreateUser and ListUsers answer it, and, with the attributes under another name, AdminGetUser.
pub(super) fn describe_user(user: &User, attributes_name: &str, only: Option<&[String]>) -> Value {
    json!({
        "Username": user.username,
        attributes_name: describe_attributes(user, only),
        "UserCreateDate": seconds(user.created),
        "UserLastModifiedDate": seconds(user.modified),
        "Enabled": true,
        "UserStatus": user.status.name(),
    })
}
