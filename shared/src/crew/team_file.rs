//! `teams/<team>.yaml`: who is in a team. [`TeamFile::parse`] is the one place where the text becomes a [`TeamFile`];
//! after it nothing has to be checked again.

mod raw;
mod rule;

use super::{InvitationText, TeamProblem};
use crate::layout;
use crate::name::TeamName;
use crate::yaml::FileError;
use crate::yaml::read::Kind;

/// 10,000 addresses of a hundred characters.
pub const MAX_BYTES: usize = 1024 * 1024;
/// One team's people; more are several teams.
pub const MAX_WORKERS: usize = 10_000;

const KIND: Kind = Kind {
    what: "a team file",
    max_bytes: MAX_BYTES,
    // More than the addresses allowed, so that a list somewhat too long is told so.
    max_nodes: 100_000,
    begin: "organization: Example Lab",
};

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
    /// Entries of `workers` that are in nobody's way: the others are served.
    pub unusable: Vec<TeamProblem>,
}

/// One person of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Worker {
    /// [`layout::person_id`].
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
    /// Reads and checks a team file. An address that is none does not make the file unusable.
    pub fn parse(team: &TeamName, text: &[u8]) -> Result<Self, FileError> {
        let file = layout::team_file(team);
        let (source, raw) = crate::yaml::read::read(text, &file, &KIND)?;
        rule::check(&raw, team).map_err(|problem| problem.locate(&file, source))
    }

    /// JSON Schema of a team file, for editors. Rules between keys are checked by [`TeamFile::parse`] alone.
    pub fn json_schema() -> serde_json::Value {
        crate::yaml::schema::of::<raw::RawTeam>()
    }

    /// `None` for a team whose people sign in elsewhere.
    pub fn cognito(&self) -> Option<&CognitoTeam> {
        match &self.sign_in {
            SignIn::Cognito(team) => Some(team),
            SignIn::Oidc { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests;
