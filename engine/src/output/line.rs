//! Lines of the output manifest: the input line with the label and its metadata added.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::item_result::ItemResult;
use super::label::label;
use crate::running_job::RunningJob;
use crate::state::Counters;

pub(super) fn manifest(job: &RunningJob, results: &[ItemResult]) -> String {
    let mut text = String::new();
    for (index, result) in results.iter().enumerate() {
        let line = job.manifest.text(index as u32);
        match label_fields(job, result) {
            Some(fields) => push_joined(&mut text, line, &fields, job),
            None => text.push_str(line),
        }
        text.push('\n');
    }
    without_line_breaks(text)
}

/// JSON lets U+0085, U+2028 and U+2029 stay unescaped; some readers split lines there.
fn without_line_breaks(text: String) -> String {
    if !text.contains(['\u{85}', '\u{2028}', '\u{2029}']) {
        return text;
    }
    text.replace('\u{85}', "\\u0085")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029")
}

/// The counters that a manifest shows, line by line.
pub(super) fn counters(job: &RunningJob, manifest: &[u8]) -> Counters {
    let (attribute, mut counters) = (&job.spec.attribute, Counters::default());
    let metadata = format!("{attribute}-metadata");
    for (index, line) in manifest.split(|byte| *byte == b'\n').enumerate() {
        let Ok(line) = serde_json::from_slice::<Map<String, Value>>(line) else {
            continue;
        };
        let has_failed = line
            .get(&metadata)
            .is_some_and(|metadata| metadata.get("failure-reason").is_some());
        match line.contains_key(attribute) {
            true => {
                counters.total_labeled += 1;
                counters.human_labeled += u32::from(!job.manifest.is_labeled(index as u32));
            }
            false if has_failed => counters.failed += 1,
            false => counters.unlabeled += 1,
        }
    }
    counters
}

/// `<attribute>` and `<attribute>-metadata`; `None` for an item without a result of this job. A failed item has no label, and
/// a reason in the metadata: readers that look for the label find none, readers that look for the reason find it.
pub(super) fn label_fields(job: &RunningJob, result: &ItemResult) -> Option<Map<String, Value>> {
    let attribute = &job.spec.attribute;
    let mut fields = Map::new();
    match result {
        ItemResult::PassedThrough | ItemResult::Unlabeled => return None,
        ItemResult::Labeled { annotation, at } => {
            let (label, mut metadata) = label(job, annotation)?;
            fields.insert(attribute.clone(), label);
            metadata.extend(common_metadata(job, *at));
            fields.insert(format!("{attribute}-metadata"), Value::Object(metadata));
        }
        ItemResult::Failed { reason, at } => {
            let mut metadata = Map::from_iter([("failure-reason".to_owned(), json!(reason))]);
            metadata.extend(common_metadata(job, *at));
            fields.insert(format!("{attribute}-metadata"), Value::Object(metadata));
        }
    }
    Some(fields)
}

/// The metadata that labels of every kind have.
fn common_metadata(job: &RunningJob, at: Timestamp) -> [(String, Value); 4] {
    [
        ("type".to_owned(), json!(job.spec.task.output_type())),
        ("job-name".to_owned(), json!(job.spec.job_name_in_output())),
        ("human-annotated".to_owned(), json!("yes")),
        ("creation-date".to_owned(), json!(creation_date(at))),
    ]
}

/// `2018-10-18T22:18:13.527256`: the dates in output manifests have no zone; they are UTC here.
fn creation_date(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.6f").to_string()
}

/// Adds fields to the text of a JSON object and leaves the rest as it is: numbers, spaces and order. Only the metadata of an
/// earlier job that left no label is replaced.
fn push_joined(text: &mut String, line: &str, fields: &Map<String, Value>, job: &RunningJob) {
    let metadata = format!("{}-metadata", job.spec.attribute);
    if line.contains(&format!("\"{metadata}\"")) {
        let mut all: Map<String, Value> = serde_json::from_str(line).unwrap_or_default();
        all.shift_remove(&metadata);
        all.extend(fields.clone());
        text.push_str(&Value::Object(all).to_string());
        return;
    }
    let fields = Value::Object(fields.clone()).to_string();
    let open = line.strip_suffix('}').unwrap_or(line);
    text.push_str(open);
    // Input lines have `source` or `source-ref`, so there is always a member before the comma.
    text.push(',');
    text.push_str(&fields[1..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_line_to_every_reader() {
        let line = "{\"source\":\"a\u{2028}b\u{85}c\u{2029}\"}\n";
        let expected = "{\"source\":\"a\\u2028b\\u0085c\\u2029\"}\n";
        assert_eq!(without_line_breaks(line.to_owned()), expected);
    }
}
