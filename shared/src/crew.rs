//! People and their teams: the team file, the words of an invitation, and the two documents that hold a person's teams
//! and a team's state.

mod address;
mod domains;
mod invitation;
mod networks;
mod ownership;
mod person;
mod roster;
mod team_file;

pub use domains::{AllowedDomains, DomainError};
pub use invitation::{InvitationMail, InvitationText, InvitationValues, render};
pub use networks::{Network, NetworkError, Networks};
pub use ownership::{group_description, made_group, made_group_before};
pub use person::{Invitation, JoinMarker, Membership, Person};
pub use roster::{Member, MemberState, Ownership, Roster, TeamProblem};
pub use team_file::{CognitoTeam, ImportedGroup, MAX_BYTES, MAX_WORKERS, SignIn, TeamFile, Worker};
