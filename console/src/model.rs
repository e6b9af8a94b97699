//! How everything stands, in one value: what the console shows, what `groundcrew status` prints. Assembled without
//! I/O from facts that a [`crate::Reader`] collected.

mod assemble;
pub mod crew;
pub mod enough;
mod facts;
mod message;
mod people;

pub use assemble::assemble;
pub use facts::{Batch, CrewFacts, Facts, ListedJob};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::notice::NoticeKind;
use shared::port::{JobCounters, JobState};
use shared::status::{DatasetState, Rejected, WaitingReason};
use shared::summary::LabelCount;

/// Most notices a model carries, newest first.
pub const NOTICES: usize = 50;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Model {
    /// Those that need somebody first, each part by name.
    pub datasets: Vec<Dataset>,
    pub notices: Vec<NoticeView>,
    pub dead_letters: Vec<DeadLetters>,
    pub crew: crew::Crew,
    /// Keys of the input bucket that can be in no dataset, each with what to do about it.
    pub misplaced: Vec<String>,
    /// What could not be read this time; what is shown of it is from before.
    pub problems: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dataset {
    pub name: String,
    /// `None` until build-manifest has looked for the first time.
    pub state: Option<DatasetState>,
    pub tone: Tone,
    /// What it waits for, who is to act, or that it is done; a line for each thing there is to say.
    pub message: String,
    /// Time alone can change something then.
    pub check_at: Option<Timestamp>,
    pub task: Option<String>,
    pub title: Option<String>,
    pub team: Option<String>,
    /// Files that wait for a batch.
    pub pending_files: u64,
    /// Files that get into none, because the spec's limit is reached.
    pub left_out: u64,
    pub batches: u32,
    pub items: u64,
    /// Blank rows of its files, which are neither items nor rejected.
    pub blank_rows: u64,
    pub rejected: u64,
    pub rejected_first: Vec<Rejected>,
    /// The whole list, where something was rejected.
    pub rejected_list: Option<Link>,
    /// Newest batch first.
    pub jobs: Vec<Job>,
}

/// What a glance should tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tone {
    /// Goes on by itself.
    Waiting,
    /// Waits for workers.
    Working,
    Done,
    /// Somebody has to do something first.
    Attention,
}

/// A batch and its labeling job, from before the job exists.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Job {
    pub dataset: String,
    pub batch: u32,
    /// `None` as long as no labeling job exists.
    pub name: Option<String>,
    pub state: Phase,
    /// Why it waits or what failed, for people.
    pub reason: Option<String>,
    /// Items of the batch, as far as known.
    pub items: u64,
    pub counters: JobCounters,
    /// What each item asks for, as long as it is asked for. How many of the answers are there, no API tells.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub needs: Option<enough::Needs>,
    /// 0 to 1.
    pub progress: f64,
    pub created: Option<Timestamp>,
    pub modified: Option<Timestamp>,
    pub results: Vec<Link>,
    /// What came out, once the job is summarised.
    pub labels: Option<Labels>,
}

/// A job's summary, as far as a glance needs it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Labels {
    pub per_label: Vec<LabelCount>,
    /// Absent where one worker was asked.
    pub mean_confidence: Option<f64>,
}

/// Where a batch stands: the labeling service's states, and two from before there is a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// The batch is cut, its job is being asked for.
    Starting,
    /// The account's quota of running jobs is used up.
    WaitingForSlot,
    /// The labeling service does not take the request, or the name is another's.
    Refused,
    Initializing,
    InProgress,
    Completed,
    Failed,
    Stopping,
    Stopped,
}

/// An object of the output bucket to download.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    pub label: String,
    pub key: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NoticeView {
    pub id: String,
    pub at: Timestamp,
    pub kind: NoticeKind,
    /// Empty where it is about a team.
    pub dataset: String,
    pub team: Option<String>,
    pub subject: String,
    pub text: String,
}

/// What failed so often that it was put aside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetters {
    pub queue: String,
    /// Approximate, as SQS counts.
    pub count: u64,
    /// The first few, shortened.
    pub first: Vec<String>,
}

impl Dataset {
    /// Whether any of its jobs still has items for workers.
    pub fn is_being_labelled(&self) -> bool {
        self.jobs.iter().any(|job| job.state.is_running())
    }
}

impl Phase {
    pub fn is_running(self) -> bool {
        matches!(self, Self::Initializing | Self::InProgress | Self::Stopping)
    }

    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Stopped)
    }

    /// The word for it, as the page and the command both say it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::WaitingForSlot => "waiting for a slot",
            Self::Refused => "refused",
            Self::Initializing => "initializing",
            Self::InProgress => "in progress",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
        }
    }
}

impl From<JobState> for Phase {
    fn from(state: JobState) -> Self {
        match state {
            JobState::Initializing => Self::Initializing,
            JobState::InProgress => Self::InProgress,
            JobState::Completed => Self::Completed,
            JobState::Failed => Self::Failed,
            JobState::Stopping => Self::Stopping,
            JobState::Stopped => Self::Stopped,
        }
    }
}

impl From<WaitingReason> for Phase {
    fn from(reason: WaitingReason) -> Self {
        match reason {
            WaitingReason::Quota => Self::WaitingForSlot,
            WaitingReason::Refused | WaitingReason::NameTaken => Self::Refused,
        }
    }
}
