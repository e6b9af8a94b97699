//! `crew/<team>.json`: the state of a team, for the console, `groundcrew status` and the words of an invitation, and
//! the write-ahead list of everyone who was ever put into the team, so that no person taken out of the file is forgotten.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::invitation::InvitationText;
use crate::name::TeamName;

/// Changed by If-Match alone. Written before any_schema is done for its members, and again when it is done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Roster {
    pub team: String,
    /// ETag of the team file this was made from.
    pub file_etag: String,
    pub at: Timestamp,
    pub organization: String,
    pub contact: String,
    pub description: String,
    /// `https://…`, where the team's people sign in; empty until the team is there.
    pub portal_url: String,
    /// Empty until it is there.
    pub workteam_arn: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub topic_arn: Option<String>,
    /// The group and the work team that are the team's own; absent in documents of versions that did not write it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub owned: Option<Ownership>,
    /// Own words for the invitation, Markdown with placeholders.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub invitation: Option<InvitationText>,
    /// A group or a work team of this name was made by others: an operator can hand it over to the team.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub adoptable: bool,
    pub members: Vec<Member>,
    /// What is wrong, one sentence each with what to do; empty when all is well.
    pub problems: Vec<TeamProblem>,
    /// Everything in the file has been done, or is listed under `problems` or in a member's state.
    pub settled: bool,
}

/// The group and the work team of a team that are its own, by when they were made: one of the same name made at another
/// time is another one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ownership {
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub group: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub work_team: Option<Timestamp>,
    /// ETag of the operator's document that handed them over; it does so once.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub adopted: Option<String>,
}

impl Roster {
    /// Of a team that has none yet: it has no members and owns nothing.
    pub fn empty(team: &TeamName, at: Timestamp) -> Self {
        Self {
            team: team.to_string(),
            file_etag: String::new(),
            at,
            organization: String::new(),
            contact: String::new(),
            description: String::new(),
            portal_url: String::new(),
            workteam_arn: String::new(),
            topic_arn: None,
            owned: Some(Ownership::default()),
            invitation: None,
            adoptable: false,
            members: Vec::new(),
            problems: Vec::new(),
            settled: false,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TeamProblem {
    pub message: String,
    /// Line of the team file, from 1, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub line: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Last part of the key of the person's document.
    pub person: String,
    pub email: String,
    pub state: MemberState,
    /// When the state was entered.
    pub since: Timestamp,
    /// In worker responses, once known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sub: Option<String>,
    /// Invitations sent.
    #[serde(default)]
    pub invitations: u32,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub problem: Option<String>,
    /// Unreachable because an admin deleted the account; another team may have a new one made.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub account_deleted: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MemberState {
    /// In the file; nothing has been sent yet (the day's mail is used up, or it has not been this person's turn).
    Waiting,
    /// The invitation is on its way; the password is still the temporary one (FORCE_CHANGE_PASSWORD).
    Invited,
    /// The invitation has expired, and no more are sent.
    Expired,
    /// Has set a password (CONFIRMED) and is in the group.
    Joined,
    /// Cannot be reached; `problem` says why.
    Unreachable,
    /// Taken out of the file, still in the group.
    Leaving,
    /// Taken out of the file and of the group.
    Left,
}
