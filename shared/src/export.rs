//! Results in files other programs read: CSV and JSON Lines, one row an item, in the batch's order.
//!
//! Values are exact: a text that begins with `=` stays so, since changing data to please one reader spoils it for all
//! others. Open the CSV in a spreadsheet as text where its texts are not trusted.

use std::io::{self, Write};

use serde::Serialize;

use crate::manifest::without_line_breaks;
use crate::output::{Class, Label, OutputLine, Source};

/// The CSV's header. `source` is the text of a text item, `uri` the URI of a file; in a multi-label
/// job `label` and `confidence` hold lists separated by `;` (a label that itself holds `;` is in quotes there).
pub const COLUMNS: [&str; 9] = [
    "key",
    "row",
    "source",
    "uri",
    "label",
    "confidence",
    "labeled_by",
    "labeled_at",
    "failure",
];

/// Writes CSV (RFC 4180, UTF-8, `\r\n` as its own line ends).
pub struct Csv<W: Write> {
    writer: csv::Writer<W>,
}

impl<W: Write> Csv<W> {
    pub fn new(writer: W) -> io::Result<Self> {
        let mut writer = csv::WriterBuilder::new()
            .terminator(csv::Terminator::CRLF)
            .from_writer(writer);
        writer.write_record(COLUMNS)?;
        Ok(Self { writer })
    }

    pub fn add(&mut self, line: &OutputLine) -> io::Result<()> {
        let row = line.row().map(|row| row.to_string()).unwrap_or_default();
        let (text, uri) = match &line.source {
            Source::Text(text) => (text.as_str(), ""),
            Source::Ref(uri) => ("", uri.as_str()),
        };
        let labels = cell(line, |class| class.name.clone())?;
        let confidence = cell(line, |class| {
            class.confidence.map(|c| c.to_string()).unwrap_or_default()
        })?;
        let created = line.created.as_deref().unwrap_or_default();
        let failure = line.failure.as_deref().unwrap_or_default();
        let record = [
            line.key(),
            &row,
            text,
            uri,
            &labels,
            &confidence,
            labeled_by(line).unwrap_or_default(),
            created,
            failure,
        ];
        Ok(self.writer.write_record(record)?)
    }

    pub fn finish(self) -> io::Result<W> {
        self.writer
            .into_inner()
            .map_err(|e| io::Error::new(e.error().kind(), e.to_string()))
    }
}

/// One value as it is; several in one cell as a CSV row of its own, with `;`.
fn cell(line: &OutputLine, value: impl Fn(&Class) -> String) -> io::Result<String> {
    let classes = match &line.label {
        Some(Label::Single(class)) => return Ok(value(class)),
        Some(Label::Multi(classes)) if !classes.is_empty() => classes,
        _ => return Ok(String::new()),
    };
    let mut writer = csv::WriterBuilder::new().delimiter(b';').from_writer(Vec::new());
    writer.write_record(classes.iter().map(value))?;
    let bytes = writer.into_inner().map_err(|e| io::Error::other(e.to_string()))?;
    let cell = String::from_utf8(bytes).map_err(io::Error::other)?;
    Ok(cell.strip_suffix('\n').unwrap_or(&cell).to_owned())
}

fn labeled_by(line: &OutputLine) -> Option<&'static str> {
    line.label
        .as_ref()
        .map(|_| if line.human { "human" } else { "machine" })
}

/// Writes JSON Lines: the same, with lists as lists and absent values left out.
pub struct JsonLines<W: Write> {
    writer: W,
}

#[derive(Serialize)]
struct Item<'a> {
    key: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    row: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uri: Option<&'a str>,
    /// `null` where not labeled, `[]` where nothing applies.
    labels: Option<Vec<ItemLabel<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    labeled_by: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    labeled_at: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<&'a str>,
}

#[derive(Serialize)]
struct ItemLabel<'a> {
    label: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    confidence: Option<f64>,
}

impl<W: Write> JsonLines<W> {
    pub fn new(writer: W) -> Self {
        Self { writer }
    }

    pub fn add(&mut self, line: &OutputLine) -> io::Result<()> {
        let json = without_line_breaks(serde_json::to_string(&item(line))?);
        self.writer.write_all(json.as_bytes())?;
        self.writer.write_all(b"\n")
    }

    pub fn finish(mut self) -> io::Result<W> {
        self.writer.flush()?;
        Ok(self.writer)
    }
}

