//! Teams whose names differ in case alone: the first one wins.
//!
//! A work team's name, a group's and a key are compared by services each in its own way, and by people not at all. The
//! first spelling that has a file that can be used is written down once; another one is refused.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use shared::crew::Roster;
use shared::layout;
use shared::name::TeamName;
use shared::port::{Bucket, Store};

use crate::mail::damaged;
use crate::run::Run;
use crate::{Ports, SyncError, roster};

/// `crew-names/<lower-cased name>`.
#[derive(Serialize, Deserialize)]
struct Spelling {
    team: String,
}

/// The team that has this name in another spelling.
pub(crate) async fn twin<P: Ports>(
    run: &Run<'_, P>,
    team: &TeamName,
    roster: &Roster,
) -> Result<Option<String>, SyncError> {
    // A team that has been made was the first.
    if roster
        .owned
        .as_ref()
        .is_some_and(|owned| owned.work_team.is_some())
    {
        return Ok(None);
    }
    if let Some(first) = known(run, team).await? {
        return Ok((first != team.as_str()).then_some(first));
    }
    let first = Spelling {
        team: from_before(run, team).await?,
    };
    let body = serde_json::to_vec(&first).unwrap_or_default();
    let key = layout::team_spelling(team);
    run.ports.store().create(&key, body, &BTreeMap::new()).await?;
    let first = known(run, team).await?;
    Ok(first.filter(|first| first != team.as_str()))
}

async fn known<P: Ports>(run: &Run<'_, P>, team: &TeamName) -> Result<Option<String>, SyncError> {
    let key = layout::team_spelling(team);
    let Some(stored) = run.ports.store().get(Bucket::Output, &key, None).await? else {
        return Ok(None);
    };
    let spelling: Spelling = serde_json::from_slice(&stored.bytes).map_err(|_| damaged(&key))?;
    Ok(Some(spelling.team))
}

/// A team made before spellings were written down has a document that names its work team, and this one has none.
async fn from_before<P: Ports>(run: &Run<'_, P>, team: &TeamName) -> Result<String, SyncError> {
    let is_twin = |name: &TeamName| name != team && name.folded() == team.folded();
    let rosters = run.list(Bucket::Output, layout::CREW).await?;
    let names = rosters.iter().filter_map(|roster| {
        let name = roster.key.strip_prefix(layout::CREW)?.strip_suffix(".json")?;
        TeamName::new(name).ok().filter(is_twin)
    });
    if made(run, team).await? {
        return Ok(team.to_string());
    }
    for name in names {
        if made(run, &name).await? {
            return Ok(name.to_string());
        }
    }
    Ok(team.to_string())
}

async fn made<P: Ports>(run: &Run<'_, P>, team: &TeamName) -> Result<bool, SyncError> {
    let seen = roster::seen(run, team).await?;
    Ok(!seen.or_empty(team, run.now()).workteam_arn.is_empty())
}

/// What is wrong with the later spelling.
pub(crate) fn refusal(team: &TeamName, first: &str) -> String {
    format!(
        "there is the team `{first}` already, and names that differ in capital and small letters alone are one name. \
         Drop the file as teams/{first}.yaml or under another name, and delete teams/{team}.yaml from the bucket"
    )
}
