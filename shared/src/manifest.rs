//! The lines of a batch: one valid JSON object each, whatever a key or a text holds, and where each item came from.
//!
//! Limits are those of Ground Truth's input manifest: 100,000 characters a line, 20,000 an attribute, no attribute
//! name that starts with `$`
//! (<https://docs.aws.amazon.com/sagemaker/latest/dg/sms-input-data-input-manifest.html>).

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// Characters in one line of an input manifest.
pub const MAX_LINE: usize = 100_000;
/// Characters in one attribute of a line, and so in an inlined text.
pub const MAX_ATTRIBUTE: usize = 20_000;
/// The attribute that says where an item came from. The labeling service passes it through to its output.
pub const ORIGIN: &str = "groundcrew";

/// One line of a manifest, without its line end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Row of the dropped file the item is; `None` where the item is the whole file.
    pub row: Option<u64>,
    pub json: String,
}

/// Where an item came from.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Origin {
    /// The exact key in the input bucket.
    pub key: String,
    /// Without quotes. Another one later means that the file has changed since it was batched.
    pub etag: String,
    /// 1-based, as an editor or a spreadsheet numbers it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub row: Option<u64>,
}

/// A dropped file, while its lines are made.
#[derive(Clone, Copy, Debug)]
pub struct File<'a> {
    pub key: &'a str,
    pub etag: &'a str,
}

impl File<'_> {
    fn origin(self, row: Option<u64>) -> Value {
        let Self { key, etag } = self;
        match row {
            Some(row) => json!({"key": key, "etag": etag, "row": row}),
            None => json!({"key": key, "etag": etag}),
        }
    }
}

/// Why no line can be made of an item.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    #[error(
        "the text is {0} characters long; a labeling job takes at most {MAX_ATTRIBUTE}: split it into shorter texts"
    )]
    TextTooLong(usize),
    #[error("`{0}` is {1} characters long; an attribute has at most {MAX_ATTRIBUTE}")]
    AttributeTooLong(String, usize),
    #[error("written as JSON the item is {0} characters long; a line of a manifest has at most {MAX_LINE}")]
    LineTooLong(usize),
}

/// A text, inlined. Never a URI: what `source` holds is what workers see.
pub fn text_line(file: File<'_>, row: Option<u64>, text: &str) -> Result<Line, LineError> {
    let length = text.chars().count();
    if length > MAX_ATTRIBUTE {
        return Err(LineError::TextTooLong(length));
    }
    let json = without_line_breaks(json!({"source": text, ORIGIN: file.origin(row)}).to_string());
    within_limit(&json)?;
    Ok(Line { row, json })
}

/// A file by its URI, with the key exactly as it is: workers' browsers get a signed URL made from it.
pub fn ref_line(file: File<'_>, bucket: &str) -> Line {
    let uri = format!("s3://{bucket}/{}", file.key);
    let json = json!({"source-ref": uri, ORIGIN: file.origin(None)}).to_string();
    Line {
        row: None,
        json: without_line_breaks(json),
    }
}

/// JSON lets U+0085, U+2028 and U+2029 stand unescaped; some readers split lines there (Python's `splitlines` does).
fn without_line_breaks(json: String) -> String {
    if !json.contains(['\u{85}', '\u{2028}', '\u{2029}']) {
        return json;
    }
    json.replace('\u{85}', "\\u0085")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029")
}

fn within_limit(json: &str) -> Result<(), LineError> {
    // A character is at least a byte: most lines need no counting.
    if json.len() > MAX_LINE {
        let length = json.chars().count();
        if length > MAX_LINE {
            return Err(LineError::LineTooLong(length));
        }
    }
    Ok(())
}

/// Adds the origin to a line somebody else wrote, which stays as it is to the byte: a number is not rounded, an
/// attribute is not moved. `object` is what `json` parses to.
pub(crate) fn with_origin(
    json: &str,
    object: &Map<String, Value>,
    file: File<'_>,
    row: u64,
) -> Result<Line, LineError> {
    let origin = file.origin(Some(row));
    let json = match object.contains_key(ORIGIN) || json.contains('\r') {
        true => replaced(object, origin),
        false => spliced(json, &origin),
    };
    let json = without_line_breaks(json);
    within_limit(&json)?;
    Ok(Line { row: Some(row), json })
}

fn spliced(json: &str, origin: &Value) -> String {
    let json = json.trim();
    let body = json.strip_suffix('}').unwrap_or(json).trim_end();
    format!("{body},\"{ORIGIN}\":{origin}}}")
}

fn replaced(object: &Map<String, Value>, origin: Value) -> String {
    let mut object = object.clone();
    object.insert(ORIGIN.to_owned(), origin);
    Value::Object(object).to_string()
}

/// A line of a batch that says nothing of where its item came from.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the manifest does not say where its item came from: {reason}")]
pub struct OriginError {
    pub line: u64,
    pub reason: String,
}

#[derive(Deserialize)]
struct WithOrigin<'a> {
    #[serde(borrow)]
    groundcrew: BorrowedOrigin<'a>,
}

#[derive(Deserialize)]
struct BorrowedOrigin<'a> {
    #[serde(borrow)]
    key: Cow<'a, str>,
    #[serde(borrow)]
    etag: Cow<'a, str>,
    #[serde(default)]
    row: Option<u64>,
}

/// The origins of a batch's items, in order, one line in memory at a time; everything else is skipped over unparsed.
pub fn origins(manifest: &[u8]) -> impl Iterator<Item = Result<Origin, OriginError>> + Send + '_ {
    let lines = manifest.split(|&b| b == b'\n').zip(1u64..);
    lines
        .filter(|(line, _)| !line.trim_ascii().is_empty())
        .map(|(bytes, line)| {
            let found = serde_json::from_slice::<WithOrigin<'_>>(bytes);
            let origin = found
                .map_err(|e| OriginError {
                    line,
                    reason: e.to_string(),
                })?
                .groundcrew;
            Ok(Origin {
                key: origin.key.into_owned(),
                etag: origin.etag.into_owned(),
                row: origin.row,
            })
        })
}
