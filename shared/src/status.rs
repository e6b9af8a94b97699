//! The documents under `status/` and `jobs/` in which functions report the state of datasets and jobs. The console and the
//! command read them; no protocol depends on them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// `status/<dataset>.json`, written by build-manifest at the end of every reconcile in which something changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DatasetStatus {
    pub dataset: String,
    pub state: DatasetState,
    /// One sentence for people: what it waits for, or what is wrong and what to do.
    pub message: String,
    /// S3's clock at the reconcile.
    pub at: Timestamp,
    /// When looking again can change something, if time alone can: quiet period or max wait over.
    pub check_at: Option<Timestamp>,
    /// Task and title as the spec has them; absent without a valid spec.
    pub task: Option<String>,
    pub title: Option<String>,
    pub team: Option<String>,
    /// SHA-256 of the spec as it is in the input bucket.
    pub spec_sha256: Option<String>,
    /// Files not yet in any batch.
    pub pending_files: u64,
    /// Batches cut so far, and the items in them.
    pub batches: u32,
    pub items: u64,
    /// Rows of batched files that are no items: with the items they are all rows, headers aside.
    #[serde(skip_serializing_if = "RowsLeftOut::is_empty", default)]
    pub rows_left_out: RowsLeftOut,
    /// Files and rows that are in no batch and never will be as they are.
    pub rejected: u64,
    /// The first of them; all of them are in `results/<dataset>/rejected.jsonl`.
    pub rejected_first: Vec<Reject>,
    /// Files that are there and are not what a batch has of them: their labels are for what they held before.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub changed_since_batch: u64,
    /// Of these, files uploaded in another way, which may hold the same bytes.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub reuploaded_since_batch: u64,
    /// The first of these files.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub changed_first: Vec<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// How many rows of the files in a batch, or in all batches, are no items.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowsLeftOut {
    pub rejected: u64,
    /// Lines that are blank, and rows of a table without anything in them.
    pub blank: u64,
}

impl RowsLeftOut {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl std::ops::AddAssign for RowsLeftOut {
    fn add_assign(&mut self, more: Self) {
        self.rejected += more.rejected;
        self.blank += more.blank;
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DatasetState {
    /// Files are there, `labeling.yaml` is not.
    NoSpec,
    /// `labeling.yaml` cannot be used; `message` says where and why.
    BadSpec,
    /// Files arrive; waiting for the quiet period, an upload to finish, or the limit.
    Settling,
    /// What waits is cut on another day: the day's items (ItemsPerDay) are used up.
    DailyBound,
    /// Every eligible file is in a batch.
    UpToDate,
    /// The batches in the output bucket do not fit together (a gap): nothing more is cut until that is fixed.
    Halted,
}

/// One line of `results/<dataset>/rejected.jsonl`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reject {
    pub key: String,
    pub etag: String,
    /// 1-based row or line within the file, where only that is rejected.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub row: Option<u64>,
    /// Says what is wrong and what to do.
    pub reason: String,
}

/// `jobs/<dataset>/<n>/started`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartedJob {
    pub job: String,
    pub arn: String,
    pub dataset: String,
    pub batch: u32,
    pub spec_sha256: String,
}

/// `jobs/<dataset>/<n>/waiting.json`; out of date as soon as `started` is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitingBatch {
    pub job: String,
    pub reason: WaitingReason,
    pub message: String,
    pub since: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WaitingReason {
    /// The account's quota of running labeling jobs is used up; starts by itself.
    Quota,
    /// The day's jobs (JobsPerDay) are used up; starts by itself on the next day.
    DailyBound,
    /// The labeling service refuses the request; a person has to change something.
    Refused,
    /// A job of this name exists and is not this batch's.
    NameTaken,
}
