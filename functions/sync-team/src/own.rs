//! Whose the group and the work team of a team's name are.
//!
//! A team file may be dropped by people who must not change other groups of the user pool, or other work teams of the
//! account. So both are changed only where Groundcrew made them, or an operator handed them over: see
//! [`shared::crew::Ownership`]. What is not ours is named in a notice and left as it is.

use jiff::Timestamp;
use shared::crew::{MemberState, Roster, TeamFile, group_description};
use shared::layout;
use shared::name::TeamName;
use shared::port::crew::{Directory, WorkTeamDescription, Workforce};
use shared::port::{Bucket, Store};

use crate::reconcile::in_state;
use crate::run::Run;
use crate::{Ports, SyncError};

/// The group of the team's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum OwnGroup {
    Missing,
    Own(Timestamp),
    /// Somebody else made it; when.
    Foreign(Timestamp),
}

impl OwnGroup {
    /// When it was made, where it is the team's.
    pub(crate) fn own(&self) -> Option<Timestamp> {
        match self {
            Self::Own(made) => Some(*made),
            Self::Missing | Self::Foreign(_) => None,
        }
    }

    /// Whether people may be taken out of it; out of one that is not there, nobody can be.
    pub(crate) fn may_change(&self) -> bool {
        !matches!(self, Self::Foreign(_))
    }
}

/// As it is now.
pub(crate) async fn group<P: Ports>(
    run: &Run<'_, P>,
    team: &TeamName,
    roster: &Roster,
) -> Result<OwnGroup, SyncError> {
    let stack = &run.ports.settings().output_bucket;
    Ok(match run.ports.directory().group(team.as_str()).await? {
        None => OwnGroup::Missing,
        Some(group) if roster.owns_group(&group, stack, team) => OwnGroup::Own(group.created),
        Some(group) => OwnGroup::Foreign(group.created),
    })
}

/// Made where a team needs one and there is none; taken over where an operator says so. Its description says whose it is
/// from the call that makes it on, so that whoever is stopped then finds it again.
pub(crate) async fn make_group<P: Ports>(
    run: &Run<'_, P>,
    team: &TeamName,
    file: &TeamFile,
    roster: &Roster,
) -> Result<OwnGroup, SyncError> {
    let nobody_leaves = in_state(roster, MemberState::Leaving).is_empty();
    if file.cognito().is_none() && nobody_leaves {
        return Ok(OwnGroup::Missing);
    }
    let mut there = group(run, team, roster).await?;
    if there == OwnGroup::Missing && file.cognito().is_some() {
        let description = group_description(&run.ports.settings().output_bucket, team);
        run.ports
            .directory()
            .create_group(team.as_str(), &description)
            .await?;
        // Somebody else may have made one in this moment.
        there = group(run, team, roster).await?;
    }
    match there {
        OwnGroup::Foreign(made) if adoption(run, team, roster).await?.is_some() => {
            tracing::warn!(%team, "takes over a group, as an operator says");
            Ok(OwnGroup::Own(made))
        }
        there => Ok(there),
    }
}

/// Whether the work team is this team's, or has been handed over.
pub(crate) async fn is_own_team<P: Ports>(
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
    let said = run.ports.store().get(Bucket::Output, &key, None).await?;
    let followed = roster.owned.as_ref().and_then(|owned| owned.adopted.as_ref());
    Ok(said.map(|said| said.etag).filter(|etag| Some(etag) != followed))
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
