//! Steps 3 to 7: everything a team needs before its people come.

use shared::crew::{MemberState, Roster, SignIn, TeamFile};
use shared::name::TeamName;
use shared::notice::TeamCause;
use shared::port::crew::{
    ClientUrls, Directory, Identity, Members, TeamChange, WorkTeam, WorkTeamDescription, WorkTopics,
    Workforce, WorkforceDescription,
};

use crate::problems::Problems;
use crate::run::Run;
use crate::workforce::Found;
use crate::{Ports, SyncError, joined, networks, workforce};

/// Where the team's people come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Made(Made),
    /// Somebody has to change something; what, in a sentence.
    Refused(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Made {
    pub(crate) portal_url: String,
    pub(crate) workteam_arn: String,
    pub(crate) topic_arn: Option<String>,
}

pub(crate) async fn make<P: Ports>(
    run: &Run<'_, P>,
    team: &TeamName,
    file: &TeamFile,
    roster: &Roster,
    problems: &mut Problems,
) -> Result<Place, SyncError> {
    // 3. The team's own group, and which of the imported ones there are.
    let groups = groups(run, team, file, problems).await?;
    // 4. The one workforce there can be.
    let there = match workforce::find_or_make(run, &file.sign_in).await? {
        Found::Usable(there) => there,
        Found::Refused(why) => return Ok(Place::Refused(why)),
    };
    if networks::set(run, team, file, &there, problems).await?
        && let Found::Refused(why) = workforce::find_or_make(run, &file.sign_in).await?
    {
        return Ok(Place::Refused(why));
    }
    // 5. Where work notices go.
    let topic_arn = topic(run, team, file, roster).await?;
    // 6. The work team.
    let wanted = WorkTeam {
        name: team.to_string(),
        description: file.description.clone(),
        members: members(&there, groups),
        topic_arn: topic_arn.clone(),
    };
    let described = match work_team(run, &there, &wanted).await? {
        Ok(described) => described,
        Err(why) => return Ok(Place::Refused(why)),
    };
    // 7. Where people sign in, known to the app client.
    let portal_url = portal(run, &there, &described)?;
    if is_ours(run, &there) {
        let urls = ClientUrls {
            callback: vec![format!("{portal_url}/oauth2/idpresponse")],
            logout: vec![format!("{portal_url}/logout")],
        };
        run.ports.directory().add_client_urls(&urls).await?;
    }
    Ok(Place::Made(Made {
        portal_url,
        workteam_arn: described.arn,
        topic_arn,
    }))
}

async fn groups<P: Ports>(
    run: &Run<'_, P>,
    team: &TeamName,
    file: &TeamFile,
    problems: &mut Problems,
) -> Result<Vec<String>, SyncError> {
    let imported = match &file.sign_in {
        SignIn::Oidc { groups, .. } => return Ok(groups.clone()),
        SignIn::Cognito(cognito) => &cognito.groups,
    };
    let directory = run.ports.directory();
    if !directory.has_group(team.as_str()).await? {
        directory
            .create_group(team.as_str(), "The people of a Groundcrew team")
            .await?;
    }
    let mut groups = vec![team.to_string()];
    for group in imported {
        if directory.has_group(&group.name).await? {
            groups.push(group.name.clone());
        } else {
            let message = format!(
                "the user pool has no group `{}`: make it, or take it out of `groups`",
                group.name
            );
            problems.add(TeamCause::Groups, message, Some(group.line));
        }
    }
    Ok(groups)
}

/// All member definitions of a team share the workforce's pool and client.
fn members(there: &WorkforceDescription, groups: Vec<String>) -> Members {
    match &there.identity {
        Identity::Cognito { user_pool, client_id } => Members::Cognito {
            user_pool: user_pool.clone(),
            client_id: client_id.clone(),
            groups,
        },
        Identity::Oidc { .. } => Members::Oidc { groups },
    }
}

fn is_ours<P: Ports>(run: &Run<'_, P>, there: &WorkforceDescription) -> bool {
    let settings = run.ports.settings();
    matches!(&there.identity, Identity::Cognito { user_pool, client_id }
        if *user_pool == settings.user_pool && *client_id == settings.client_id)
}

/// Where notices are new, those who have joined before are subscribed; everybody later is when they join.
async fn topic<P: Ports>(
    run: &Run<'_, P>,
    team: &TeamName,
    file: &TeamFile,
    roster: &Roster,
) -> Result<Option<String>, SyncError> {
    if !file.cognito().is_some_and(|team| team.notify_workers) {
        return Ok(None);
    }
    if let Some(known) = roster.topic_arn.clone().filter(|_| run.accounts.is_none()) {
        return Ok(Some(known));
    }
    let arn = run.ports.work_topics().ensure_topic(team.as_str()).await?;
    if roster.topic_arn.is_none() {
        let joined = roster
            .members
            .iter()
            .filter(|member| member.state == MemberState::Joined);
        let emails: Vec<String> = joined.map(|member| member.email.clone()).collect();
        joined::subscribe(run, &arn, &emails).await?;
    }
    Ok(Some(arn))
}

/// `Err`: what somebody has to change.
async fn work_team<P: Ports>(
    run: &Run<'_, P>,
    there: &WorkforceDescription,
    wanted: &WorkTeam,
) -> Result<Result<WorkTeamDescription, String>, SyncError> {
    let port = run.ports.workforce();
    let change = match port.team(&wanted.name).await? {
        Some(described) if same(&described.team, wanted) => return Ok(Ok(described)),
        Some(_) => {
            tracing::info!(team = wanted.name, "changes the work team");
            port.update_team(wanted).await?
        }
        None => {
            tracing::info!(team = wanted.name, "makes the work team");
            port.create_team(&there.name, wanted).await?
        }
    };
    match change {
        TeamChange::LimitReached { reason } => {
            return Ok(Err(format!(
                "the account has as many work teams as it may have in this Region (25): delete one, or put these people \
             into the file of another team ({reason})"
            )));
        }
        TeamChange::Invalid { reason } => return Ok(Err(format!("the work team was not taken: {reason}"))),
        TeamChange::Done | TeamChange::Taken => {}
    }
    // Taken: somebody made it in this moment; what differs is set the next time.
    match port.team(&wanted.name).await? {
        Some(described) => Ok(Ok(described)),
        None => Err(SyncError::WorkforceNotReady("making the work team".to_owned())),
    }
}

/// In whatever order the groups are.
fn same(there: &WorkTeam, wanted: &WorkTeam) -> bool {
    let sorted = |team: &WorkTeam| {
        let mut team = team.clone();
        match &mut team.members {
            Members::Cognito { groups, .. } | Members::Oidc { groups } => groups.sort(),
        }
        team
    };
    sorted(there) == sorted(wanted)
}

fn portal<P: Ports>(
    run: &Run<'_, P>,
    there: &WorkforceDescription,
    team: &WorkTeamDescription,
) -> Result<String, SyncError> {
    if let Some(url) = &run.ports.settings().portal_url {
        return Ok(url.clone());
    }
    let hosts = [&there.sub_domain, &team.sub_domain];
    let host = hosts
        .into_iter()
        .find(|host| !host.is_empty())
        .ok_or(SyncError::NoPortal)?;
    // Described as a host alone; an address would do as well.
    Ok(format!(
        "https://{}",
        host.trim_start_matches("https://").trim_end_matches('/')
    ))
}
