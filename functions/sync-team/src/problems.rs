//! What somebody has to be told about a team: one notice for each cause.

use std::collections::BTreeMap;

use shared::crew::{MemberState, Roster, TeamFile, TeamProblem};
use shared::name::TeamName;
use shared::notice::{Notice, TeamCause};
use shared::yaml::FileError;

use crate::place::Place;
use crate::run::Run;
use crate::{Ports, SyncError};

#[derive(Debug, Default)]
pub(crate) struct Problems(BTreeMap<TeamCause, Vec<TeamProblem>>);

impl Problems {
    /// Those that stand in the file itself.
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
    pub(crate) fn listed(&self, place: &Place) -> Vec<TeamProblem> {
        let refused = match place {
            Place::Refused(message) | Place::Foreign(message) => Some(TeamProblem {
                message: message.clone(),
                line: None,
            }),
            Place::Made(_) => None,
        };
        refused
            .into_iter()
            .chain(self.0.values().flatten().cloned())
            .collect()
    }

    pub(crate) async fn tell<P: Ports>(
        &self,
        run: &Run<'_, P>,
        team: &TeamName,
        place: &Place,
        roster: &Roster,
    ) -> Result<(), SyncError> {
        if let Place::Refused(message) | Place::Foreign(message) = place {
            run.tell(&Notice::team_refused(team, message)).await?;
        }
        for (cause, problems) in &self.0 {
            run.tell(&Notice::team_problems(team, *cause, problems)).await?;
        }
        tell_unreachable(run, team, roster).await
    }
}

pub(crate) async fn tell_unreachable<P: Ports>(
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
    run.tell(&Notice::team_problems(team, TeamCause::Unreachable, &problems))
        .await
}

/// A file that cannot be used, as the roster lists it.
pub(crate) fn of_file(error: &FileError) -> TeamProblem {
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
