//! The lines of a batch: one valid JSON object each, for any key and any text, and where each item came from.
//!
//! Limits are those of Ground Truth's input manifest: 100,000 characters a line, 20,000 an attribute, no attribute
//! name that starts with `$`
//! (<https://docs.aws.amazon.com/sagemaker/latest/dg/sms-input-data-input-manifest.html>).

use std::borrow::Cow;
use std::ops::Range;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::encoding::unshowable;

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
    /// What a line made by hand points to, to be looked at before the line is taken.
    pub link: Option<Link>,
}

/// An object a dataset may point to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Link {
    pub bucket: String,
    pub key: String,
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
    #[error("{0}")]
    Unshowable(String),
    #[error("`{0}` is {1} characters long; an attribute has at most {MAX_ATTRIBUTE}")]
    AttributeTooLong(String, usize),
    #[error("written as JSON the item is {0} characters long; a line of a manifest has at most {MAX_LINE}")]
    LineTooLong(usize),
}

/// A text, inlined. Never a URI: what `source` holds is what workers see, and so it is something to see.
pub fn text_line(file: File<'_>, row: Option<u64>, text: &str) -> Result<Line, LineError> {
    let length = text.chars().count();
    if length > MAX_ATTRIBUTE {
        return Err(LineError::TextTooLong(length));
    }
    if let Some(reason) = unshowable(text) {
        return Err(LineError::Unshowable(reason));
    }
    let json = without_line_breaks(json!({"source": text, ORIGIN: file.origin(row)}).to_string());
    within_limit(&json)?;
    Ok(Line {
        row,
        json,
        link: None,
    })
}

/// A file by its URI, with the key exactly as it is: workers' browsers get a signed URL made from it.
pub fn ref_line(file: File<'_>, bucket: &str) -> Line {
    let uri = format!("s3://{bucket}/{}", file.key);
    let json = json!({"source-ref": uri, ORIGIN: file.origin(None)}).to_string();
    Line {
        row: None,
        json: without_line_breaks(json),
        link: None,
    }
}

/// One line to every reader: JSON lets U+0085, U+2028 and U+2029 stay unescaped, and some readers split lines there
/// (Python's `splitlines`, Node's `readline`). For every line-based output.
pub fn without_line_breaks(json: String) -> String {
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

/// Adds the origin to a line another person wrote, which stays as it is to the byte: a number is not rounded, an
/// attribute is not moved. `object` is what `json` parses to.
pub(crate) fn with_origin(
    json: &str,
    object: &Map<String, Value>,
    file: File<'_>,
    row: u64,
) -> Result<Line, LineError> {
    let origin = file.origin(Some(row)).to_string();
    // JSON has no `\r` in its strings: it is white space here.
    let json = json.replace('\r', " ");
    let earlier = object.contains_key(ORIGIN).then(|| earlier_origin(&json));
    let json = match earlier.flatten() {
        Some(earlier) => [&json[..earlier.start], &origin, &json[earlier.end..]].concat(),
        None => splice(&json, &origin),
    };
    let json = without_line_breaks(json);
    within_limit(&json)?;
    Ok(Line {
        row: Some(row),
        json,
        link: None,
    })
}

fn splice(json: &str, origin: &str) -> String {
    let json = json.trim();
    let body = json.strip_suffix('}').unwrap_or(json).trim_end();
    format!("{body},\"{ORIGIN}\":{origin}}}")
}

/// A line whose `source` is this text instead; everything else stays to the byte.
pub(crate) fn with_source(line: &Line, text: &str) -> Result<Line, LineError> {
    #[derive(Deserialize)]
    struct WithSource<'a> {
        #[serde(borrow)]
        source: &'a RawValue,
    }
    if let Some(reason) = unshowable(text) {
        return Err(LineError::Unshowable(reason));
    }
    let text = Value::from(text).to_string();
    let json = &line.json;
    let json = match serde_json::from_str::<WithSource<'_>>(json) {
        Ok(WithSource { source }) => {
            let source = source.get();
            let start = source.as_ptr().addr() - json.as_ptr().addr();
            [&json[..start], &text, &json[start + source.len()..]].concat()
        }
        Err(_) => json.clone(),
    };
    let json = without_line_breaks(json);
    within_limit(&json)?;
    Ok(Line {
        row: line.row,
        json,
        link: None,
    })
}

