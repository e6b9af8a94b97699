//! Notices about datasets and their jobs: one constructor for each thing that happens.

use std::borrow::Borrow;
use std::fmt::Write;

use serde_json::json;
use sha2::{Digest, Sha256};

use super::id::{cause_hash, id_part, short_hash};
use super::message::subject;
use super::model::{Notice, NoticeKind};
use crate::mail_text::{brief, indent, quote, safe, safe_lines, shorten};
use crate::name::{BatchNumber, DatasetName};
use crate::port::JobState;
use crate::shell;
use crate::spec::SpecError;
use crate::status::{Reject, WaitingReason};
use crate::summary::{JobSummary, LabelCount};

/// Rejected files and rows named in one notice.
pub(super) const NAMED: usize = 20;
/// Files of a notice that a command is given for.
const COMMANDS: usize = 5;
/// Where keys of the input bucket begin. A notice does not know the bucket's name.
const INPUT: &str = "s3://<input bucket>/";
const OUTPUT: &str = "s3://<output bucket>/";

/// Where to look further; what is not known is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Links {
    /// Of the folder with the report and the exports, e.g. an `s3://` URI.
    pub results: Option<String>,
    pub console: Option<String>,
    pub portal: Option<String>,
}

/// A batch whose job the labeling service will not take.
#[derive(Clone, Copy, Debug)]
pub struct JobRefusal<'a> {
    pub dataset: &'a DatasetName,
    pub batch: BatchNumber,
    /// The job's name.
    pub job: &'a str,
    pub reason: WaitingReason,
    /// In the service's words, or Groundcrew's.
    pub message: &'a str,
}

impl Notice {
    /// A job has come to its end, good or bad. Announced once per job and end state.
    pub fn job_finished(summary: &JobSummary, links: &Links) -> Self {
        let (dataset, batch, labels) = (&summary.dataset, summary.batch, &summary.labels);
        let (kind, state, happened) = match summary.state {
            JobState::Failed => (NoticeKind::JobFailed, "failed", "could not be labeled"),
            JobState::Stopping | JobState::Stopped => (NoticeKind::JobStopped, "stopped", "was stopped"),
            _ if labels.unlabeled > 0 => (
                NoticeKind::JobCompleted,
                "completed",
                "is done, but not all of it labeled",
            ),
            _ => (NoticeKind::JobCompleted, "completed", "is labeled"),
        };
        let counts = format!("{} of {} items", labels.labeled, labels.total);
        Self {
            id: format!("jobs/{}/{state}", id_part(&summary.job)),
            kind,
            dataset: dataset.clone(),
            team: None,
            subject: subject(&format!(
                "Groundcrew: {} batch {batch} {happened} ({counts})",
                brief(dataset)
            )),
            text: job_text(summary, happened, links),
            detail: json!({
                "summary": summary,
                "results": links.results,
                "console": links.console,
                "portal": links.portal,
            }),
        }
    }

    /// The dataset's `labeling.yaml` cannot be used. Announced once per content of the file.
    pub fn spec_rejected(dataset: &DatasetName, error: &SpecError, sha256: &str) -> Self {
        let mut text = format!(
            "Nothing of the dataset {} is labeled until its labeling.yaml is fixed.\n\n",
            quote(dataset.as_str())
        );
        let _ = writeln!(
            text,
            "{}\n\nUpload the fixed file to the same place; the rest goes by itself.",
            safe_lines(&error.to_string())
        );
        Self {
            id: format!("specs/{}/{}", dataset_hash(dataset), id_part(sha256)),
            kind: NoticeKind::SpecRejected,
            dataset: dataset.to_string(),
            team: None,
            subject: subject(&format!(
                "Groundcrew: labeling.yaml of {} cannot be used",
                brief(dataset.as_str())
            )),
            text,
            detail: json!({
                "spec_sha256": sha256,
                "line": error.line,
                "column": error.column,
                "message": error.message,
                "hint": error.hint,
            }),
        }
    }

    /// Files or rows that will not be labeled as they are. Announced once per set of them and their reasons.
    pub fn files_rejected(dataset: &DatasetName, rejected: &[impl Borrow<Reject>]) -> Self {
        let count = rejected.len();
        let what = if count == 1 {
            "1 file or row"
        } else {
            &format!("{count} files or rows")
        };
        let named: Vec<Reject> = rejected
            .iter()
            .take(NAMED)
            .map(|r| with_short_reason(r.borrow()))
            .collect();
        let all = crate::layout::rejects(dataset);
        Self {
            id: format!("rejected/{}/{}", dataset_hash(dataset), set_hash(rejected)),
            kind: NoticeKind::FilesRejected,
            dataset: dataset.to_string(),
            team: None,
            subject: subject(&format!(
                "Groundcrew: {} has {what} that cannot be labeled",
                brief(dataset.as_str())
            )),
            text: rejected_text(dataset, what, &named, rejected, &all),
            detail: json!({"count": count, "first": named, "all": all}),
        }
    }

