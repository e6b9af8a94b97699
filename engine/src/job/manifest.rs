//! The input manifest: JSON Lines, one item in each, held as the bytes of the file and the offsets of the lines.

use bytes::Bytes;
use serde_json::{Map, Value};

use super::task::{Media, TaskType};
use crate::state::Counters;

/// "Input data quotas" of the developer guide: objects in a job.
const MAX_OBJECTS: usize = 100_000;
/// "Input manifest files" of the developer guide: characters of a line, and of one attribute's value.
const MAX_LINE: usize = 100_000;
const MAX_ATTRIBUTE: usize = 20_000;

#[derive(Clone, Debug)]
pub(crate) struct Manifest {
    bytes: Bytes,
    /// Start and end of each line that is not blank.
    spans: Vec<(u32, u32)>,
    /// Lines that had the label attribute already: they are passed through, not labelled again.
    labeled: Vec<bool>,
}

/// The members of one line.
pub(crate) type Line = Map<String, Value>;

impl Manifest {
    /// The message is a FailureReason: it names the line.
    pub(crate) fn read(task: TaskType, attribute: &str, bytes: Bytes) -> Result<Manifest, String> {
        if u32::try_from(bytes.len()).is_err() {
            return Err("it is larger than 4 GiB".into());
        }
        let mut manifest = Manifest {
            bytes,
            spans: Vec::new(),
            labeled: Vec::new(),
        };
        for (number, span) in lines(&manifest.bytes).enumerate() {
            let text = &manifest.bytes[span.0..span.1];
            if text.trim_ascii().is_empty() {
                continue;
            }
            if manifest.spans.len() == MAX_OBJECTS {
                return Err(format!(
                    "line {}: it has more than {MAX_OBJECTS} data objects, which is the most a job may have",
                    number + 1
                ));
            }
            let labeled =
                check(task, attribute, text).map_err(|why| format!("line {}: {why}", number + 1))?;
            manifest.spans.push((span.0 as u32, span.1 as u32));
            manifest.labeled.push(labeled);
        }
        match manifest.spans.len() {
            0 => Err("it has no data objects".into()),
            _ => Ok(manifest),
        }
    }

    pub(crate) fn len(&self) -> u32 {
        self.spans.len() as u32
    }

    /// The counters before any answer: those of the job until the engine has read its items.
    pub(crate) fn counters(&self) -> Counters {
        let labeled = self.labeled.iter().filter(|labeled| **labeled).count() as u32;
        Counters {
            total_labeled: labeled,
            unlabeled: self.len() - labeled,
            ..Counters::default()
        }
    }

    /// The text of a line, without its line break.
    pub(crate) fn text(&self, index: u32) -> &str {
        let (start, end) = self.spans.get(index as usize).copied().unwrap_or_default();
        std::str::from_utf8(&self.bytes[start as usize..end as usize])
            .unwrap_or_default()
            .trim()
    }

    pub(crate) fn line(&self, index: u32) -> Line {
        serde_json::from_str(self.text(index)).unwrap_or_default()
    }

    /// Whether the item had this label before the job: a job on the output of another one with the same label attribute does
    /// only the rest ("chaining" in the developer guide).
    pub(crate) fn is_labeled(&self, index: u32) -> bool {
        self.labeled.get(index as usize).copied().unwrap_or_default()
    }
}

/// `source` is the value itself, `source-ref` its address; `taskObject` is one of them.
pub(crate) fn task_object(line: &Line) -> &Value {
    line.get("source")
        .or_else(|| line.get("source-ref"))
        .unwrap_or(&Value::Null)
}

fn lines(bytes: &[u8]) -> impl Iterator<Item = (usize, usize)> + '_ {
    let mut start = 0;
    std::iter::from_fn(move || {
        (start < bytes.len()).then(|| {
            let end = bytes[start..]
                .iter()
                .position(|byte| *byte == b'\n')
                .map_or(bytes.len(), |at| start + at);
            let span = (start, end);
            start = end + 1;
            span
        })
    })
}

