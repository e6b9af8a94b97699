//! What a finished job gave, in numbers, made from its output manifest in one pass, and the report people read.

use std::collections::HashMap;
use std::fmt::Write;

use serde::{Deserialize, Serialize};

use crate::output::{Label, OutputLine};
use crate::port::JobState;
use crate::status::JobSummary;

/// Items listed by name: the least sure, and the changed.
const LISTED: usize = 20;

/// The labels of one job.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Labels {
    /// Items in the output.
    pub total: u64,
    pub labeled: u64,
    /// Without a label: expired, declined, or failed.
    pub unlabeled: u64,
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
    /// Files that were overwritten or deleted after they were batched: their labels belong to what was there before.
    #[serde(default)]
    pub changed_since_batch: u64,
    /// The first 20 of them.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub changed_first: Vec<String>,
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
    last_changed: Option<String>,
}

impl Tally {
    /// `names` are the spec's labels, so that one that nobody chose is there with 0.
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

    /// A file that is no longer what was batched. The rows of one file follow each other and count once.
    pub fn changed(&mut self, key: &str) {
        if self.last_changed.as_deref() == Some(key) {
            return;
        }
        self.last_changed = Some(key.to_owned());
        self.labels.changed_since_batch += 1;
        if self.labels.changed_first.len() < LISTED {
            self.labels.changed_first.push(key.to_owned());
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

/// `report.md`: the summary for people. `title` is the spec's.
pub fn report_markdown(summary: &JobSummary, title: Option<&str>) -> String {
    let mut report = String::new();
    // Writing to a String does not fail.
    let _ = write_report(&mut report, summary, title);
    report
}

fn write_report(out: &mut String, summary: &JobSummary, title: Option<&str>) -> std::fmt::Result {
    writeln!(out, "# {}, batch {}\n", code(&summary.dataset), summary.batch)?;
    if let Some(title) = title {
        writeln!(out, "{}\n", code(title))?;
    }
    writeln!(out, "| | |\n|---|---|")?;
    writeln!(out, "| Labeling job | {} |", code(&summary.job))?;
    writeln!(out, "| State | {} |", state(summary.state))?;
    if let Some(reason) = &summary.failure_reason {
        writeln!(out, "| Reason | {} |", code(reason))?;
    }
    writeln!(out, "| Label attribute | {} |", code(&summary.label_attribute))?;
    if let Some(uri) = &summary.output_manifest {
        writeln!(out, "| Output manifest | {} |", code(uri))?;
    }
    write_counts(out, &summary.labels)?;
    write_labels(out, &summary.labels)?;
    write_least_sure(out, &summary.labels)?;
    write_changed(out, &summary.labels)
}

fn state(state: JobState) -> &'static str {
    match state {
        JobState::Initializing => "Initializing",
        JobState::InProgress => "InProgress",
        JobState::Completed => "Completed",
        JobState::Failed => "Failed",
        JobState::Stopping => "Stopping",
        JobState::Stopped => "Stopped",
    }
}

fn write_counts(out: &mut String, labels: &Labels) -> std::fmt::Result {
    writeln!(out, "| Items | {} |", labels.total)?;
    writeln!(out, "| Labeled | {} |", labels.labeled)?;
    if labels.unlabeled > 0 {
        writeln!(out, "| Not labeled | {} |", labels.unlabeled)?;
    }
    let machine = labels.labeled - labels.human.min(labels.labeled);
    if machine > 0 {
        writeln!(out, "| Labeled by a model | {machine} |")?;
    }
    match labels.mean_confidence {
        Some(mean) => writeln!(out, "| Mean confidence | {mean:.2} |"),
        None => Ok(()),
    }
}

fn write_labels(out: &mut String, labels: &Labels) -> std::fmt::Result {
    writeln!(out, "\n## Labels\n\n| Label | Items | Share |\n|---|---:|---:|")?;
    for LabelCount { label, count } in &labels.per_label {
        let share = 100.0 * *count as f64 / labels.labeled.max(1) as f64;
        writeln!(out, "| {} | {count} | {share:.0} % |", code(label))?;
    }
    Ok(())
}

fn write_least_sure(out: &mut String, labels: &Labels) -> std::fmt::Result {
    if labels.low_confidence.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "\n## Least sure\n\nWorth a second look: the items whose workers agreed least.\n"
    )?;
    writeln!(out, "| Item | Row | Labels | Confidence |\n|---|---:|---|---:|")?;
    for LowConfidence {
        key,
        row,
        labels,
        confidence,
    } in &labels.low_confidence
    {
        let row = row.map(|row| row.to_string()).unwrap_or_default();
        let labels: Vec<String> = labels.iter().map(|label| code(label)).collect();
        writeln!(
            out,
            "| {} | {row} | {} | {confidence:.2} |",
            code(key),
            labels.join(", ")
        )?;
    }
    Ok(())
}

fn write_changed(out: &mut String, labels: &Labels) -> std::fmt::Result {
    if labels.changed_since_batch == 0 {
        return Ok(());
    }
    let files = labels.changed_since_batch;
    writeln!(
        out,
        "\n## Changed since the batch was cut\n\nTheir labels ({files} files) belong to what was there before.\n"
    )?;
    for key in &labels.changed_first {
        writeln!(out, "- {}", code(key))?;
    }
    match files - labels.changed_first.len() as u64 {
        0 => Ok(()),
        more => writeln!(out, "- and {more} more"),
    }
}

/// A code span that holds whatever a key or a label holds, also in a table cell.
fn code(text: &str) -> String {
    let visible: String = text
        .chars()
        .flat_map(|c| {
            if c.is_control() {
                c.escape_default().collect()
            } else {
                vec![c]
            }
        })
        .collect();
    let longest = visible.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let pad = if visible.starts_with('`') || visible.ends_with('`') {
        " "
    } else {
        ""
    };
    format!("{fence}{pad}{}{pad}{fence}", visible.replace('|', "\\|"))
}
