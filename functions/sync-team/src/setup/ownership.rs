//! Who owns the group and the work team of a team's name.
//!
//! A team file may be dropped by people who must not change other groups of the user pool, or other work teams of the
//! account. So both are changed only where Groundcrew made them, or an operator handed them over: see
//! [`shared::crew::Ownership`]. What others own is named in a notice and left as it is.

use jiff::Timestamp;
use shared::crew::{MemberState, Roster, TeamFile, group_description};
use shared::layout;
use shared::name::TeamName;
use shared::port::crew::{Directory, WorkTeamDescription, Workforce};
use shared::port::{Bucket, Store};

use crate::error::SyncError;
use crate::ports::Ports;
use crate::roster::members_in_state;
use crate::run::Run;

/// The group of the team's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum GroupOwnership {
    Missing,
    /// The team's own; made at this time.
    Own(Timestamp),
    /// Not made by Groundcrew; made at this time.
    Foreign(Timestamp),
}

impl GroupOwnership {
    /// When it was made, where it is the team's own.
    pub(crate) fn own_since(&self) -> Option<Timestamp> {
        match self {
            Self::Own(made) => Some(*made),
            Self::Missing | Self::Foreign(_) => None,
        }
    }

    /// Whether people may be removed from it. There is no one to remove from a missing one.
    pub(crate) fn may_change(&self) -> bool {
        !matches!(self, Self::Foreign(_))
    }
}

/// As it is now.
pub(crate) async fn group_ownership<P: Ports>(
    run: &Run<'_, P>,
    team: &TeamName,
    roster: &Roster,
) -> Result<GroupOwnership, SyncError> {
    let stack = &run.ports.settings().output_bucket;
    Ok(match run.ports.directory().group(team.as_str()).await? {
        None => GroupOwnership::Missing,
        Some(group) if roster.owns_group(&group, stack, team) => GroupOwnership::Own(group.created),
        Some(group) => GroupOwnership::Foreign(group.created),
    })
}

/// Created where a team needs one and there is none; taken over where an operator says so. Its description names its owner
/// from the call that creates it on, so that a process that is stopped then finds it again.
pub(crate) async fn ensure_group<P: Ports>(
    run: &Run<'_, P>,
    team: &TeamName,
    file: &TeamFile,
    roster: &Roster,
) -> Result<GroupOwnership, SyncError> {
    let has_leaving = !members_in_state(roster, MemberState::Leaving).is_empty();
    if file.cognito().is_none() && !has_leaving {
        return Ok(GroupOwnership::Missing);
    }
    let mut there = group_ownership(run, team, roster).await?;
    if there == GroupOwnership::Missing && file.cognito().is_some() {
        let description = group_description(&run.ports.settings().output_bucket, team);
        run.ports
            .directory()
            .create_group(team.as_str(), &description)
            .await?;
        // Another process may have created one at this moment.
        there = group_ownership(run, team, roster).await?;
    }
    match there {
        GroupOwnership::Foreign(made) if adoption(run, team, roster).await?.is_some() => {
            tracing::warn!(%team, "taking over a group that an operator handed over");
            Ok(GroupOwnership::Own(made))
        }
        there => Ok(there),
    }
}

/// Whether the work team is this team's, or has been handed over.
pub(crate) async fn is_own_work_team<P: Ports>(
    run: &Run<'_, P>,
    team: &TeamName,
    roster: &Roster,
    there: &WorkTeamDescription,
) -> Result<bool, SyncError> {
    if roster.owns_work_team(there) {
        return Ok(true);
    }
    let owner = run.ports.workforce().team_owner(&there.arn).await?;
    if owner.as_ref() == Some(&run.ports.settings().output_bucket) {
        return Ok(true);
    }
    Ok(adoption(run, team, roster).await?.is_some())
}

/// The ETag of the operator's document, unless it has been followed before: what is deleted and made again since then has
/// to be handed over again.
pub(crate) async fn adoption<P: Ports>(
    run: &Run<'_, P>,
    team: &TeamName,
    roster: &Roster,
) -> Result<Option<String>, SyncError> {
    let key = layout::adoption(team);
    let document = run.ports.store().get(Bucket::Output, &key, None).await?;
    let followed = roster.owned.as_ref().and_then(|owned| owned.adopted.as_ref());
    Ok(document
        .map(|document| document.etag)
        .filter(|etag| Some(etag) != followed))
}

/// Why nothing is done, and what to do.
pub(crate) fn refusal(what: &str, team: &TeamName) -> String {
    format!(
        "there is a {what} called `{team}` that Groundcrew did not make, so it stays as it is. Give the team file another \
         name; a group of others can be named under `groups`. If it is to become this team's, an operator hands it over: in \
         the console, with an object called {} in the output bucket, or with: groundcrew adopt {team}",
        layout::adoption(team)
    )
}