fn check(task: TaskType, attribute: &str, text: &[u8]) -> Result<bool, String> {
    let text = std::str::from_utf8(text).map_err(|_| "it is not UTF-8")?.trim();
    if text.len() > MAX_LINE && text.chars().count() > MAX_LINE {
        return Err(format!("it has more than {MAX_LINE} characters"));
    }
    let line: Line =
        serde_json::from_str(text).map_err(|error| format!("it is not a JSON object: {error}"))?;
    for (key, value) in &line {
        check_attribute(key, value)?;
    }
    check_source(task, &line)?;
    Ok(line.contains_key(attribute))
}

fn check_attribute(key: &str, value: &Value) -> Result<(), String> {
    if key.starts_with('$') {
        return Err(format!("its key {key:?} begins with \"$\""));
    }
    match value.as_str() {
        Some(text) if text.len() > MAX_ATTRIBUTE && text.chars().count() > MAX_ATTRIBUTE => Err(format!(
            "its attribute {key:?} has more than {MAX_ATTRIBUTE} characters"
        )),
        _ => Ok(()),
    }
}

fn check_source(task: TaskType, line: &Line) -> Result<(), String> {
    match (line.get("source"), line.get("source-ref")) {
        (Some(_), Some(_)) => Err("it has both \"source\" and \"source-ref\"".into()),
        (None, None) => Err("it has neither \"source\" nor \"source-ref\"".into()),
        (Some(_), None) if task.media() == Media::Image => {
            Err("an image task needs \"source-ref\", the S3 URI of the image".into())
        }
        (Some(source), None) if !source.is_string() => Err("its \"source\" is not a text".into()),
        (None, Some(place))
            if place
                .as_str()
                .is_none_or(|uri| crate::state::Address::parse(uri).is_none()) =>
        {
            Err("its \"source-ref\" is not an S3 URI".into())
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(task: TaskType, text: &str) -> Result<Manifest, String> {
        Manifest::read(task, "parity", Bytes::from(text.to_owned()))
    }

    #[test]
    fn lines_are_kept_unchanged() {
        let manifest = read(
            TaskType::TextMultiClass,
            "{\"source\":\"1\",\"n\":1.50}\r\n\n{\"source\":\"2\"}",
        )
        .unwrap();
        assert_eq!(manifest.len(), 2);
        assert_eq!(manifest.text(0), "{\"source\":\"1\",\"n\":1.50}");
        assert_eq!(manifest.line(1)["source"], "2");
    }

    #[test]
    fn a_line_with_the_label_is_already_labeled() {
        let manifest = read(
            TaskType::TextMultiClass,
            "{\"source\":\"1\",\"parity\":0}\n{\"source\":\"2\"}\n",
        )
        .unwrap();
        assert_eq!((manifest.is_labeled(0), manifest.is_labeled(1)), (true, false));
    }

    #[test]
    fn a_broken_line_is_named() {
        let long = format!("{{\"source\":\"{}\"}}", "x".repeat(20_001));
        for (line, why) in [
            ("{", "not a JSON object"),
            ("[1]", "not a JSON object"),
            ("{\"a\":1}", "neither"),
            ("{\"source\":1}", "not a text"),
            ("{\"source\":\"a\",\"source-ref\":\"s3://b/k\"}", "both"),
            ("{\"source-ref\":\"k\"}", "not an S3 URI"),
            ("{\"source\":\"a\",\"$b\":1}", "begins with"),
            (long.as_str(), "20000"),
        ] {
            let error = read(
                TaskType::TextMultiClass,
                &format!("{{\"source\":\"ok\"}}\n{line}\n"),
            )
            .unwrap_err();
            assert!(error.starts_with("line 2: ") && error.contains(why), "{error}");
        }
        assert!(
            read(TaskType::ImageMultiClass, "{\"source\":\"a\"}")
                .unwrap_err()
                .contains("image task")
        );
        assert!(
            Manifest::read(TaskType::TextMultiClass, "a", Bytes::from_static(b"\"\xff\""))
                .unwrap_err()
                .contains("UTF-8")
        );
        assert!(
            read(TaskType::TextMultiClass, "\n\n")
                .unwrap_err()
                .contains("no data objects")
        );
    }
}
