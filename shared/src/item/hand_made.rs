//! Manifests made by hand, line by line: what a labeling job would refuse, or show workers wrongly, is refused here.

use serde_json::{Map, Value};

use super::Found;
use super::json_lines::what;
use super::text::{is_blank, numbered};
use crate::manifest::{File, LineError, MAX_ATTRIBUTE, with_origin};
use crate::task::Input;

pub(super) fn lines<'a>(
    text: &'a str,
    input: Input,
    file: File<'a>,
    after_row: u64,
) -> impl Iterator<Item = Found<'a>> + Send + 'a {
    numbered(text, after_row).map(move |(row, json)| {
        if is_blank(json) {
            return Found::Blank;
        }
        let line = object(json).and_then(|object| {
            check(&object, input)?;
            with_origin(json, &object, file, row).map_err(|e| e.to_string())
        });
        line.map_or_else(|reason| Found::Reject(Some(row), reason), Found::Line)
    })
}

fn object(json: &str) -> Result<Map<String, Value>, String> {
    match serde_json::from_str(json) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(other) => Err(format!(
            "the line is {}; a line of a manifest is a JSON object",
            what(&other)
        )),
        Err(e) => Err(format!("the line is not JSON (column {}): {e}", e.column())),
    }
}

fn check(object: &Map<String, Value>, input: Input) -> Result<(), String> {
    if let Some(name) = object.keys().find(|name| name.starts_with('$')) {
        return Err(format!("`{name}`: an attribute's name may not start with `$`"));
    }
    for (name, value) in object {
        within_limit(name, value).map_err(|e| e.to_string())?;
    }
    match (object.get("source"), object.get("source-ref"), input) {
        (Some(_), Some(_), _) => Err("the line has both `source` and `source-ref`: leave one".to_owned()),
        (Some(source), None, Input::Text) => inline_text(source),
        (None, Some(source), Input::Image) => s3_uri(source),
        (_, _, Input::Text) => Err("a text job needs `source`, with the text itself in it".to_owned()),
        (_, _, _) => Err("the job needs `source-ref`, with the file's `s3://…` URI in it".to_owned()),
    }
}

/// Ground Truth shows workers what `source` holds: a URI there is a task to label a URI.
fn inline_text(source: &Value) -> Result<(), String> {
    match source {
        Value::String(text) if is_blank(text) => Err("`source` is blank: there is nothing to label".to_owned()),
        Value::String(text) if text.trim_start().starts_with("s3://") => Err(
            "`source` is an S3 URI, and workers would see the URI, not the text in the file: write the text itself"
                .to_owned(),
        ),
        Value::String(_) => Ok(()),
        other => Err(format!("`source` is {}; it has to be a string", what(other))),
    }
}

fn s3_uri(source: &Value) -> Result<(), String> {
    let uri = source
        .as_str()
        .ok_or_else(|| format!("`source-ref` is {}; it has to be a string", what(source)))?;
    let object = uri.strip_prefix("s3://").and_then(|rest| rest.split_once('/'));
    match object {
        Some((bucket, key)) if !bucket.is_empty() && !key.is_empty() => Ok(()),
        _ => Err("`source-ref` has to be `s3://<bucket>/<key>`".to_owned()),
    }
}

fn within_limit(name: &str, value: &Value) -> Result<(), LineError> {
    let length = match value {
        Value::String(text) => text.chars().count(),
        other => other.to_string().chars().count(),
    };
    if length > MAX_ATTRIBUTE {
        return Err(LineError::AttributeTooLong(name.to_owned(), length));
    }
    Ok(())
}
