//! A notice, and the marker that says it has been published.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One thing that people are notified of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    /// Stable: the same cause always has the same id, so that a subscriber can drop a repetition. Also the last
    /// part of the marker's key: `[a-z0-9./-]`, at most 512 bytes.
    pub id: String,
    pub kind: NoticeKind,
    /// Empty where it is about a team.
    pub dataset: String,
    /// The team it is about.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub team: Option<String>,
    /// At most 100 ASCII characters, no line break: SNS's limit for an e-mail subject.
    pub subject: String,
    /// Plain text for people, lines of at most 78 characters where the content allows.
    pub text: String,
    /// For programs; goes out as the `default` (JSON) form.
    pub detail: serde_json::Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NoticeKind {
    JobCompleted,
    JobFailed,
    JobStopped,
    JobRefused,
    SpecRejected,
    FilesRejected,
    DatasetHalted,
    /// The day's items or jobs are used up.
    DailyBound,
    /// The team file cannot be used at all.
    TeamRejected,
    /// Addresses or groups in it that cannot be served; the others are.
    TeamProblems,
    /// The workforce or the work team cannot be made as it is.
    TeamRefused,
    WorkerJoined,
    /// A person on no list has signed up or signed in.
    WorkerUnlisted,
    /// The notices beyond the number that are published one by one in an hour.
    Digest,
}

/// The marker under `notified/`: the notice, and when it went out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NoticeMarker {
    pub at: Timestamp,
    #[serde(flatten)]
    pub notice: Notice,
}

impl NoticeKind {
    /// As in the JSON form and in filter policies.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::JobCompleted => "job-completed",
            Self::JobFailed => "job-failed",
            Self::JobStopped => "job-stopped",
            Self::JobRefused => "job-refused",
            Self::SpecRejected => "spec-rejected",
            Self::FilesRejected => "files-rejected",
            Self::DatasetHalted => "dataset-halted",
            Self::DailyBound => "daily-bound",
            Self::TeamRejected => "team-rejected",
            Self::TeamProblems => "team-problems",
            Self::TeamRefused => "team-refused",
            Self::WorkerJoined => "worker-joined",
            Self::WorkerUnlisted => "worker-unlisted",
            Self::Digest => "digest",
        }
    }
}
