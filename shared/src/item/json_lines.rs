//! `.jsonl`: each line a JSON string, or an object with the text in `source` or in the column the spec names.

use std::borrow::Cow;

use serde_json::Value;

use super::Found;
use super::text::{is_blank, numbered};

pub(super) fn rows(
    text: &str,
    column: Option<String>,
    after_row: u64,
) -> impl Iterator<Item = Found<'_>> + Send {
    let field = column.unwrap_or_else(|| "source".to_owned());
    numbered(text, after_row).map(move |(row, line)| match read(line, &field) {
        _ if is_blank(line) => Found::Blank,
        Ok(text) if is_blank(&text) => Found::Blank,
        Ok(text) => Found::Text(Some(row), Cow::Owned(text)),
        Err(reason) => Found::Reject(Some(row), reason),
    })
}

fn read(line: &str, field: &str) -> Result<String, String> {
    let value = serde_json::from_str(line).map_err(|e| not_usable(&e))?;
    let text = match value {
        Value::String(text) => return Ok(text),
        Value::Object(mut object) => object.remove(field).ok_or_else(|| no_field(field))?,
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

fn no_field(field: &str) -> String {
    format!(
        "the object has no `{field}`: name the field that holds the text with `text: {{split: row, column: …}}`"
    )
}

/// What is wrong with a line as JSON. The reader's own "line 1" is always that and helps nobody.
pub(super) fn not_usable(error: &serde_json::Error) -> String {
    let said = error.to_string();
    let said = said.split(" at line ").next().unwrap_or(&said);
    let what = if error.is_data() {
        "the line cannot be used"
    } else {
        "the line is not JSON"
    };
    format!("{what} (column {}): {said}", error.column())
}

pub(super) fn what(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