    /// A batch that gets no job unless a person changes something. Announced once per job and cause.
    pub fn job_refused(refusal: JobRefusal<'_>) -> Self {
        let JobRefusal {
            dataset,
            batch,
            job,
            reason,
            message,
        } = refusal;
        let (word, what_to_do) = match reason {
            WaitingReason::Quota => ("quota", "It starts by itself as soon as a running job ends."),
            WaitingReason::DailyBound => ("daily-bound", "It starts by itself on the next day (UTC)."),
            WaitingReason::Refused => (
                "refused",
                "It is tried again at every sweep; fix the cause and it starts by itself.",
            ),
            WaitingReason::NameTaken => (
                "name-taken",
                "A job of this name exists and is not this batch's: find out who made it.",
            ),
        };
        let message = shorten(message, 4_000);
        let number = batch.get();
        Self {
            id: format!("jobs/{}/{word}/{}", id_part(job), cause_hash(&message)),
            kind: NoticeKind::JobRefused,
            dataset: dataset.to_string(),
            team: None,
            subject: subject(&format!(
                "Groundcrew: {} batch {number} has no labeling job ({word})",
                brief(dataset.as_str())
            )),
            text: format!(
                "Batch {number} of the dataset {} has no labeling job.\n\n  Job     {}\n  Reason:\n{}\n\n{what_to_do}\n",
                quote(dataset.as_str()),
                safe(job),
                indent(&message)
            ),
            detail: json!({"batch": number, "job": job, "reason": reason, "message": message}),
        }
    }

    /// The dataset's batches do not fit together, and nothing more is cut. Announced once per cause.
    pub fn dataset_halted(dataset: &DatasetName, reason: &str) -> Self {
        let reason = shorten(reason, 4_000);
        Self {
            id: format!(
                "halted/{}/{}",
                dataset_hash(dataset),
                short_hash(reason.as_bytes())
            ),
            kind: NoticeKind::DatasetHalted,
            dataset: dataset.to_string(),
            team: None,
            subject: subject(&format!("Groundcrew: {} is halted", brief(dataset.as_str()))),
            text: format!(
                "No new batch is cut from the dataset {} until this is fixed:\n\n{}\n\nJobs that run already go on.\n",
                quote(dataset.as_str()),
                indent(&reason)
            ),
            detail: json!({"reason": reason}),
        }
    }
}

fn job_text(summary: &JobSummary, happened: &str, links: &Links) -> String {
    let labels = &summary.labels;
    let mut text = format!(
        "Batch {} of the dataset {} {happened}.\n\n",
        summary.batch,
        quote(&summary.dataset)
    );
    let mut row = |name: &str, value: &str| {
        let _ = writeln!(text, "  {name:<18}{value}");
    };
    row("Labeled", &format!("{} of {}", labels.labeled, labels.total));
    if let Some(reason) = &summary.failure_reason {
        row("Reason", &safe(&shorten(reason, 4_000)));
    }
    if labels.unreadable > 0 {
        row(
            "Cannot be read",
            &match labels.unreadable {
                1 => "1 line of the output".to_owned(),
                count => format!("{count} lines of the output"),
            },
        );
    }
    if let Some(reason) = &labels.output_error {
        row(
            "Output",
            &format!("cannot be read: {}", safe(&shorten(reason, 1_000))),
        );
    }
    for LabelCount { label, count } in labels.per_label.iter().take(50) {
        row(&format!("  {}", shorten(&safe(label), 60)), &count.to_string());
    }
    if let Some(mean) = labels.mean_confidence {
        row("Mean confidence", &format!("{mean:.2}"));
    }
    if labels.changed_since_batch > 0 {
        row("Changed since", &changed_since(labels.changed_since_batch));
    }
    if labels.reuploaded_since_batch > 0 {
        row("Uploaded again", &reuploaded_since(labels.reuploaded_since_batch));
    }
    if labels.deleted_since_batch > 0 {
        row("Deleted since", &files(labels.deleted_since_batch));
    }
    row("Labeling job", &safe(&summary.job));
    // A folder is called as its dataset is: what is copied from here into a shell stays a name.
    let in_bucket = |place: &Option<String>| place.as_deref().map(shell::word);
    let places = [
        ("Output manifest", in_bucket(&summary.output_manifest)),
        ("Results", in_bucket(&links.results)),
        ("Console", links.console.clone()),
        ("Portal", links.portal.clone()),
    ];
    for (name, place) in places {
        if let Some(place) = place {
            row(name, &place);
        }
    }
    text
}

