//! The labeling service's output manifest, read tolerantly: the four classification types, in every spelling found
//! in AWS's guide and in real output.
//!
//! A label's value is an integer in real output and `0` or `"0"` in the guide; metadata says `job-name` or `job_name`,
//! `creation-date` or `creation_date`, `class-map` or `class_map`
//! (<https://docs.aws.amazon.com/sagemaker/latest/dg/sms-data-output.html>). An item without the label attribute was
//! not labeled: nothing else says so in a job that is otherwise `Completed`.

use std::io::BufRead;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::manifest::{ORIGIN, Origin};

/// One item and what workers made of it.
#[derive(Clone, Debug, PartialEq)]
pub struct OutputLine {
    /// `None` in the output of a manifest that Groundcrew did not write.
    pub origin: Option<Origin>,
    pub source: Source,
    /// `None`: not labeled.
    pub label: Option<Label>,
    /// `human-annotated`; true where nothing is said.
    pub human: bool,
    /// As the service writes it: real output says `labeling-job/<name>`.
    pub job: Option<String>,
    /// Local ISO time without a zone.
    pub created: Option<String>,
    pub failure: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    Text(String),
    Ref(String),
}

/// Confidence is 0 to 1, comparable within one job only, and 0 when one worker was asked.
#[derive(Clone, Debug, PartialEq)]
pub enum Label {
    Single(Class),
    /// Empty where workers agreed that nothing applies.
    Multi(Vec<Class>),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Class {
    pub name: String,
    pub index: u64,
    pub confidence: Option<f64>,
}

impl Label {
    pub fn classes(&self) -> &[Class] {
        match self {
            Self::Single(class) => std::slice::from_ref(class),
            Self::Multi(classes) => classes,
        }
    }

    /// The lowest confidence of the item's classes: how sure the item as a whole is.
    pub fn confidence(&self) -> Option<f64> {
        self.classes()
            .iter()
            .filter_map(|class| class.confidence)
            .reduce(f64::min)
    }
}

impl OutputLine {
    /// The dropped file's key, or what the item has instead.
    pub fn key(&self) -> &str {
        match (&self.origin, &self.source) {
            (Some(origin), _) => &origin.key,
            (None, Source::Ref(uri)) => uri,
            (None, Source::Text(_)) => "",
        }
    }

    pub fn row(&self) -> Option<u64> {
        self.origin.as_ref().and_then(|origin| origin.row)
    }
}

/// Why a line cannot be understood, or the reading went no further.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    #[error("the output manifest could not be read: {0}")]
    Io(#[from] std::io::Error),
    #[error("line {line} of the output manifest: {reason}")]
    Line { line: u64, reason: String },
}

/// The lines of an output manifest, one in memory at a time.
pub fn read<'a, R: BufRead + 'a>(
    reader: R,
    attribute: &'a str,
) -> impl Iterator<Item = Result<OutputLine, OutputError>> + 'a {
    let lines = reader.split(b'\n').zip(1u64..);
    lines
        .filter(|(line, _)| !matches!(line, Ok(line) if line.trim_ascii().is_empty()))
        .map(move |(bytes, line)| {
            let bytes = bytes?;
            parse(&bytes, attribute).map_err(|reason| OutputError::Line { line, reason })
        })
}

/// One line.
pub fn parse(line: &[u8], attribute: &str) -> Result<OutputLine, String> {
    let mut object: Map<String, Value> =
        serde_json::from_slice(line).map_err(|e| format!("not a JSON object: {e}"))?;
    let metadata = Metadata(
        object
            .remove(&format!("{attribute}-metadata"))
            .unwrap_or_default(),
    );
    let label = object.remove(attribute).filter(|value| !value.is_null());
    Ok(OutputLine {
        label: label.map(|value| metadata.label(&value)).transpose()?,
        human: metadata.text("human-annotated") != Some("no"),
        job: metadata.text("job-name").map(str::to_owned),
        created: metadata.text("creation-date").map(str::to_owned),
        failure: metadata.text("failure-reason").map(str::to_owned),
        origin: object
            .remove(ORIGIN)
            .and_then(|origin| Origin::deserialize(origin).ok()),
        source: source(&mut object)?,
    })
}

fn source(object: &mut Map<String, Value>) -> Result<Source, String> {
    match (object.remove("source"), object.remove("source-ref")) {
        (Some(Value::String(text)), _) => Ok(Source::Text(text)),
        (Some(other), _) => Ok(Source::Text(other.to_string())),
        (None, Some(Value::String(uri))) => Ok(Source::Ref(uri)),
        _ => Err("neither `source` nor `source-ref` is there".to_owned()),
    }
}

/// `<attribute>-metadata`, with either spelling of its names.
struct Metadata(Value);

impl Metadata {
    fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).or_else(|| self.0.get(name.replace('-', "_")))
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str()
    }

    fn label(&self, value: &Value) -> Result<Label, String> {
        if let Value::Array(values) = value {
            return values
                .iter()
                .map(|value| self.one_of_many(value))
                .collect::<Result<_, _>>()
                .map(Label::Multi);
        }
        let index = index(value)?;
        let name = self.text("class-name").map(str::to_owned);
        let name = name.or_else(|| self.in_map("class-map", index)?.as_str().map(str::to_owned));
        Ok(Label::Single(Class {
            name: name.unwrap_or_else(|| index.to_string()),
            index,
            confidence: self.get("confidence").and_then(number),
        }))
    }

    fn one_of_many(&self, value: &Value) -> Result<Class, String> {
        let index = index(value)?;
        let name = self.in_map("class-map", index).and_then(Value::as_str);
        Ok(Class {
            name: name.map_or_else(|| index.to_string(), str::to_owned),
            index,
            confidence: self.in_map("confidence-map", index).and_then(number),
        })
    }

    fn in_map(&self, map: &str, index: u64) -> Option<&Value> {
        self.get(map)?.get(index.to_string())
    }
}

