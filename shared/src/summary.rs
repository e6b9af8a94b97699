//! What a finished job gave, in numbers, made from its output manifest in one pass, and the report people read.

mod report;
pub mod workers;

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::change::Change;
use crate::output::{Label, OutputLine};
use crate::port::{JobCounters, JobState};
use crate::status::RowsLeftOut;
pub use report::report_markdown;

/// Items listed by name: the least sure, and the changed.
const LISTED: usize = 20;

/// `results/<dataset>/<n>/summary.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JobSummary {
    pub dataset: String,
    pub batch: u32,
    pub job: String,
    pub arn: String,
    pub state: JobState,
    pub failure_reason: Option<String>,
    pub label_attribute: String,
    pub output_manifest: Option<String>,
    #[serde(flatten)]
    pub labels: Labels,
}

/// The labels of one job.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Labels {
    /// Items in the output.
    pub total: u64,
    pub labeled: u64,
    /// Without a label: expired, declined, or failed.
    pub unlabeled: u64,
    /// Of `unlabeled`, lines of the output that cannot be understood.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub unreadable: u64,
    /// Why the output could not be read at all; the counts are then the labeling service's own.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub output_error: Option<String>,
    /// Labeled by people; the rest of `labeled` by a model.
    pub human: u64,
    /// In the spec's order; an item of a multi-label job counts for each of its labels.
    pub per_label: Vec<LabelCount>,
    /// Over items with a confidence; absent where one worker was asked (the service writes 0 then).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub mean_confidence: Option<f64>,
    /// The least sure items first, at most 20.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub low_confidence: Vec<LowConfidence>,
    /// Rows of the batch's files that are no items: with `total` they are all rows, headers aside.
    #[serde(skip_serializing_if = "RowsLeftOut::is_empty", default)]
    pub rows_left_out: RowsLeftOut,
    /// Files that are not what was batched: their labels belong to what was there before.
    #[serde(default)]
    pub changed_since_batch: u64,
    /// Files uploaded again in another way, in parts or in one piece: whether they changed cannot be seen.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub reuploaded_since_batch: u64,
    /// Files that are there no more.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub deleted_since_batch: u64,
    /// The first 20 of them.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub changed_first: Vec<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelCount {
    pub label: String,
    pub count: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LowConfidence {
    pub key: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub row: Option<u64>,
    pub labels: Vec<String>,
    pub confidence: f64,
}

/// Adds up an output manifest line by line; memory does not grow with the items.
#[derive(Debug, Default)]
pub struct Tally {
    labels: Labels,
    positions: HashMap<String, usize>,
    confidence_sum: f64,
    confidence_count: u64,
}

