//! What a team has before its people are invited, or why it has nothing.

use jiff::Timestamp;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TeamSetup {
    Ready(TeamResources),
    /// An admin has to change something; what, in a sentence.
    Refused(String),
    /// A group or a work team of the name was made by others. An operator can hand it over to the team.
    Foreign(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TeamResources {
    pub(crate) portal_url: String,
    pub(crate) workteam_arn: String,
    pub(crate) topic_arn: Option<String>,
    /// When the team's own group was made; `None` for a team that signs in elsewhere.
    pub(crate) group: Option<Timestamp>,
    /// When the work team was made.
    pub(crate) work_team: Timestamp,
    /// ETag of the operator's document that handed one of them over.
    pub(crate) adopted: Option<String>,
}
