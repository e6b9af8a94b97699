//! What was read, before anything is made of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use shared::crew::Roster;
use shared::name::{BatchNumber, DatasetName};
use shared::notice::NoticeMarker;
use shared::port::{JobCounters, JobState};
use shared::status::{DatasetStatus, WaitingBatch};
use shared::summary::JobSummary;
use shared::summary::workers::Workers;

use super::messages::DeadLetters;
use super::team_size::StaffingNeeds;

/// Everything a model is made of.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Folders at the top of the input bucket, without the slash.
    pub folders: BTreeSet<String>,
    /// Keys at the top of the input bucket, in no folder.
    pub loose: Vec<String>,
    pub crew: CrewFacts,
    /// `status/<dataset>.json`
    pub statuses: BTreeMap<String, Arc<DatasetStatus>>,
    pub batches: BTreeMap<(DatasetName, BatchNumber), Batch>,
    pub jobs: Vec<ListedJob>,
    /// `results/<dataset>/<n>/summary.json`
    pub summaries: BTreeMap<(DatasetName, BatchNumber), Arc<JobSummary>>,
    /// Keys under `results/`.
    pub results: BTreeSet<String>,
    pub notices: Vec<Arc<NoticeMarker>>,
    pub dead_letters: Vec<DeadLetters>,
}

/// What is known of teams and people.
#[derive(Clone, Debug, Default)]
pub struct CrewFacts {
    /// ETags of `teams/<team>.yaml` by team.
    pub files: BTreeMap<String, String>,
    /// What is wrong with the names of the other files there.
    pub misnamed: Vec<String>,
    /// `crew/<team>.json`
    pub rosters: BTreeMap<String, Arc<Roster>>,
    /// By team and person: when the marker under `joined/` was made.
    pub joined: BTreeMap<String, BTreeMap<String, Timestamp>>,
    /// Markers of people who are in no team file.
    pub unlisted: u64,
    /// `results/<dataset>/<n>/workers.json`
    pub work: Vec<Arc<Workers>>,
    /// Work teams the labeling service knows, by name: whether only people of the team file can be in one.
    pub work_teams: BTreeMap<String, bool>,
}

/// What is known of a batch besides its job.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// From the manifest's metadata.
    pub items: Option<u64>,
    pub waiting: Option<Arc<WaitingBatch>>,
    /// `jobs/<dataset>/<n>/started` is there.
    pub started: bool,
    /// Known as long as its job has not ended.
    pub needs: Option<StaffingNeeds>,
}

/// One line of ListLabelingJobs, as far as it is shown.
#[derive(Clone, Debug, PartialEq)]
pub struct ListedJob {
    pub name: String,
    /// The batch it labels, from the manifest it was given.
    pub batch: (DatasetName, BatchNumber),
    pub state: JobState,
    pub failure_reason: Option<String>,
    pub output_manifest_uri: Option<String>,
    pub created: Timestamp,
    pub modified: Timestamp,
    pub counters: JobCounters,
}