fn index(value: &Value) -> Result<u64, String> {
    let index = match value {
        Value::String(digits) => digits.trim().parse().ok(),
        // Some writers make every number a float.
        other => other.as_u64().or_else(|| {
            other
                .as_f64()
                .filter(|n| n.fract() == 0.0 && *n >= 0.0)
                .map(|n| n as u64)
        }),
    };
    index.ok_or_else(|| format!("`{value}` is no class of a classification job"))
}

fn number(value: &Value) -> Option<f64> {
    let number = value.as_f64().or_else(|| value.as_str()?.trim().parse().ok());
    number.filter(|number| number.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(json: &str) -> OutputLine {
        parse(json.as_bytes(), "a").unwrap_or_else(|e| panic!("{e}: {json}"))
    }

    fn class(name: &str, index: u64, confidence: impl Into<Option<f64>>) -> Class {
        Class {
            name: name.to_owned(),
            index,
            confidence: confidence.into(),
        }
    }

    #[test]
    fn a_single_label_is_read_as_the_service_writes_it() {
        let line = line(
            r#"{"source":"7","groundcrew":{"key":"n/7.txt","etag":"e","row":2},"a":1,"a-metadata":{"confidence":0.62,
            "job-name":"labeling-job/x","class-name":"Odd","human-annotated":"yes","creation-date":"2026-05-21T17:36:45.814354",
            "type":"groundtruth/text-classification"}}"#,
        );
        assert_eq!(line.label, Some(Label::Single(class("Odd", 1, 0.62))));
        assert_eq!(line.source, Source::Text("7".into()));
        assert_eq!((line.key(), line.row()), ("n/7.txt", Some(2)));
        assert!(line.human);
        assert_eq!(line.job.as_deref(), Some("labeling-job/x"));
        assert_eq!(line.created.as_deref(), Some("2026-05-21T17:36:45.814354"));
    }

    #[test]
    fn labels_are_read_in_every_spelling_of_the_guide() {
        for (value, metadata, name) in [
            ("0", r#"{"class-name":"dog"}"#, "dog"),
            (r#""0""#, r#"{"class-name":"dog"}"#, "dog"),
            ("0.0", r#"{"class_name":"dog"}"#, "dog"),
            ("0", r#"{"class-map":{"0":"dog"}}"#, "dog"),
            ("0", r#"{"class_map":{"0":"dog"}}"#, "dog"),
            ("0", "{}", "0"),
            ("0", "null", "0"),
        ] {
            let json = format!(r#"{{"source-ref":"s3://b/k","a":{value},"a-metadata":{metadata}}}"#);
            assert_eq!(
                line(&json).label,
                Some(Label::Single(class(name, 0, None))),
                "{json}"
            );
        }
        let underscores = r#"{"source":"x","a":0,"a-metadata":{"job_name":"j","creation_date":"d","human-annotated":"no"}}"#;
        let line = line(underscores);
        assert_eq!(
            (line.job.as_deref(), line.created.as_deref(), line.human),
            (Some("j"), Some("d"), false)
        );
    }

    #[test]
    fn several_labels_are_read_with_their_confidences() {
        let line = line(
            r#"{"source-ref":"s3://b/k.jpg","a":[1,"0",8],"a-metadata":{"class-map":{"1":"bicycle","0":"person"},
            "confidence-map":{"1":0.95,"0":"0.77"},"type":"groundtruth/image-classification-multilabel"}}"#,
        );
        let classes = vec![
            class("bicycle", 1, 0.95),
            class("person", 0, 0.77),
            class("8", 8, None),
        ];
        assert_eq!(line.label.as_ref().and_then(Label::confidence), Some(0.77));
        assert_eq!(line.label, Some(Label::Multi(classes)));
        assert_eq!(line.key(), "s3://b/k.jpg");
    }

    #[test]
    fn an_item_nothing_applies_to_is_labeled_and_one_without_the_attribute_is_not() {
        assert_eq!(
            line(r#"{"source":"x","a":[],"a-metadata":{}}"#).label,
            Some(Label::Multi(vec![]))
        );
        assert_eq!(line(r#"{"source":"x","other":1}"#).label, None);
        let failed = line(r#"{"source":"x","a-metadata":{"failure-reason":"expired"}}"#);
        assert_eq!((failed.label, failed.failure.as_deref()), (None, Some("expired")));
    }

    #[test]
    fn html_escapes_of_the_service_are_json_escapes() {
        let line =
            line(r#"{"source":"\u0026 it\u0027s \u003d","a":0,"a-metadata":{"class-name":"\u003c5"}}"#);
        assert_eq!(line.source, Source::Text("& it's =".into()));
        assert_eq!(line.label, Some(Label::Single(class("<5", 0, None))));
    }

    #[test]
    fn a_line_that_cannot_be_understood_says_which_and_why() {
        let manifest = b"{\"source\":\"x\",\"a\":0}\r\n\n{\"source\":\"x\",\"a\":{\"b\":1}}\n{}\nnot json\n";
        let found: Vec<_> = read(&manifest[..], "a").collect();
        let errors: Vec<String> = found
            .iter()
            .filter_map(|r| r.as_ref().err())
            .map(ToString::to_string)
            .collect();
        assert!(found[0].is_ok());
        assert_eq!(errors.len(), 3, "{errors:?}");
        for (error, part) in errors.iter().zip(["line 3 of", "line 4 of", "line 5 of"]) {
            assert!(error.contains(part), "{error}");
        }
    }
}
