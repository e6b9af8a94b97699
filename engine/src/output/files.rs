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

    pub(crate) fn raw_folder(&self) -> Address {
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

pub(super) fn raw_answers(job: &Running, answers: &[Answer]) -> String {
    let answers: Vec<Value> = answers
        .iter()
        .map(|answer| {
            let seconds = answer.submitted.duration_since(answer.accepted).as_millis() as f64 / 1000.0;
            json!({
                "acceptanceTime": zoned(answer.accepted),
                "submissionTime": zoned(answer.submitted),
                "timeSpentInSeconds": seconds,
                "answerContent": job.answers.content(&answer.classes),
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

/// How many files the consolidation has, of either kind.
pub(super) fn consolidations(decisions: &[Decision]) -> usize {
    labeled(decisions).count().div_ceil(CONSOLIDATED_TOGETHER)
}

fn labeled(decisions: &[Decision]) -> impl Iterator<Item = (u32, &Decision)> {
    let labeled = |(_, decision): &(usize, &Decision)| matches!(decision, Decision::Labeled { .. });
    let all = decisions.iter().enumerate().filter(labeled);
    all.map(|(index, decision)| (index as u32, decision))
}

/// Requests and responses of the consolidation, as an annotation-consolidation Lambda function would see and give them.
pub(super) fn consolidation(job: &Running, decisions: &[Decision], nth: usize) -> (File, File) {
    let files = Files::of(&job.spec);
    let chunk: Vec<(u32, &Decision)> = labeled(decisions)
        .skip(nth * CONSOLIDATED_TOGETHER)
        .take(CONSOLIDATED_TOGETHER)
        .collect();
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
    let requests = chunk.iter().zip(&answers);
    let requests = requests.map(|((index, _), answers)| request(job, *index, answers));
    let responses = chunk
        .iter()
        .map(|(index, decision)| response(job, *index, decision));
    (
        (
            files.consolidation("request", &name),
            Value::Array(requests.collect()).to_string(),
        ),
        (
            files.consolidation("response", &name),
            Value::Array(responses.collect()).to_string(),
        ),
    )
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
        .map(|answer| json!({"workerId": answer.person.id, "annotationData": {"content": job.answers.content(&answer.classes).to_string()}}))
        .collect();
    json!({"datasetObjectId": index.to_string(), "dataObject": {kind: task_object(&line)}, "annotations": annotations})
}

fn response(job: &Running, index: u32, decision: &Decision) -> Value {
    let content = line::annotation(job, decision).unwrap_or_default();
    json!({"datasetObjectId": index.to_string(), "consolidatedAnnotation": {"content": content}})
}
