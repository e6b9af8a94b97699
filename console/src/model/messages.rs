//! What Groundcrew has published, and what failed.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::notice::NoticeKind;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NoticeView {
    pub id: String,
    pub at: Timestamp,
    pub kind: NoticeKind,
    /// Empty for a notice about a team.
    pub dataset: String,
    pub team: Option<String>,
    pub subject: String,
    pub text: String,
}

/// Messages that failed so often that a queue put them aside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetters {
    pub queue: String,
    /// Approximate, as SQS counts.
    pub count: u64,
    /// The first few, shortened.
    pub first: Vec<String>,
}
