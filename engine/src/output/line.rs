//! Lines of the output manifest: the input line with the label and its metadata added.

use serde_json::{Map, Value, json};

use super::creation_date;
use super::decision::Decision;
use crate::consolidate::Verdict;
use crate::job::Choice;
use crate::state::Counters;
use crate::work::Running;

pub(super) fn manifest(job: &Running, decisions: &[Decision]) -> String {
    let mut text = String::new();
    for (index, decision) in decisions.iter().enumerate() {
        let line = job.manifest.text(index as u32);
        match annotation(job, decision) {
            Some(annotation) => push_joined(&mut text, line, &annotation, job),
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

/// What a manifest that was written before says, line by line.
pub(super) fn counters(job: &Running, manifest: &[u8]) -> Counters {
    let (attribute, mut counters) = (&job.spec.attribute, Counters::default());
    let metadata = format!("{attribute}-metadata");
    for (index, line) in manifest.split(|byte| *byte == b'\n').enumerate() {
        let Ok(line) = serde_json::from_slice::<Map<String, Value>>(line) else {
            continue;
        };
        let has_failed = line
            .get(&metadata)
            .is_some_and(|said| said.get("failure-reason").is_some());
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

/// `<attribute>` and `<attribute>-metadata`; `None` if there is nothing to say. A failed object has no label and says in
/// the metadata why: readers that look for the label find none, readers that look for the reason find it.
pub(super) fn annotation(job: &Running, decision: &Decision) -> Option<Map<String, Value>> {
    let attribute = &job.spec.attribute;
    let mut fields = Map::new();
    match decision {
        Decision::PassedThrough | Decision::Unlabeled => return None,
        Decision::Labeled { verdicts, at } => {
            let (label, mut metadata) = match job.spec.task.choice() {
                Choice::One => single(job, verdicts.first()?),
                Choice::Several => several(job, verdicts),
            };
            fields.insert(attribute.clone(), label);
            metadata.extend(common(job, &creation_date(*at)));
            fields.insert(format!("{attribute}-metadata"), Value::Object(metadata));
        }
        Decision::Failed { reason, at } => {
            let mut metadata = Map::from_iter([("failure-reason".to_owned(), json!(reason))]);
            metadata.extend(common(job, &creation_date(*at)));
            fields.insert(format!("{attribute}-metadata"), Value::Object(metadata));
        }
    }
    Some(fields)
}

fn single(job: &Running, verdict: &Verdict) -> (Value, Map<String, Value>) {
    let metadata = Map::from_iter([
        ("class-name".to_owned(), json!(job.categories.name(verdict.class))),
        ("confidence".to_owned(), json!(verdict.confidence)),
    ]);
    (json!(verdict.class), metadata)
}

fn several(job: &Running, verdicts: &[Verdict]) -> (Value, Map<String, Value>) {
    let classes: Vec<u16> = verdicts.iter().map(|verdict| verdict.class).collect();
    let names: Map<String, Value> = verdicts
        .iter()
        .map(|v| (v.class.to_string(), json!(job.categories.name(v.class))))
        .collect();
    let confidence: Map<String, Value> = verdicts
        .iter()
        .map(|v| (v.class.to_string(), json!(v.confidence)))
        .collect();
    let metadata = Map::from_iter([
        ("class-map".to_owned(), Value::Object(names)),
        ("confidence-map".to_owned(), Value::Object(confidence)),
    ]);
    (json!(classes), metadata)
}

fn common(job: &Running, creation_date: &str) -> [(String, Value); 4] {
    [
        ("type".to_owned(), json!(job.spec.task.output_type())),
        ("job-name".to_owned(), json!(job.spec.job_name_in_output())),
        ("human-annotated".to_owned(), json!("yes")),
        ("creation-date".to_owned(), json!(creation_date)),
    ]
}

/// Adds fields to the text of a JSON object without touching what is there: numbers, spaces and order stay as they came.
/// Only where an earlier job left its metadata without a label must that give way.
fn push_joined(text: &mut String, line: &str, fields: &Map<String, Value>, job: &Running) {
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
    // Input lines have `source` or `source-ref`, so there is always something before the comma.
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
