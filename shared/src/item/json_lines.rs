//! `.jsonl`: each line a JSON string, or an object with the text in `source` or in the column the spec names.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::json::{self, what};
use super::names::{list_names, near_miss};
use super::source_row::SourceRow;
use super::text::{is_blank, numbered_lines};
use crate::visible::exact;

/// The rows, or why the whole file gives none.
pub(super) fn rows(
    text: &str,
    column: Option<String>,
) -> Result<impl Iterator<Item = SourceRow<'_>> + Send, String> {
    let field = column.unwrap_or_else(|| "source".to_owned());
    field_is_missing(text, &field)?;
    Ok(
        numbered_lines(text).map(move |(row, line)| match read(line, &field) {
            _ if is_blank(line) => SourceRow::Blank(Some(row)),
            Ok(text) if is_blank(&text) => SourceRow::Reject(Some(row), "the text is empty".to_owned()),
            Ok(text) => SourceRow::Text(Some(row), Cow::Owned(text)),
            Err(reason) => SourceRow::Reject(Some(row), reason),
        }),
    )
}

/// Said once and not for each line: no line has a text, and objects are there without the field.
fn field_is_missing(text: &str, field: &str) -> Result<(), String> {
    let mut first = None;
    for (_, line) in numbered_lines(text).filter(|(_, line)| !is_blank(line)) {
        match json::read(line) {
            Ok(Value::String(_)) => return Ok(()),
            Ok(Value::Object(object)) if object.contains_key(field) => return Ok(()),
            Ok(Value::Object(object)) => first = first.or(Some(object)),
            _ => {}
        }
    }
    first.map_or(Ok(()), |object| {
        Err(format!(
            "no line has a field `{}`; the first object has {}",
            exact(field),
            instead(&object, field)
        ))
    })
}

fn read(line: &str, field: &str) -> Result<String, String> {
    let text = match json::read(line)? {
        Value::String(text) => return Ok(text),
        Value::Object(mut object) => match object.remove(field) {
            Some(text) => text,
            None => {
                let there = instead(&object, field);
                return Err(format!("the object has no `{}`; it has {there}", exact(field)));
            }
        },
        other => {
            return Err(format!(
                "the line is {}; it has to be an object or a string",
                what(&other)
            ));
        }
    };
    match text {
        Value::String(text) => Ok(text),
        other => Err(format!(
            "`{field}` is {}, not a text: put it in quotes",
            what(&other)
        )),
    }
}

/// The fields there are, and how to name one of them.
fn instead(object: &Map<String, Value>, field: &str) -> String {
    let there = || object.keys().map(String::as_str);
    let hint = near_miss(there(), field).unwrap_or_else(|| {
        "name the field that holds the text with `text: {split: row, column: …}`".to_owned()
    });
    if object.is_empty() {
        return format!("nothing: {hint}");
    }
    format!("{}: {hint}", list_names(there()))
}