impl Tally {
    /// `names` are the spec's labels, so that a label no worker chose is there with 0.
    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut tally = Self::default();
        for name in names {
            tally.position(name);
        }
        tally
    }

    pub fn add(&mut self, line: &OutputLine) {
        self.labels.total += 1;
        let Some(label) = &line.label else {
            self.labels.unlabeled += 1;
            return;
        };
        self.labels.labeled += 1;
        self.labels.human += u64::from(line.human);
        for class in label.classes() {
            let position = self.position(&class.name);
            self.labels.per_label[position].count += 1;
        }
        if let Some(confidence) = label.confidence() {
            self.confidence_sum += confidence;
            self.confidence_count += 1;
            self.keep_least_sure(line, label, confidence);
        }
    }

    /// A line that cannot be understood: an item all the same.
    pub fn add_unreadable(&mut self) {
        self.labels.total += 1;
        self.labels.unlabeled += 1;
        self.labels.unreadable += 1;
    }

    /// The output cannot be read. Labels there may be, but none to be had.
    pub fn set_output_error(&mut self, reason: String) {
        self.labels.output_error = Some(reason);
    }

    /// What the labeling service has counted, for a job that has no output to count.
    pub fn set_counters(&mut self, counters: &JobCounters) {
        if self.labels.total > 0 {
            return;
        }
        self.labels.labeled = counters.total_labeled;
        self.labels.human = counters.human_labeled;
        self.labels.unlabeled = counters.failed + counters.unlabeled;
        self.labels.total = self.labels.labeled + self.labels.unlabeled;
    }

    /// What the batch's files held beside its items.
    pub fn set_rows_left_out(&mut self, rows: RowsLeftOut) {
        self.labels.rows_left_out = rows;
    }

    /// What a file of the batch is by now; each is asked for once.
    pub fn compare(&mut self, key: &str, batched: &str, now: Option<&str>) {
        let labels = &mut self.labels;
        match now.map(|now| Change::between(batched, now)) {
            Some(Change::Same) => {}
            Some(Change::Changed) => {
                labels.changed_since_batch += 1;
                if labels.changed_first.len() < LISTED {
                    labels.changed_first.push(key.to_owned());
                }
            }
            Some(Change::Unclear) => labels.reuploaded_since_batch += 1,
            None => labels.deleted_since_batch += 1,
        }
    }

    pub fn finish(mut self) -> Labels {
        // With one worker the service writes 0 for every item, which says nothing of any of them.
        if self.confidence_sum > 0.0 {
            self.labels.mean_confidence = Some(self.confidence_sum / self.confidence_count as f64);
        } else {
            self.labels.low_confidence.clear();
        }
        self.labels
    }

    fn position(&mut self, name: &str) -> usize {
        if let Some(&position) = self.positions.get(name) {
            return position;
        }
        let position = self.labels.per_label.len();
        self.labels.per_label.push(LabelCount {
            label: name.to_owned(),
            count: 0,
        });
        self.positions.insert(name.to_owned(), position);
        position
    }

    fn keep_least_sure(&mut self, line: &OutputLine, label: &Label, confidence: f64) {
        let least = &mut self.labels.low_confidence;
        let at = least.partition_point(|kept| kept.confidence <= confidence);
        if at == LISTED {
            return;
        }
        let labels = label.classes().iter().map(|class| class.name.clone()).collect();
        least.insert(
            at,
            LowConfidence {
                key: line.key().to_owned(),
                row: line.row(),
                labels,
                confidence,
            },
        );
        least.truncate(LISTED);
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::port::JobState;

    pub(crate) fn line(key: &str, label: &str, confidence: f64) -> OutputLine {
        let line = serde_json::json!({
            "source": "t",
            "groundcrew": {"key": key, "etag": "e"},
            "a": 0,
            "a-metadata": {"class-name": label, "confidence": confidence, "human-annotated": "yes"},
        });
        crate::output::parse(line.to_string().as_bytes(), "a").unwrap()
    }

    pub(crate) fn summary(labels: Labels) -> JobSummary {
        JobSummary {
            dataset: "my | num`bers".into(),
            batch: 3,
            job: "gc00-numbers-000003".into(),
            arn: "arn".into(),
            state: JobState::Completed,
            failure_reason: None,
            label_attribute: "parity".into(),
            output_manifest: Some("s3://out/labels/x/manifests/output/output.manifest".into()),
            labels,
        }
    }

    #[test]
    fn labels_are_counted_in_the_specs_order_and_unused_ones_are_there() {
        let mut tally = Tally::new(["Even", "Odd", "Neither"]);
        tally.add(&line("a", "Odd", 0.9));
        tally.add(&line("b", "Odd", 0.7));
        tally.add(&line("c", "Surprise", 0.8));
        tally.add(&OutputLine {
            label: None,
            ..line("d", "Odd", 0.0)
        });
        let labels = tally.finish();
        assert_eq!(
            (labels.total, labels.labeled, labels.unlabeled, labels.human),
            (4, 3, 1, 3)
        );
        let counts: Vec<_> = labels
            .per_label
            .iter()
            .map(|l| (l.label.as_str(), l.count))
            .collect();
        assert_eq!(counts, [("Even", 0), ("Odd", 2), ("Neither", 0), ("Surprise", 1)]);
        assert!((labels.mean_confidence.unwrap() - 0.8).abs() < 1e-9);
        let least: Vec<_> = labels.low_confidence.iter().map(|l| l.key.as_str()).collect();
        assert_eq!(least, ["b", "c", "a"]);
    }

    #[test]
    fn the_twenty_least_sure_of_many_are_kept() {
        let mut tally = Tally::new([]);
        for i in 0..1000_u32 {
            let confidence = f64::from((i * 7919) % 1000) / 1000.0;
            tally.add(&line(&format!("{confidence}"), "x", confidence));
        }
        let kept: Vec<f64> = tally
            .finish()
            .low_confidence
            .iter()
            .map(|l| l.confidence)
            .collect();
        let expected: Vec<f64> = (0..20).map(|i| f64::from(i) / 1000.0).collect();
        assert_eq!(kept, expected);
    }

    #[test]
    fn the_zero_confidence_of_a_single_worker_says_nothing() {
        let mut tally = Tally::new(["x"]);
        tally.add(&line("a", "x", 0.0));
        let labels = tally.finish();
        assert_eq!((labels.mean_confidence, labels.low_confidence.len()), (None, 0));
    }

    #[test]
    fn a_file_is_the_same_another_unclear_or_gone() {
        let mut tally = Tally::new([]);
        for (key, batched, now) in [
            ("same", "a", Some("a")),
            ("other", "a", Some("b")),
            ("in parts", "a", Some("c-2")),
            ("gone", "a", None),
        ] {
            tally.compare(key, batched, now);
        }
        let labels = tally.finish();
        assert_eq!(labels.changed_first, ["other"]);
        assert_eq!(
            (
                labels.changed_since_batch,
                labels.reuploaded_since_batch,
                labels.deleted_since_batch
            ),
            (1, 1, 1)
        );
    }

    #[test]
    fn a_summary_reads_back_as_it_was_written() {
        let mut tally = Tally::new(["Even"]);
        tally.add(&line("a", "Even", 0.5));
        let summary = summary(tally.finish());
        let json = serde_json::to_string(&summary).unwrap();
        assert_eq!(serde_json::from_str::<JobSummary>(&json).unwrap(), summary);
    }
}
