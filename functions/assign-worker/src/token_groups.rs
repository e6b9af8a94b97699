//! The groups of the token being issued.
//!
//! The groups in the event were looked up before the trigger ran, so that a group added in it is in the next token and
//! not in this one, unless the answer says so. What the answer says replaces all of them: the old ones and the roles
//! that come with them are repeated.

use serde_json::{Map, Value};

use crate::trigger::TokenVersion;

/// Adds these groups to the answer, and keeps everything else in it.
pub(crate) fn add_groups(event: &mut Value, version: TokenVersion, added: &[String]) -> Option<()> {
    let configuration = event.pointer("/request/groupConfiguration").cloned();
    let response = object(event.as_object_mut()?.entry("response").or_insert(Value::Null))?;
    let details = object(response.entry(details_field(version)).or_insert(Value::Null))?;
    let groups = object(details.entry("groupOverrideDetails").or_insert(Value::Null))?;
    for field in ["groupsToOverride", "iamRolesToOverride", "preferredRole"] {
        let is_answered = groups.get(field).is_some_and(|value| !value.is_null());
        let requested = configuration.as_ref().and_then(|groups| groups.get(field));
        if let Some(value) = requested.filter(|value| !is_answered && !value.is_null()) {
            groups.insert(field.to_owned(), value.clone());
        }
    }
    let names = groups.entry("groupsToOverride").or_insert(Value::Null);
    if !names.is_array() {
        *names = Value::Array(Vec::new());
    }
    let names = names.as_array_mut()?;
    for group in added {
        if !names.iter().any(|name| name == group) {
            names.push(Value::String(group.clone()));
        }
    }
    Some(())
}

fn details_field(version: TokenVersion) -> &'static str {
    match version {
        TokenVersion::V1 => "claimsOverrideDetails",
        TokenVersion::V2 => "claimsAndScopeOverrideDetails",
    }
}

/// The object in this place; a new one where there is none.
fn object(place: &mut Value) -> Option<&mut Map<String, Value>> {
    if place.is_null() {
        *place = Value::Object(Map::new());
    }
    place.as_object_mut()
}