fn item(line: &OutputLine) -> Item<'_> {
    let (source, uri) = match &line.source {
        Source::Text(text) => (Some(text.as_str()), None),
        Source::Ref(uri) => (None, Some(uri.as_str())),
    };
    let labels = line.label.as_ref().map(|label| {
        let labels = label.classes().iter();
        labels
            .map(|class| ItemLabel {
                label: &class.name,
                confidence: class.confidence,
            })
            .collect()
    });
    Item {
        key: line.key(),
        row: line.row(),
        source,
        uri,
        labels,
        labeled_by: labeled_by(line),
        labeled_at: line.created.as_deref(),
        failure: line.failure.as_deref(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = r#"{"source":"=1+1, \"x\"\ny","groundcrew":{"key":"d/a.csv","etag":"e","row":2},"a":0,"a-metadata":{"class-name":"So; so","confidence":0.5,"human-annotated":"yes","creation-date":"2026-01-01T00:00:00"}}
{"source-ref":"s3://b/d/b.jpg","groundcrew":{"key":"d/b.jpg","etag":"e"},"a":[0,1],"a-metadata":{"class-map":{"0":"a;b","1":"c"},"confidence-map":{"0":0.25,"1":1},"human-annotated":"no"}}
{"source-ref":"s3://b/d/c.jpg","groundcrew":{"key":"d/c.jpg","etag":"e"},"a":[],"a-metadata":{"class-map":{}}}
{"source-ref":"s3://b/d/d.jpg","groundcrew":{"key":"d/d.jpg","etag":"e"}}
"#;

    fn lines() -> Vec<OutputLine> {
        crate::output::read(MANIFEST.as_bytes(), "a")
            .collect::<Result<_, _>>()
            .unwrap()
    }

    #[test]
    fn csv_holds_texts_exactly_and_lists_unambiguously() {
        let mut export = Csv::new(Vec::new()).unwrap();
        for line in lines() {
            export.add(&line).unwrap();
        }
        let written = String::from_utf8(export.finish().unwrap()).unwrap();
        insta::assert_snapshot!(written.replace("\r\n", "\n"), @r#"
        key,row,source,uri,label,confidence,labeled_by,labeled_at,failure
        d/a.csv,2,"=1+1, ""x""
        y",,So; so,0.5,human,2026-01-01T00:00:00,
        d/b.jpg,,,s3://b/d/b.jpg,"""a;b"";c",0.25;1,machine,,
        d/c.jpg,,,s3://b/d/c.jpg,,,human,,
        d/d.jpg,,,s3://b/d/d.jpg,,,,,
        "#);
        let mut reader = csv::Reader::from_reader(written.as_bytes());
        let first = reader.records().next().unwrap().unwrap();
        assert_eq!(&first[2], "=1+1, \"x\"\ny");
    }

    #[test]
    fn an_item_is_one_line_to_every_reader() {
        let line = r#"{"source":"a\u2028b\u0085c\u2029d","groundcrew":{"key":"d/\u2028.txt","etag":"e"}}"#;
        let mut export = JsonLines::new(Vec::new());
        export
            .add(&crate::output::parse(line.as_bytes(), "a").unwrap())
            .unwrap();
        let written = String::from_utf8(export.finish().unwrap()).unwrap();
        assert!(!written.contains(['\u{85}', '\u{2028}', '\u{2029}']), "{written}");
        let item: serde_json::Value = serde_json::from_str(&written).unwrap();
        assert_eq!(item["source"], "a\u{2028}b\u{85}c\u{2029}d");
    }

    #[test]
    fn json_lines_tell_not_labeled_from_nothing_applies() {
        let mut export = JsonLines::new(Vec::new());
        for line in lines() {
            export.add(&line).unwrap();
        }
        insta::assert_snapshot!(String::from_utf8(export.finish().unwrap()).unwrap(), @r#"
        {"key":"d/a.csv","row":2,"source":"=1+1, \"x\"\ny","labels":[{"label":"So; so","confidence":0.5}],"labeled_by":"human","labeled_at":"2026-01-01T00:00:00"}
        {"key":"d/b.jpg","uri":"s3://b/d/b.jpg","labels":[{"label":"a;b","confidence":0.25},{"label":"c","confidence":1.0}],"labeled_by":"machine"}
        {"key":"d/c.jpg","uri":"s3://b/d/c.jpg","labels":[],"labeled_by":"human"}
        {"key":"d/d.jpg","uri":"s3://b/d/d.jpg","labels":null}
        "#);
    }
}
