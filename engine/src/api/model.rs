//! The form of requests: members, lengths, patterns and ranges of the API model, checked in one walk over the request. The
//! messages have AWS's words.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};

use regex::Regex;
use serde_json::Value;

use super::error::{ApiError, Result};
use crate::lock::lock;

/// Characters of a name or value in a map.
const MAX_PARAMETER: usize = 512;

pub(super) enum Shape {
    Text {
        min: usize,
        max: usize,
        pattern: Option<&'static str>,
        /// "sensitive" in the API model: not repeated in an error, which may end up in a log.
        is_secret: bool,
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
    /// Not supported by this engine. The operation refuses it and says why.
    Unsupported,
}

pub(super) struct Member {
    name: &'static str,
    required: bool,
    shape: &'static Shape,
}

pub(super) const fn required_member(name: &'static str, shape: &'static Shape) -> Member {
    Member {
        name,
        required: true,
        shape,
    }
}

pub(super) const fn optional_member(name: &'static str, shape: &'static Shape) -> Member {
    Member {
        name,
        required: false,
        shape,
    }
}

/// Reads a request body. Members that are null count as absent and are removed.
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
        Shape::Unsupported => {}
        Shape::Text {
            min,
            max,
            pattern,
            is_secret,
        } => {
            let text = value.as_str().ok_or_else(|| wrong_type(at, "a string"))?;
            let hidden = Value::from("***");
            let value = if *is_secret { &hidden } else { value };
            check_length(text.chars().count(), value, (*min, *max), at, faults);
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
            check_length(list.len(), value, (*min, *max), at, faults);
            for (nth, member) in list.iter().enumerate() {
                check(of, member, &format!("{at}.{}.member", nth + 1), faults)?;
            }
        }
        Shape::Map { max } => {
            let map = value.as_object().ok_or_else(|| wrong_type(at, "a map"))?;
            check_length(map.len(), value, (0, *max), at, faults);
            for (key, value) in map {
                let at = format!("{at}.{key}");
                let text = value.as_str().ok_or_else(|| wrong_type(&at, "a string"))?;
                check_length(key.chars().count(), value, (0, MAX_PARAMETER), &at, faults);
                check_length(text.chars().count(), value, (0, MAX_PARAMETER), &at, faults);
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
    // AWS ignores members it does not know. Here that would hide a setting that has no effect.
    let unknown = given
        .keys()
        .find(|name| members.iter().all(|member| member.name != name.as_str()));
    if let Some(name) = unknown {
        let message = format!(
            "{} is not supported by this labeling engine: it does not have this member.",
            path(at, name)
        );
        return Err(ApiError::validation(message));
    }
    Ok(())
}

fn check_length(
    length: usize,
    value: &Value,
    (min, max): (usize, usize),
    at: &str,
    faults: &mut Vec<String>,
) {
    if length < min {
        let rule = format!("Member must have length greater than or equal to {min}");
        faults.push(fault(value, at, &rule));
    }
    if length > max {
        let rule = format!("Member must have length less than or equal to {max}");
        faults.push(fault(value, at, &rule));
    }
}

fn check_range(value: &Value, (min, max): (i64, i64), at: &str, faults: &mut Vec<String>) -> Result<()> {
    let number = value.as_i64().ok_or_else(|| wrong_type(at, "an integer"))?;
    if number < min {
        let rule = format!("Member must have value greater than or equal to {min}");
        faults.push(fault(value, at, &rule));
    }
    if number > max {
        let rule = format!("Member must have value less than or equal to {max}");
        faults.push(fault(value, at, &rule));
    }
    Ok(())
}

fn fault(value: &Value, at: &str, constraint: &str) -> String {
    let shown = match value {
        Value::Null => "null".to_owned(),
        Value::String(text) => format!("'{}'", text.chars().take(256).collect::<String>()),
        other => format!("'{}'", other.to_string().chars().take(256).collect::<String>()),
    };
    format!("Value {shown} at '{at}' failed to satisfy constraint: {constraint}")
}

fn wrong_type(at: &str, wanted: &str) -> ApiError {
    ApiError::serialization(format!("'{at}' must be {wanted}."))
}

/// AWS writes members with a lower-case first letter here.
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

/// Whether the pattern matches the whole text, as in the API model.
fn matches(pattern: &'static str, text: &str) -> bool {
    let mut compiled = lock(&PATTERNS);
    let regex = compiled
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
