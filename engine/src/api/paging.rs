//! Lists: filtered, sorted, a page at a time.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::Value;

use super::error::{ApiError, Result};

/// Entries of a page if the request does not say how many.
const PAGE: usize = 100;

/// One page of entries, and the token of the next page if there is one. The token holds the key of the last entry, so that
/// entries created or deleted meanwhile neither repeat nor skip others.
pub(super) fn page<T>(mut entries: Vec<(String, T)>, request: &Value) -> Result<(Vec<T>, Option<String>)> {
    let is_descending = request["SortOrder"] == "Descending";
    entries.sort_by(|(a, _), (b, _)| if is_descending { b.cmp(a) } else { a.cmp(b) });
    if let Some(token) = request["NextToken"].as_str() {
        let last =
            decode(token).ok_or_else(|| ApiError::validation("NextToken is not a token of this list."))?;
        entries.retain(|(key, _)| if is_descending { *key < last } else { *key > last });
    }
    let size = request["MaxResults"].as_u64().map_or(PAGE, |size| size as usize);
    let next = (entries.len() > size).then(|| URL_SAFE_NO_PAD.encode(&entries[size - 1].0));
    entries.truncate(size);
    Ok((entries.into_iter().map(|(_, entry)| entry).collect(), next))
}

/// A key that sorts by time, then by name.
pub(super) fn by_time(at: Timestamp, name: &str) -> String {
    format!("{:020}{}", at.as_millisecond().max(0), name.to_ascii_lowercase())
}

/// Whether a time is between `<member>After` and `<member>Before`.
pub(super) fn is_within(at: Timestamp, request: &Value, member: &str) -> bool {
    let seconds = at.as_millisecond() as f64 / 1000.0;
    let after = request[format!("{member}After")].as_f64();
    let before = request[format!("{member}Before")].as_f64();
    after.is_none_or(|after| seconds > after) && before.is_none_or(|before| seconds < before)
}

pub(super) fn contains(name: &str, request: &Value) -> bool {
    let part = request["NameContains"].as_str().unwrap_or_default();
    name.to_ascii_lowercase().contains(&part.to_ascii_lowercase())
}

fn decode(token: &str) -> Option<String> {
    String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()
}
