//! `teams/<team>.yaml`: who is in a team. [`TeamFile::parse`] is the one place where the text becomes a [`TeamFile`];
//! after it nothing has to be checked again.

mod model;
mod raw;
mod rule;

pub use self::model::{CognitoTeam, ImportedGroup, MAX_WORKERS, SignIn, TeamFile, Worker};
use crate::layout;
use crate::name::TeamName;
use crate::yaml::FileError;
use crate::yaml::read::Kind;

/// 10,000 addresses of a hundred characters.
pub const MAX_BYTES: usize = 1024 * 1024;

const KIND: Kind = Kind {
    what: "a team file",
    max_bytes: MAX_BYTES,
    // More than the addresses allowed, so that a list somewhat too long gets the error that says so.
    max_nodes: 100_000,
    begin: "organization: Example Lab",
};

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
}

#[cfg(test)]
mod tests;
