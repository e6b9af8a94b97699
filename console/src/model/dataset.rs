//! One dataset, as it is shown.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::status::{DatasetState, Reject};

use super::job::{Job, ObjectLink};
use super::tone::Tone;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dataset {
    pub name: String,
    /// `None` until build-manifest has read the dataset for the first time.
    pub state: Option<DatasetState>,
    pub tone: Tone,
    /// What it waits for, who has to act, or that it is done; then a line for everything else to know.
    pub message: String,
    /// When time alone may change something.
    pub check_at: Option<Timestamp>,
    pub task: Option<String>,
    pub title: Option<String>,
    pub team: Option<String>,
    /// Files that wait for a batch.
    pub pending_files: u64,
    /// Files that get into no batch, because the spec's limit is reached.
    pub left_out: u64,
    pub batches: u32,
    pub items: u64,
    /// Blank rows of its files, which are neither items nor rejected.
    pub blank_rows: u64,
    pub rejected: u64,
    pub rejected_first: Vec<Reject>,
    /// What to do about them, where something was rejected.
    pub rejected_advice: Option<String>,
    /// The whole list, where something was rejected.
    pub rejected_list: Option<ObjectLink>,
    /// Newest batch first.
    pub jobs: Vec<Job>,
}

impl Dataset {
    /// Whether any of its jobs still has items for workers.
    pub fn is_being_labelled(&self) -> bool {
        self.jobs.iter().any(|job| job.state.is_running())
    }
}
