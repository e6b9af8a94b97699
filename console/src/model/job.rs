//! One batch and its labeling job, as they are shown.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::port::{JobCounters, JobState};
use shared::status::WaitingReason;
use shared::summary::LabelCount;

use super::team_size::StaffingNeeds;

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
    /// How many people each item needs, until the job has ended. No API says how many of the answers are there.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub needs: Option<StaffingNeeds>,
    /// 0 to 1.
    pub progress: f64,
    pub created: Option<Timestamp>,
    pub modified: Option<Timestamp>,
    pub results: Vec<ObjectLink>,
    /// The labels, once the job is summarised.
    pub labels: Option<LabelSummary>,
}

/// The part of a job's summary that is shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LabelSummary {
    pub per_label: Vec<LabelCount>,
    /// Absent where one worker labels each item.
    pub mean_confidence: Option<f64>,
}

/// The state of a batch: the labeling service's states, and two from before there is a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// The batch is cut, and its job is being created.
    Starting,
    /// The account's quota of running jobs is used up.
    WaitingForSlot,
    /// The day's jobs are used up.
    WaitingForNextDay,
    /// The labeling service refuses the request, or another job has the name.
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
pub struct ObjectLink {
    pub label: String,
    pub key: String,
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
            Self::WaitingForNextDay => "waiting for the next day",
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
            WaitingReason::DailyBound => Self::WaitingForNextDay,
            WaitingReason::Refused | WaitingReason::NameTaken => Self::Refused,
        }
    }
}
