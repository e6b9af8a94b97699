//! The form of requests: what the API model says about members, lengths, patterns and ranges, checked in one walk over the
//! request. Messages are worded as AWS words them.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use regex::Regex;
use serde_json::Value;

use super::error::{ApiError, Result};

/// Characters of a name or value in a map.
const MAX_PARAMETER: usize = 512;

pub(super) enum Shape {
    Text {
        min: usize,
        max: usize,
        pattern: Option<&'static str>,
    },
    Choice(&'static [&'static str]),
    Int {
        min: i64,
        max: i64,
    },
    Time,
    List {
        min: usize,
        max: usize,
        of: &'static Shape,
    },
    Structure(&'static [Member]),
    /// A map from text to text.
    Map {
        max: usize,
    },
    /// Not had here; the refusal comes later and says why.
    Anything,
}

pub(super) struct Member {
    name: &'static str,
    required: bool,
    shape: &'static Shape,
}

pub(super) const fn required(name: &'static str, shape: &'static Shape) -> Member {
    Member {
        name,
        required: true,
        shape,
    }
}

pub(super) const fn optional(name: &'static str, shape: &'static Shape) -> Member {
    Member {
        name,
        required: false,
        shape,
    }
}

/// Reads a request body. Members that are null are as good as absent, and gone.
pub(super) fn read(shape: &Shape, body: &[u8]) -> Result<Value> {
    let body = if body.is_empty() { b"{}" } else { body };
    let mut request: Value = serde_json::from_slice(body)
        .map_err(|error| ApiError::serialization(format!("The request is not JSON: {error}")))?;
    drop_nulls(&mut request);
    let mut faults = Vec::new();
    check(shape, &request, "", &mut faults)?;
    match faults.len() {
        0 => Ok(request),
        1 => Err(ApiError::validation(format!(
            "1 validation error detected: {}",
            faults[0]
        ))),
        n => Err(ApiError::validation(format!(
            "{n} validation errors detected: {}",
            faults.join("; ")
        ))),
    }
}

fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null());
            members.values_mut().for_each(drop_nulls);
        }
        Value::Array(members) => members.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

fn check(shape: &Shape, value: &Value, at: &str, faults: &mut Vec<String>) -> Result<()> {
    match shape {
        Shape::Anything => {}
        Shape::Text { min, max, pattern } => {
            let text = value.as_str().ok_or_else(|| wrong_type(at, "a string"))?;
            check_length(text, value, (*min, *max), at, faults);
            if let Some(pattern) = pattern.filter(|pattern| !matches(pattern, text)) {
                faults.push(fault(
                    value,
                    at,
                    &format!("Member must satisfy regular expression pattern: {pattern}"),
                ));
            }
        }
        Shape::Choice(choices) => {
            let text = value.as_str().ok_or_else(|| wrong_type(at, "a string"))?;
            if !choices.contains(&text) {
                faults.push(fault(
                    value,
                    at,
                    &format!("Member must satisfy enum value set: [{}]", choices.join(", ")),
                ));
            }
        }
        Shape::Int { min, max } => check_range(value, (*min, *max), at, faults)?,
        Shape::Time => {
            value
                .as_f64()
                .ok_or_else(|| wrong_type(at, "a timestamp in seconds"))?;
        }
        Shape::List { min, max, of } => {
            let list = value.as_array().ok_or_else(|| wrong_type(at, "a list"))?;
            check_count(list.len(), value, (*min, *max), at, faults);
            for (nth, member) in list.iter().enumerate() {
                check(of, member, &format!("{at}.{}.member", nth + 1), faults)?;
            }
        }
        Shape::Map { max } => {
            let map = value.as_object().ok_or_else(|| wrong_type(at, "a map"))?;
            check_count(map.len(), value, (0, *max), at, faults);
            for (key, value) in map {
                let at = format!("{at}.{key}");
                let text = value.as_str().ok_or_else(|| wrong_type(&at, "a string"))?;
                check_length(key, value, (0, MAX_PARAMETER), &at, faults);
                check_length(text, value, (0, MAX_PARAMETER), &at, faults);
            }
        }
        Shape::Structure(members) => check_members(members, value, at, faults)?,
    }
    Ok(())
}

