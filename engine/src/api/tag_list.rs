//! The tags in a request that creates something.

use serde_json::Value;

use super::error::{ApiError, Result};
use crate::state::Tag;

/// Takes the `Tags` out of a request that creates something.
pub(super) fn take(request: &mut Value) -> Result<Vec<Tag>> {
    let given = request
        .as_object_mut()
        .and_then(|request| request.shift_remove("Tags"));
    let tags = read(&given.unwrap_or_default());
    let mut keys: Vec<&str> = tags.iter().map(|tag| tag.key.as_str()).collect();
    keys.sort_unstable();
    match keys.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(ApiError::validation(format!(
            "The tag key {} is in Tags twice.",
            pair[0]
        ))),
        None => Ok(tags),
    }
}

/// The tags of a member whose form was checked.
pub(super) fn read(tags: &Value) -> Vec<Tag> {
    serde_json::from_value(tags.clone()).unwrap_or_default()
}
