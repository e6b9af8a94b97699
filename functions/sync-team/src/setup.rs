//! Steps 4 to 7: everything a team needs before its people are invited.

pub(crate) mod networks;
pub(crate) mod outcome;
pub(crate) mod ownership;
pub(crate) mod workforce;

use shared::crew::{MemberState, Roster, SignIn, TeamFile};
use shared::name::TeamName;
use shared::notice::TeamCause;
use shared::port::crew::{
    ClientUrls, Directory, Identity, Members, TeamChangeOutcome, WorkTeam, WorkTeamDescription, WorkTopics,
    Workforce, WorkforceDescription,
};

use self::outcome::{TeamResources, TeamSetup};
use self::ownership::GroupOwnership;
use self::workforce::WorkforceChoice;
use crate::error::SyncError;
use crate::member::join_notice::subscribe;
use crate::ports::Ports;
use crate::problems::Problems;
use crate::run::Run;

/// The team that is set up.
pub(crate) struct TeamRequest<'w> {
    pub(crate) team: &'w TeamName,
    pub(crate) file: &'w TeamFile,
    pub(crate) roster: &'w Roster,
    pub(crate) group: &'w GroupOwnership,
}

pub(crate) async fn set_up<P: Ports>(
    run: &Run<'_, P>,
    request: &TeamRequest<'_>,
    problems: &mut Problems,
) -> Result<TeamSetup, SyncError> {
    let TeamRequest {
        team,
        file,
        roster,
        group,
    } = request;
    if file.cognito().is_some() && group.own_since().is_none() {
        return Ok(TeamSetup::Foreign(ownership::refusal(
            "group in the user pool",
            team,
        )));
    }
    // Which of the imported groups exist.
    let groups = member_groups(run, team, file, problems).await?;
    // 4. The one workforce that an account can have.
    let workforce = match workforce::find_or_create(run, &file.sign_in).await? {
        WorkforceChoice::Usable(workforce) => workforce,
        WorkforceChoice::Refused(why) => return Ok(TeamSetup::Refused(why)),
    };
    // A work team of others is found before anything is changed for it.
    let known = run.ports.workforce().team(team.as_str()).await?;
    if let Some(known) = &known
        && !ownership::is_own_work_team(run, team, roster, known).await?
    {
        return Ok(TeamSetup::Foreign(ownership::refusal("work team", team)));
    }
    if networks::set_networks(run, team, file, &workforce, problems).await?
        && let WorkforceChoice::Refused(why) = workforce::find_or_create(run, &file.sign_in).await?
    {
        return Ok(TeamSetup::Refused(why));
    }
    // 5. The topic of work notices.
    let topic_arn = ensure_topic(run, team, file, roster).await?;
    // 6. The work team.
    let wanted = WorkTeam {
        name: team.to_string(),
        description: file.description.clone(),
        members: member_definition(&workforce, groups),
        topic_arn: topic_arn.clone(),
    };
    let work_team = match ensure_work_team(run, request, &workforce, known, &wanted).await? {
        Ok(work_team) => work_team,
        Err(why) => return Ok(TeamSetup::Refused(why)),
    };
    // 7. The portal's addresses, added to the app client.
    let portal_url = portal_url(run, &workforce, &work_team)?;
    if signs_in_with_our_pool(run, &workforce) {
        let urls = ClientUrls {
            callback: vec![format!("{portal_url}/oauth2/idpresponse")],
            logout: vec![format!("{portal_url}/logout")],
        };
        run.ports.directory().add_client_urls(&urls).await?;
    }
    Ok(TeamSetup::Ready(TeamResources {
        portal_url,
        topic_arn,
        group: group.own_since(),
        work_team: work_team.created,
        adopted: adoption_used(run, request, &work_team).await?,
        workteam_arn: work_team.arn,
    }))
}

/// The operator's document, where it was needed.
async fn adoption_used<P: Ports>(
    run: &Run<'_, P>,
    request: &TeamRequest<'_>,
    work_team: &WorkTeamDescription,
) -> Result<Option<String>, SyncError> {
    let TeamRequest {
        team, roster, group, ..
    } = request;
    let owned = roster.owned.clone().unwrap_or_default();
    if owned.group == group.own_since().or(owned.group) && owned.work_team == Some(work_team.created) {
        return Ok(None);
    }
    ownership::adoption(run, team, roster).await
}

/// The team's own and those imported. An imported one is named in the work team; its members are the admin's business.
async fn member_groups<P: Ports>(
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
fn member_definition(workforce: &WorkforceDescription, groups: Vec<String>) -> Members {
    match &workforce.identity {
        Identity::Cognito { user_pool, client_id } => Members::Cognito {
            user_pool: user_pool.clone(),
            client_id: client_id.clone(),
            groups,
        },
        Identity::Oidc { .. } => Members::Oidc { groups },
    }
}

fn signs_in_with_our_pool<P: Ports>(run: &Run<'_, P>, workforce: &WorkforceDescription) -> bool {
    let settings = run.ports.settings();
    matches!(&workforce.identity, Identity::Cognito { user_pool, client_id }
        if *user_pool == settings.user_pool && *client_id == settings.client_id)
}

/// For a new topic, members who have joined are subscribed here; later ones when they join.
async fn ensure_topic<P: Ports>(
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
        subscribe(run, &arn, &emails).await?;
    }
    Ok(Some(arn))
}

/// `Err`: what an admin has to change.
async fn ensure_work_team<P: Ports>(
    run: &Run<'_, P>,
    request: &TeamRequest<'_>,
    workforce: &WorkforceDescription,
    known: Option<WorkTeamDescription>,
    wanted: &WorkTeam,
) -> Result<Result<WorkTeamDescription, String>, SyncError> {
    let port = run.ports.workforce();
    let change = match known {
        Some(described) if is_same_team(&described.team, wanted) => return Ok(Ok(described)),
        Some(_) => {
            tracing::info!(team = wanted.name, "updating work team");
            port.update_team(wanted).await?
        }
        None => {
            tracing::info!(team = wanted.name, "creating work team");
            let owner = &run.ports.settings().output_bucket;
            port.create_team(&workforce.name, wanted, owner).await?
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
            return Ok(Err(format!("the work team was refused: {reason}")));
        }
        TeamChangeOutcome::Done | TeamChangeOutcome::Taken => {}
    }
    // Taken: another process made it at this moment; what differs is set the next time.
    match port.team(&wanted.name).await? {
        Some(described)
            if !ownership::is_own_work_team(run, request.team, request.roster, &described).await? =>
        {
            Ok(Err(ownership::refusal("work team", request.team)))
        }
        Some(described) => Ok(Ok(described)),
        None => Err(SyncError::WorkforceNotReady("creating the work team".to_owned())),
    }
}

/// In any order of the groups.
fn is_same_team(there: &WorkTeam, wanted: &WorkTeam) -> bool {
    let sorted = |team: &WorkTeam| {
        let mut team = team.clone();
        match &mut team.members {
            Members::Cognito { groups, .. } | Members::Oidc { groups } => groups.sort(),
        }
        team
    };
    sorted(there) == sorted(wanted)
}

fn portal_url<P: Ports>(
    run: &Run<'_, P>,
    workforce: &WorkforceDescription,
    team: &WorkTeamDescription,
) -> Result<String, SyncError> {
    if let Some(url) = &run.ports.settings().portal_url {
        return Ok(url.clone());
    }
    let hosts = [&workforce.sub_domain, &team.sub_domain];
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
