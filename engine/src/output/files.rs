//! Names and contents of the files beside the output manifest.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::item_result::ItemResult;
use super::line;
use crate::job::{JobSpec, task_object};
use crate::running_job::{RunningJob, WorkerAnswer, last_submission};
use crate::state::Address;

/// Items in one consolidation file.
const ITEMS_PER_FILE: usize = 1000;

/// `<S3OutputPath>/<LabelingJobName>/...`
pub(crate) struct Files {
    root: Address,
}

/// An address and the text to write there.
pub(super) type File = (Address, String);

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

    /// The name has colons, as Ground Truth's has.
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

fn zoned_time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

pub(super) fn raw_answers(job: &RunningJob, answers: &[WorkerAnswer]) -> String {
    let answers: Vec<Value> = answers
        .iter()
        .map(|answer| {
            let seconds = answer.submitted.duration_since(answer.accepted).as_millis() as f64 / 1000.0;
            json!({
                "acceptanceTime": zoned_time(answer.accepted),
                "submissionTime": zoned_time(answer.submitted),
                "timeSpentInSeconds": seconds,
                "answerContent": job.answers.write(&answer.annotation),
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

/// How many request files the consolidation has, and as many response files.
pub(super) fn consolidation_count(results: &[ItemResult]) -> usize {
    labeled_items(results).count().div_ceil(ITEMS_PER_FILE)
}

fn labeled_items(results: &[ItemResult]) -> impl Iterator<Item = (u32, &ItemResult)> {
    let is_labeled = |(_, result): &(usize, &ItemResult)| matches!(result, ItemResult::Labeled { .. });
    let all = results.iter().enumerate().filter(is_labeled);
    all.map(|(index, result)| (index as u32, result))
}

/// The nth request and response of the consolidation, in the form of an annotation-consolidation Lambda function.
pub(super) fn consolidation(job: &RunningJob, results: &[ItemResult], nth: usize) -> (File, File) {
    let files = Files::of(&job.spec);
    let chunk: Vec<(u32, &ItemResult)> = labeled_items(results)
        .skip(nth * ITEMS_PER_FILE)
        .take(ITEMS_PER_FILE)
        .collect();
    let answers: Vec<Vec<WorkerAnswer>> = chunk
        .iter()
        .map(|(index, _)| job.index().answers(*index))
        .collect();
    let at = answers
        .iter()
        .filter_map(|answers| last_submission(answers))
        .max()
        .unwrap_or(job.opened);
    let name = if nth == 0 {
        stamp(at)
    } else {
        format!("{}-{nth}", stamp(at))
    };
    let requests = chunk.iter().zip(&answers);
    let requests = requests.map(|((index, _), answers)| request(job, *index, answers));
    let responses = chunk.iter().map(|(index, result)| response(job, *index, result));
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

fn request(job: &RunningJob, index: u32, answers: &[WorkerAnswer]) -> Value {
    let line = job.manifest.line(index);
    let kind = if line.contains_key("source") {
        "content"
    } else {
        "s3Uri"
    };
    let annotations: Vec<Value> = answers
        .iter()
        .map(|answer| json!({"workerId": answer.person.id, "annotationData": {"content": job.answers.write(&answer.annotation).to_string()}}))
        .collect();
    json!({"datasetObjectId": index.to_string(), "dataObject": {kind: task_object(&line)}, "annotations": annotations})
}

fn response(job: &RunningJob, index: u32, result: &ItemResult) -> Value {
    let content = line::label_fields(job, result).unwrap_or_default();
    json!({"datasetObjectId": index.to_string(), "consolidatedAnnotation": {"content": content}})
}
