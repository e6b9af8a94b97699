//! Teams whose names differ in case alone: the first one wins.
//!
//! AWS's services compare a work team's name, a group's and a key each in its own way, and people see no difference. The
//! first spelling with a usable file is recorded once; another one is refused.

use serde::{Deserialize, Serialize};
use shared::crew::Roster;
use shared::documents;
use shared::layout;
use shared::name::TeamName;
use shared::port::Bucket;

use crate::error::SyncError;
use crate::ports::Ports;
use crate::roster;
use crate::run::Run;

/// `crew-names/<lower-cased name>`.
#[derive(Serialize, Deserialize)]
struct FirstSpelling {
    team: String,
}

/// The team that has this name in another spelling.
pub(crate) async fn other_spelling<P: Ports>(
    run: &Run<'_, P>,
    team: &TeamName,
    roster: &Roster,
) -> Result<Option<String>, SyncError> {
    // A team with a work team was the first.
    let owned = roster.owned.as_ref();
    if owned.is_some_and(|owned| owned.work_team.is_some()) {
        return Ok(None);
    }
    if let Some(first) = recorded_spelling(run, team).await? {
        return Ok((first != team.as_str()).then_some(first));
    }
    let first = FirstSpelling {
        team: spelling_with_work_team(run, team).await?,
    };
    documents::create_json(run.ports.store(), &layout::team_spelling(team), &first).await?;
    let first = recorded_spelling(run, team).await?;
    Ok(first.filter(|first| first != team.as_str()))
}

async fn recorded_spelling<P: Ports>(run: &Run<'_, P>, team: &TeamName) -> Result<Option<String>, SyncError> {
    let key = layout::team_spelling(team);
    let spelling = documents::load::<FirstSpelling>(run.ports.store(), &key).await?;
    Ok(spelling.document.map(|spelling| spelling.team))
}

/// A team made before spellings were recorded has a roster that names its work team.
async fn spelling_with_work_team<P: Ports>(run: &Run<'_, P>, team: &TeamName) -> Result<String, SyncError> {
    let is_other_spelling = |name: &TeamName| name != team && name.case_folded() == team.case_folded();
    let rosters = run.list(Bucket::Output, layout::CREW).await?;
    let names = rosters.iter().filter_map(|roster| {
        let name = roster.key.strip_prefix(layout::CREW)?.strip_suffix(".json")?;
        TeamName::new(name).ok().filter(is_other_spelling)
    });
    if has_work_team(run, team).await? {
        return Ok(team.to_string());
    }
    for name in names {
        if has_work_team(run, &name).await? {
            return Ok(name.to_string());
        }
    }
    Ok(team.to_string())
}

async fn has_work_team<P: Ports>(run: &Run<'_, P>, team: &TeamName) -> Result<bool, SyncError> {
    let roster = roster::load(run, team).await?.document;
    Ok(roster.is_some_and(|roster| !roster.workteam_arn.is_empty()))
}

/// What is wrong with the later spelling.
pub(crate) fn refusal(team: &TeamName, first: &str) -> String {
    format!(
        "there is the team `{first}` already, and names that differ in capital and small letters alone are one name. \
         Drop the file as teams/{first}.yaml or under another name, and delete teams/{team}.yaml from the bucket"
    )
}
