//! People and their teams: the team file, the words of an invitation, and the two documents in which a person's place
//! and a team's state lie.

mod address;
mod domains;
mod invitation;
mod networks;
mod ownership;
mod person;
mod roster;
mod team_file;

pub use domains::{AllowedDomains, DomainError};
pub use invitation::{InvitationText, Invite, Rendered, render};
pub use networks::{Network, NetworkError, Networks};
pub use ownership::{Ownership, group_description, made_group, made_group_before};
pub use person::{Invitation, Joined, Membership, Person};
pub use roster::{Member, MemberState, Roster, TeamProblem};
pub use team_file::{CognitoTeam, ImportedGroup, MAX_BYTES, MAX_WORKERS, SignIn, TeamFile, Worker};
