//! Steps 4 to 7: everything a team needs before its people come.

use jiff::Timestamp;
use shared::crew::{MemberState, Roster, SignIn, TeamFile};
use shared::name::TeamName;
use shared::notice::TeamCause;
use shared::port::crew::{
    ClientUrls, Directory, Identity, Members, TeamChangeOutcome, WorkTeam, WorkTeamDescription, WorkTopics,
    Workforce, WorkforceDescription,
};

use crate::own::OwnGroup;
use crate::problems::Problems;
use crate::run::Run;
use crate::workforce::Found;
use crate::{Ports, SyncError, joined, networks, own, workforce};

/// Where the team's people come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Made(Made),
    /// The admin has to change something; what, in a sentence.
    Refused(String),
    /// A group or a work team of the name was made by others. An operator can hand it over to the team.
    Foreign(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Made {
    pub(crate) portal_url: String,
    pub(crate) workteam_arn: String,
    pub(crate) topic_arn: Option<String>,
    /// When the team's own group was made; `None` for a team that signs in elsewhere.
    pub(crate) group: Option<Timestamp>,
    /// When the work team was made.
    pub(crate) work_team: Timestamp,
    /// ETag of the operator's document that handed one of them over.
    pub(crate) adopted: Option<String>,
}

/// What a place is made for.
pub(crate) struct Wanted<'w> {
    pub(crate) team: &'w TeamName,
    pub(crate) file: &'w TeamFile,
    pub(crate) roster: &'w Roster,
    pub(crate) group: &'w OwnGroup,
}

pub(crate) async fn make<P: Ports>(
    run: &Run<'_, P>,
    wanted: &Wanted<'_>,
    problems: &mut Problems,
) -> Result<Place, SyncError> {
    let Wanted {
        team,
        file,
        roster,
        group,
    } = wanted;
    if file.cognito().is_some() && group.own().is_none() {
        return Ok(Place::Foreign(own::refusal("group in the user pool", team)));
    }
    // Which of the imported groups there are.
    let groups = groups(run, team, file, problems).await?;
    // 4. The one workforce there can be.
    let there = match workforce::find_or_make(run, &file.sign_in).await? {
        Found::Usable(there) => there,
        Found::Refused(why) => return Ok(Place::Refused(why)),
    };
    // Before anything is changed for it.
    let known = run.ports.workforce().team(team.as_str()).await?;
    if let Some(known) = &known
        && !own::is_own_team(run, team, roster, known).await?
    {
        return Ok(Place::Foreign(own::refusal("work team", team)));
    }
    if networks::set(run, team, file, &there, problems).await?
        && let Found::Refused(why) = workforce::find_or_make(run, &file.sign_in).await?
    {
        return Ok(Place::Refused(why));
    }
    // 5. Where work notices go.
    let topic_arn = topic(run, team, file, roster).await?;
    // 6. The work team.
    let work_team_wanted = WorkTeam {
        name: team.to_string(),
        description: file.description.clone(),
        members: members(&there, groups),
        topic_arn: topic_arn.clone(),
    };
    let described = match work_team(run, wanted, &there, known, &work_team_wanted).await? {
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
        topic_arn,
        group: group.own(),
        work_team: described.created,
        adopted: adopted(run, wanted, &described).await?,
        workteam_arn: described.arn,
    }))
}

/// The operator's document, where it was needed.
async fn adopted<P: Ports>(
    run: &Run<'_, P>,
    wanted: &Wanted<'_>,
    described: &WorkTeamDescription,
) -> Result<Option<String>, SyncError> {
    let Wanted {
        team, roster, group, ..
    } = wanted;
    let owned = roster.owned.clone().unwrap_or_default();
    if owned.group == group.own().or(owned.group) && owned.work_team == Some(described.created) {
        return Ok(None);
    }
    own::adoption(run, team, roster).await
}

/// The team's own and those imported. An imported one is named in the work team; who is in it is for others to say.
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
    let mut groups = vec![team.to_string()];
    for group in imported {
        if run.ports.directory().group(&group.name).await?.is_some() {
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
    of: &Wanted<'_>,
    there: &WorkforceDescription,
    known: Option<WorkTeamDescription>,
    wanted: &WorkTeam,
) -> Result<Result<WorkTeamDescription, String>, SyncError> {
    let port = run.ports.workforce();
    let change = match known {
        Some(described) if same(&described.team, wanted) => return Ok(Ok(described)),
        Some(_) => {
            tracing::info!(team = wanted.name, "changes the work team");
            port.update_team(wanted).await?
        }
        None => {
            tracing::info!(team = wanted.name, "makes the work team");
            let owner = &run.ports.settings().output_bucket;
            port.create_team(&there.name, wanted, owner).await?
        }
    };
    match change {
        TeamChangeOutcome::LimitReached { reason } => {
            return Ok(Err(format!(
                "the account has as many work teams as it may have in this Region (25): delete one, or put these people \
             into the file of another team ({reason})"
            )));
        }
        TeamChangeOutcome::Invalid { reason } => {
            return Ok(Err(format!("the work team was not taken: {reason}")));
        }
        TeamChangeOutcome::Done | TeamChangeOutcome::Taken => {}
    }
    // Taken: somebody made it in this moment; what differs is set the next time.
    match port.team(&wanted.name).await? {
        Some(described) if !own::is_own_team(run, of.team, of.roster, &described).await? => {
            Ok(Err(own::refusal("work team", of.team)))
        }
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