/// Where in the line the origin is that an earlier job's manifest gave it.
fn earlier_origin(json: &str) -> Option<Range<usize>> {
    #[derive(Deserialize)]
    struct Earlier<'a> {
        #[serde(borrow)]
        groundcrew: &'a RawValue,
    }
    let earlier = serde_json::from_str::<Earlier<'_>>(json).ok()?.groundcrew.get();
    let start = earlier.as_ptr().addr() - json.as_ptr().addr();
    Some(start..start + earlier.len())
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn file(key: &str) -> File<'_> {
        File {
            key,
            etag: "d41d8cd98f00b204e9800998ecf8427e-2",
        }
    }

    /// One line, in the eyes of every reader, and JSON.
    #[track_caller]
    fn value(line: &Line) -> Value {
        assert!(
            !line
                .json
                .contains(['\n', '\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}']),
            "{}",
            line.json
        );
        serde_json::from_str(&line.json).unwrap_or_else(|e| panic!("{e}: {}", line.json))
    }

    #[track_caller]
    fn survives(key: &str, text: &str) {
        let line = text_line(file(key), Some(3), text).unwrap();
        let object = value(&line);
        assert_eq!(object["source"].as_str(), Some(text));
        assert_eq!(object["groundcrew"]["key"].as_str(), Some(key));
        assert_eq!(object.as_object().map(Map::len), Some(2));
        let image = value(&ref_line(file(key), "bucket"));
        assert_eq!(
            image["source-ref"].as_str(),
            Some(format!("s3://bucket/{key}").as_str())
        );
        let manifest = format!("{}\n", line.json);
        let origin = Origin {
            key: key.to_owned(),
            etag: file(key).etag.to_owned(),
            row: Some(3),
        };
        assert_eq!(origins(manifest.as_bytes()).collect::<Vec<_>>(), [Ok(origin)]);
    }

    #[test]
    fn a_line_looks_as_the_labeling_service_documents_it() {
        let file = File {
            key: "numbers/7.txt",
            etag: "abc",
        };
        let line = text_line(file, None, "7").unwrap();
        assert_eq!(
            line.json,
            r#"{"source":"7","groundcrew":{"key":"numbers/7.txt","etag":"abc"}}"#
        );
        let file = File {
            key: "cats/a b+c.jpg",
            etag: "abc",
        };
        let expected =
            r#"{"source-ref":"s3://in/cats/a b+c.jpg","groundcrew":{"key":"cats/a b+c.jpg","etag":"abc"}}"#;
        assert_eq!(ref_line(file, "in").json, expected);
    }

    #[test]
    fn quotes_newlines_and_backslashes_do_not_break_the_line() {
        survives(
            "d/say \"hi\".txt",
            "a \"quote\", a \\ and a\nsecond\r\nline\u{2028}\u{85}\u{2029}",
        );
    }

    #[test]
    fn a_key_cannot_inject_an_attribute() {
        survives("d/a\",\"x\":\"b", "t\",\"source-ref\":\"s3://b/k");
    }

    #[test]
    fn spaces_pluses_and_percents_in_a_key_stay_as_they_are() {
        for key in [
            "d/my cat (1).jpg",
            "d/a+b.jpg",
            "d/%2B%20.jpg",
            "d/../x",
            "d/x.",
            "d/\u{1}\t",
            "d/🐈.jpg",
            "d//x",
        ] {
            survives(key, "t");
        }
    }

    #[test]
    fn composed_and_decomposed_forms_of_a_key_stay_two_keys() {
        survives("d/caf\u{e9}.txt", "caf\u{e9}");
        survives("d/cafe\u{301}.txt", "cafe\u{301}");
        assert_ne!(
            ref_line(file("d/caf\u{e9}"), "b"),
            ref_line(file("d/cafe\u{301}"), "b")
        );
    }

    #[test]
    fn a_key_of_1_024_bytes_fits_whatever_they_are() {
        survives(&"k".repeat(1024), "t");
        survives(&"\u{1}".repeat(1024), &"x".repeat(MAX_ATTRIBUTE));
    }

    #[test]
    fn limits_count_characters_not_bytes() {
        assert!(text_line(file("k"), None, &"🐈".repeat(MAX_ATTRIBUTE)).is_ok());
        let long = text_line(file("k"), None, &"🐈".repeat(MAX_ATTRIBUTE + 1));
        assert_eq!(long, Err(LineError::TextTooLong(20_001)));
        // Each is written as six characters.
        let escaped = text_line(
            file("k"),
            None,
            &format!("x{}", "\u{85}".repeat(MAX_ATTRIBUTE - 1)),
        );
        assert!(matches!(escaped, Err(LineError::LineTooLong(length)) if length > 110_000));
    }

    #[test]
    fn a_line_without_an_origin_says_which() {
        let manifest =
            b"{\"source\":\"a\",\"groundcrew\":{\"key\":\"k\",\"etag\":\"e\"}}\r\n\n{\"source\":\"b\"}\n{";
        let found: Vec<_> = origins(manifest).collect();
        assert_eq!(
            found[0],
            Ok(Origin {
                key: "k".into(),
                etag: "e".into(),
                row: None
            })
        );
        assert_eq!(found[1].as_ref().unwrap_err().line, 3);
        assert_eq!(found[2].as_ref().unwrap_err().line, 4);
    }

    proptest! {
        #[test]
        fn any_key_and_any_text_survive_byte_for_byte_on_one_line(key in any::<String>(), text in any::<String>()) {
            match unshowable(&text) {
                None => survives(&key, &text),
                Some(reason) => {
                    prop_assert_eq!(text_line(file(&key), None, &text), Err(LineError::Unshowable(reason)));
                }
            }
        }

        #[test]
        fn a_hand_made_line_keeps_all_it_says(text in any::<String>(), name in "[^$].{0,5}", space in "[ \t\r]{0,2}") {
            let object = json!({"source": text, name.as_str(): 1.5});
            let written = format!("{{{space}\"x\":1,{}{space}", &object.to_string()[1..]);
            let parsed: Map<String, Value> = serde_json::from_str(&written).unwrap();
            let line = with_origin(&written, &parsed, file("m"), 7).unwrap();
            let mut expected = parsed;
            expected.insert(ORIGIN.to_owned(), file("m").origin(Some(7)));
            prop_assert_eq!(value(&line), Value::Object(expected));
        }
    }
}