fn files(count: u64) -> String {
    match count {
        1 => "1 file".to_owned(),
        count => format!("{count} files"),
    }
}

fn changed_since(count: u64) -> String {
    let labels = if count == 1 {
        "its label is"
    } else {
        "their labels are"
    };
    format!("{}; {labels} of what was there before", files(count))
}

fn reuploaded_since(count: u64) -> String {
    format!(
        "{}, in parts or in one piece, unlike before: whether the bytes are others cannot be seen",
        files(count)
    )
}

fn rejected_text(
    dataset: &DatasetName,
    what: &str,
    named: &[Reject],
    rejected: &[impl Borrow<Reject>],
    all: &str,
) -> String {
    let mut text = format!(
        "{what} of the dataset {} cannot be labeled as they are:\n\n",
        quote(dataset.as_str())
    );
    for Reject { key, row, reason, .. } in named {
        let row = row.map(|row| format!(", row {row}")).unwrap_or_default();
        let _ = writeln!(text, "  {}{row}\n{}", quote(key), indent(reason));
    }
    if rejected.len() > named.len() {
        let _ = writeln!(text, "\n  and {} more.", rejected.len() - named.len());
    }
    let mut keys: Vec<&str> = named.iter().map(|rejected| rejected.key.as_str()).collect();
    keys.dedup();
    keys.truncate(COMMANDS);
    let _ = writeln!(
        text,
        "\nEverything else goes on. All of them are listed in the output bucket:\n\n    aws s3 cp {} -\n\n{}\n{}",
        shell::word(&format!("{OUTPUT}{all}")),
        reject_advice(rejected),
        deletion_commands("a file", keys)
    );
    text
}

/// What to do about rejects, with a line break where a sentence of a mail needs one. A file of which nothing is in a batch is
/// read again when it changes; one of which a part is in a batch is not.
pub fn reject_advice(rejected: &[impl Borrow<Reject>]) -> String {
    let (rows, files): (Vec<_>, Vec<_>) = rejected
        .iter()
        .map(Borrow::borrow)
        .partition(|rejected| rejected.row.is_some());
    let mut advice = String::new();
    if !files.is_empty() {
        advice.push_str("A file: fix it, and upload it to the same place.\n");
    }
    if !rows.is_empty() {
        advice.push_str(FIXED_ROWS);
    }
    advice
}

/// What becomes of fixed rows. Batches never change, and which rows of a changed file are those that were rejected cannot
/// be distinguished safely from its others: so the person who fixed them says which.
const FIXED_ROWS: &str = "\
    A row or line: put the fixed ones alone into a file of another name, with the\n\
    header if there is one. A file that is partly in a batch is not read again;\n\
    under another name the whole of it would be labeled twice.\n";

/// How to take files out. The reader knows which bucket it is; on one machine the drop folder is easily taken for it.
pub fn deletion_commands<'k>(what: &str, keys: impl IntoIterator<Item = &'k str>) -> String {
    let mut text = format!("To take {what} out, delete it from the bucket:\n\n");
    for key in keys {
        let place = shell::word(&format!("{INPUT}{key}"));
        let _ = writeln!(text, "    aws s3 rm {place}");
    }
    text + "\nDeleting it in a drop folder deletes nothing there."
}

fn with_short_reason(rejected: &Reject) -> Reject {
    Reject {
        reason: shorten(&rejected.reason, 500),
        ..rejected.clone()
    }
}

/// Of the set: neither order nor repetition matters. The same file for another reason is another thing to fix.
fn set_hash(rejected: &[impl Borrow<Reject>]) -> String {
    let parts = rejected.iter().map(|rejected| {
        let Reject {
            key,
            etag,
            row,
            reason,
        } = rejected.borrow();
        (key, etag, row, reason)
    });
    let mut parts: Vec<_> = parts.collect();
    parts.sort_unstable();
    parts.dedup();
    // One part at a time: there may be a hundred thousand.
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(json!(part).to_string());
    }
    hex::encode(&hash.finalize()[..10])
}

fn dataset_hash(dataset: &DatasetName) -> String {
    short_hash(dataset.as_str().as_bytes())
}
