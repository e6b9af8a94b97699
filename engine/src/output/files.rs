//! Names and contents of the files beside the output manifest.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::decision::Decision;
use super::{completed, line};
use crate::job::{JobSpec, task_object};
use crate::state::Address;
use crate::work::{Answer, Running};

/// Objects in one consolidation file.
const CONSOLIDATED_TOGETHER: usize = 1000;

/// `<S3OutputPath>/<LabelingJobName>/...`
pub(crate) struct Files {
    root: Address,
}

/// Where, and what.
type File = (Address, String);

impl Files {
    pub(crate) fn of(spec: &JobSpec) -> Files {
        Files {
            root: Address::new(&spec.output.bucket, format!("{}{}/", spec.output.key, spec.name)),
        }
    }

    pub(crate) fn manifest(&self) -> Address {
        self.at("manifests/output/output.manifest")
    }

    pub(super) fn snapshot(&self) -> Address {
        self.at("annotations/intermediate/1/annotations.manifest")
    }

    pub(super) fn raw_folder(&self) -> Address {
        self.at("annotations/worker-response/iteration-1/")
    }

    /// The colons are Ground Truth's.
    pub(super) fn raw(&self, index: u32, at: Timestamp) -> Address {
        self.at(&format!(
            "annotations/worker-response/iteration-1/{index}/{}.json",
            stamp(at)
        ))
    }

    fn consolidation(&self, what: &str, name: &str) -> Address {
        self.at(&format!(
            "annotations/consolidated-annotation/consolidation-{what}/iteration-1/{name}.json"
        ))
    }

    fn at(&self, path: &str) -> Address {
        Address::new(&self.root.bucket, format!("{}{path}", self.root.key))
    }
}

fn stamp(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d_%H:%M:%S").to_string()
}

fn zoned(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

pub(super) fn raw_answers(answers: &[Answer]) -> String {
    let answers: Vec<Value> = answers
        .iter()
        .map(|answer| {
            let seconds = answer.submitted.duration_since(answer.accepted).as_millis() as f64 / 1000.0;
            json!({
                "acceptanceTime": zoned(answer.accepted),
                "submissionTime": zoned(answer.submitted),
                "timeSpentInSeconds": seconds,
                "answerContent": serde_json::from_str::<Value>(&answer.content).unwrap_or_default(),
                "workerId": answer.person.id,
                "workerMetadata": {"identityData": {
                    "identityProviderType": answer.person.provider.name(),
                    "issuer": answer.person.issuer,
                    "sub": answer.person.sub,
                }},
            })
        })
        .collect();
    json!({ "answers": answers }).to_string()
}

/// Requests and responses of the consolidation, as an annotation-consolidation Lambda function would see and give them.
pub(super) fn consolidation<'a>(
    job: &'a Running,
    decisions: &'a [Decision],
    files: &'a Files,
) -> impl Iterator<Item = (File, File)> + 'a {
    let labeled: Vec<(u32, &Decision)> = decisions
        .iter()
        .enumerate()
        .filter(|(_, decision)| matches!(decision, Decision::Labeled { .. }))
        .map(|(index, decision)| (index as u32, decision))
        .collect();
    let chunks = labeled.len().div_ceil(CONSOLIDATED_TOGETHER);
    (0..chunks).map(move |nth| {
        let chunk =
            &labeled[nth * CONSOLIDATED_TOGETHER..labeled.len().min((nth + 1) * CONSOLIDATED_TOGETHER)];
        let answers: Vec<Vec<Answer>> = chunk
            .iter()
            .map(|(index, _)| job.index().answers(*index))
            .collect();
        let at = answers
            .iter()
            .filter_map(|answers| completed(answers))
            .max()
            .unwrap_or(job.opened);
        let name = if nth == 0 {
            stamp(at)
        } else {
            format!("{}-{nth}", stamp(at))
        };
        let requests: Vec<Value> = chunk
            .iter()
            .zip(&answers)
            .map(|((index, _), answers)| request(job, *index, answers))
            .collect();
        let responses: Vec<Value> = chunk
            .iter()
            .map(|(index, decision)| response(job, *index, decision))
            .collect();
        (
            (
                files.consolidation("request", &name),
                Value::Array(requests).to_string(),
            ),
            (
                files.consolidation("response", &name),
                Value::Array(responses).to_string(),
            ),
        )
    })
}

fn request(job: &Running, index: u32, answers: &[Answer]) -> Value {
    let line = job.manifest.line(index);
    let kind = if line.contains_key("source") {
        "content"
    } else {
        "s3Uri"
    };
    let annotations: Vec<Value> = answers
        .iter()
        .map(|answer| json!({"workerId": answer.person.id, "annotationData": {"content": answer.content.as_ref()}}))
        .collect();
    json!({"datasetObjectId": index.to_string(), "dataObject": {kind: task_object(&line)}, "annotations": annotations})
}

fn response(job: &Running, index: u32, decision: &Decision) -> Value {
    let content = line::annotation(job, decision).unwrap_or_default();
    json!({"datasetObjectId": index.to_string(), "consolidatedAnnotation": {"content": content}})
}
