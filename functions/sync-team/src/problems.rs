//! What an admin has to know about a team: one notice for each cause.

use std::collections::BTreeMap;

use shared::crew::{MemberState, Roster, TeamFile, TeamProblem};
use shared::name::TeamName;
use shared::notice::{Notice, TeamCause};
use shared::yaml::FileError;

use crate::error::SyncError;
use crate::ports::Ports;
use crate::run::Run;
use crate::setup::outcome::TeamSetup;

#[derive(Debug, Default)]
pub(crate) struct Problems(BTreeMap<TeamCause, Vec<TeamProblem>>);

impl Problems {
    /// Those of the file itself.
    pub(crate) fn of(file: &TeamFile) -> Self {
        let unusable = file
            .cognito()
            .map(|team| team.unusable.clone())
            .unwrap_or_default();
        let mut problems = Self::default();
        if !unusable.is_empty() {
            problems.0.insert(TeamCause::Addresses, unusable);
        }
        problems
    }

    pub(crate) fn add(&mut self, cause: TeamCause, message: String, line: Option<u64>) {
        self.0
            .entry(cause)
            .or_default()
            .push(TeamProblem { message, line });
    }

    /// As the roster lists them.
    pub(crate) fn to_list(&self, setup: &TeamSetup) -> Vec<TeamProblem> {
        let refused = match setup {
            TeamSetup::Refused(message) | TeamSetup::Foreign(message) => Some(TeamProblem {
                message: message.clone(),
                line: None,
            }),
            TeamSetup::Ready(_) => None,
        };
        refused
            .into_iter()
            .chain(self.0.values().flatten().cloned())
            .collect()
    }

    pub(crate) async fn announce<P: Ports>(
        &self,
        run: &Run<'_, P>,
        team: &TeamName,
        setup: &TeamSetup,
        roster: &Roster,
    ) -> Result<(), SyncError> {
        if let TeamSetup::Refused(message) | TeamSetup::Foreign(message) = setup {
            run.announce(&Notice::team_refused(team, message)).await?;
        }
        for (cause, problems) in &self.0 {
            run.announce(&Notice::team_problems(team, *cause, problems))
                .await?;
        }
        announce_unreachable(run, team, roster).await
    }
}

pub(crate) async fn announce_unreachable<P: Ports>(
    run: &Run<'_, P>,
    team: &TeamName,
    roster: &Roster,
) -> Result<(), SyncError> {
    let unreachable = roster
        .members
        .iter()
        .filter(|member| member.state == MemberState::Unreachable);
    let problems: Vec<TeamProblem> = unreachable
        .map(|member| TeamProblem {
            message: format!(
                "{}: {}",
                member.email,
                member.problem.as_deref().unwrap_or("cannot be reached")
            ),
            line: None,
        })
        .collect();
    if problems.is_empty() {
        return Ok(());
    }
    run.announce(&Notice::team_problems(team, TeamCause::Unreachable, &problems))
        .await
}

/// A file that cannot be used, as the roster lists it.
pub(crate) fn from_file_error(error: &FileError) -> TeamProblem {
    let hint = error
        .hint
        .as_ref()
        .map(|hint| format!(": {hint}"))
        .unwrap_or_default();
    TeamProblem {
        message: format!("{}{hint}", error.message),
        line: error.line,
    }
}
