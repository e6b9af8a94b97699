//! The networks work may be done from: one setting for all teams, since they share a portal.

use std::collections::BTreeSet;

use shared::crew::{Networks, TeamFile};
use shared::layout::InputKey;
use shared::name::TeamName;
use shared::notice::{Notice, TeamCause};
use shared::port::Bucket;
use shared::port::crew::{TeamChangeOutcome, Workforce, WorkforceDescription};

use crate::problems::Problems;
use crate::run::{Run, team_files};
use crate::{Ports, SyncError};

/// SourceIpConfig.Cidrs.
const MOST: usize = 10;

/// Sets the union of what all files name, if all name some. Where none does, the workforce stays as it is: somebody
/// may have set its networks by hand. `true`: they were changed, and the workforce may be busy for a while.
pub(crate) async fn set<P: Ports>(
    run: &Run<'_, P>,
    team: &TeamName,
    file: &TeamFile,
    there: &WorkforceDescription,
    problems: &mut Problems,
) -> Result<bool, SyncError> {
    let within = &run.ports.settings().networks_within;
    let mut problem = |message: String| problems.add(TeamCause::Networks, message, None);
    let (named, outside): (Vec<&String>, Vec<&String>) =
        file.networks.iter().partition(|network| within.allow(network));
    for network in outside {
        problem(format!(
            "`{network}` is not set: an operator lets work be done from within {} alone (NetworksWithin)",
            within.listed()
        ));
    }
    if named.is_empty() {
        return Ok(false);
    }
    let Some(others) = others(run, team).await? else {
        // Another file cannot be read; that is told by itself, and until then nobody is shut out.
        return Ok(false);
    };
    let open: Vec<&str> = others
        .iter()
        .filter(|(_, networks)| networks.is_empty())
        .map(|(name, _)| name.as_str())
        .collect();
    if !open.is_empty() {
        problem(format!(
            "`networks` is not set: all teams share one portal, and these name none: {}. Name some for every team, or \
             for none",
            open.join(", ")
        ));
        return Ok(false);
    }
    let all = others
        .iter()
        .flat_map(|(_, networks)| networks)
        .filter(|network| within.allow(network))
        .chain(named);
    let union: BTreeSet<&String> = all.collect();
    if union.len() > MOST {
        problem(format!(
            "`networks` is not set: the teams name {} together, {MOST} are the most",
            union.len()
        ));
        return Ok(false);
    }
    if union == there.cidrs.iter().collect() {
        return Ok(false);
    }
    let cidrs: Vec<String> = union.into_iter().cloned().collect();
    // Said before it is done: whoever is stopped in between says it again.
    let opened = Networks::opened(&there.cidrs, &cidrs);
    if !opened.is_empty() {
        run.tell(&Notice::networks_opened(team, &there.cidrs, &opened, run.now()))
            .await?;
    }
    match run.ports.workforce().set_networks(&there.name, &cidrs).await? {
        TeamChangeOutcome::Done => return Ok(true),
        TeamChangeOutcome::Taken => return Err(SyncError::WorkforceNotReady("being changed".to_owned())),
        TeamChangeOutcome::Invalid { reason } | TeamChangeOutcome::LimitReached { reason } => {
            problem(format!("`networks` was not taken: {reason}"));
        }
    }
    Ok(false)
}

/// Every other team with its networks; `None` where a file cannot be read.
async fn others<P: Ports>(
    run: &Run<'_, P>,
    team: &TeamName,
) -> Result<Option<Vec<(TeamName, Vec<String>)>>, SyncError> {
    let mut others = Vec::new();
    for object in run.list(Bucket::Input, &team_files()).await? {
        let InputKey::Team(name) = InputKey::parse(&object.key) else {
            continue;
        };
        if name == *team {
            continue;
        }
        let Some(text) = run.team_file(&object.key).await? else {
            continue;
        };
        match TeamFile::parse(&name, &text.bytes) {
            Ok(file) => others.push((name, file.networks)),
            Err(_) => return Ok(None),
        }
    }
    Ok(Some(others))
}
