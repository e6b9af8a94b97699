//! People and their teams: the team file, and the two documents in which a person's place and a team's state lie.

mod person;
mod roster;

pub use person::{Invitation, Joined, Membership, Person};
pub use roster::{Member, MemberState, Roster, TeamProblem};

/// Own words for an invitation. `{organization}`, `{contact}`, `{team}`, `{portal}`, `{username}` and `{password}`
/// are filled in; the last two have to be there.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct InvitationText {
    /// At most 140 characters.
    pub subject: Option<String>,
    /// Markdown.
    pub text: Option<String>,
}
