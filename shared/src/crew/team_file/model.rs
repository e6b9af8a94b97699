//! What a checked team file says.

use crate::crew::{InvitationText, TeamProblem};

/// One team's people; more are several teams.
pub const MAX_WORKERS: usize = 10_000;

/// A checked team file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TeamFile {
    pub organization: String,
    pub contact: String,
    /// 1 to 200 characters.
    pub description: String,
    /// CIDR blocks; empty: none asked for.
    pub networks: Vec<String>,
    pub sign_in: SignIn,
}

/// Whose accounts the team's people have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignIn {
    Cognito(CognitoTeam),
    /// An OpenID Connect provider's.
    Oidc {
        issuer: String,
        groups: Vec<String>,
    },
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CognitoTeam {
    /// Each person once.
    pub workers: Vec<Worker>,
    /// Beside the team's own.
    pub groups: Vec<ImportedGroup>,
    pub notify_workers: bool,
    pub invitation: Option<InvitationText>,
    /// Entries of `workers` that cannot be served; the others are.
    pub unusable: Vec<TeamProblem>,
}

/// One person of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Worker {
    /// [`crate::layout::person_id`].
    pub person: String,
    /// As written, trimmed.
    pub email: String,
    pub line: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportedGroup {
    pub name: String,
    pub line: u64,
}

impl TeamFile {
    /// `None` for a team whose people sign in elsewhere.
    pub fn cognito(&self) -> Option<&CognitoTeam> {
        match &self.sign_in {
            SignIn::Cognito(team) => Some(team),
            SignIn::Oidc { .. } => None,
        }
    }
}