fn check_members(members: &[Member], value: &Value, at: &str, faults: &mut Vec<String>) -> Result<()> {
    let given = value.as_object().ok_or_else(|| wrong_type(at, "a structure"))?;
    for member in members {
        let path = path(at, member.name);
        match given.get(member.name) {
            Some(value) => check(member.shape, value, &path, faults)?,
            None if member.required => faults.push(fault(&Value::Null, &path, "Member must not be null")),
            None => {}
        }
    }
    // AWS ignores what it does not know. Here that would hide a wish that nobody fulfils.
    let unknown = given
        .keys()
        .find(|name| members.iter().all(|member| member.name != name.as_str()));
    if let Some(name) = unknown {
        let message = format!(
            "{} is not supported by this labeling engine: it does not know this member.",
            path(at, name)
        );
        return Err(ApiError::validation(message));
    }
    Ok(())
}

fn check_length(text: &str, value: &Value, (min, max): (usize, usize), at: &str, faults: &mut Vec<String>) {
    let length = text.chars().count();
    if length < min {
        faults.push(fault(
            value,
            at,
            &format!("Member must have length greater than or equal to {min}"),
        ));
    }
    if length > max {
        faults.push(fault(
            value,
            at,
            &format!("Member must have length less than or equal to {max}"),
        ));
    }
}

fn check_count(count: usize, value: &Value, (min, max): (usize, usize), at: &str, faults: &mut Vec<String>) {
    if count < min {
        faults.push(fault(
            value,
            at,
            &format!("Member must have length greater than or equal to {min}"),
        ));
    }
    if count > max {
        faults.push(fault(
            value,
            at,
            &format!("Member must have length less than or equal to {max}"),
        ));
    }
}

fn check_range(value: &Value, (min, max): (i64, i64), at: &str, faults: &mut Vec<String>) -> Result<()> {
    let number = value.as_i64().ok_or_else(|| wrong_type(at, "an integer"))?;
    if number < min {
        faults.push(fault(
            value,
            at,
            &format!("Member must have value greater than or equal to {min}"),
        ));
    }
    if number > max {
        faults.push(fault(
            value,
            at,
            &format!("Member must have value less than or equal to {max}"),
        ));
    }
    Ok(())
}

fn fault(value: &Value, at: &str, constraint: &str) -> String {
    let shown = match value {
        // "sensitive" in the API model: not repeated in an answer that may end in somebody's log.
        Value::String(_) if at.ends_with("clientSecret") => "'***'".to_owned(),
        Value::Null => "null".to_owned(),
        Value::String(text) => format!("'{}'", text.chars().take(256).collect::<String>()),
        other => format!("'{}'", other.to_string().chars().take(256).collect::<String>()),
    };
    let shown = if value.is_null() {
        "Value null".to_owned()
    } else {
        format!("Value {shown}")
    };
    format!("{shown} at '{at}' failed to satisfy constraint: {constraint}")
}

fn wrong_type(at: &str, wanted: &str) -> ApiError {
    ApiError::serialization(format!("'{at}' must be {wanted}."))
}

/// AWS writes members with a small first letter here.
fn path(at: &str, name: &str) -> String {
    let mut letters = name.chars();
    let small: String = letters
        .next()
        .map(|first| first.to_ascii_lowercase())
        .into_iter()
        .chain(letters)
        .collect();
    if at.is_empty() {
        small
    } else {
        format!("{at}.{small}")
    }
}

static PATTERNS: LazyLock<Mutex<HashMap<&'static str, Option<Regex>>>> = LazyLock::new(Mutex::default);

/// The whole text, as in the API model.
fn matches(pattern: &'static str, text: &str) -> bool {
    let mut known = PATTERNS.lock().unwrap_or_else(PoisonError::into_inner);
    let regex = known
        .entry(pattern)
        .or_insert_with(|| Regex::new(&format!(r"\A(?:{pattern})\z")).ok());
    regex.as_ref().is_some_and(|regex| regex.is_match(text))
}

#[cfg(test)]
pub(super) fn is_pattern(pattern: &str) -> bool {
    Regex::new(&format!(r"\A(?:{pattern})\z")).is_ok()
}

#[cfg(test)]
impl Member {
    pub(super) fn shape(&self) -> &'static Shape {
        self.shape
    }
}
