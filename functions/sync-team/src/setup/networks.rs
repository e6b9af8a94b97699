//! The networks from which work may be done: one setting for all teams, since they share a portal.

use std::collections::BTreeSet;

use shared::crew::{Networks, TeamFile};
use shared::layout::InputKey;
use shared::name::TeamName;
use shared::notice::{Notice, TeamCause};
use shared::port::Bucket;
use shared::port::crew::{TeamChangeOutcome, Workforce, WorkforceDescription};

use crate::error::SyncError;
use crate::ports::Ports;
use crate::problems::Problems;
use crate::run::{Run, team_files};

/// Entries in SourceIpConfig.Cidrs.
const MAX_NETWORKS: usize = 10;

/// Sets the union of what all files name, if all name some. Where none does, the workforce stays as it is: an admin may
/// have set its networks by hand. `true`: they were changed, and the workforce may be busy for a while.
pub(crate) async fn set_networks<P: Ports>(
    run: &Run<'_, P>,
    team: &TeamName,
    file: &TeamFile,
    workforce: &WorkforceDescription,
    problems: &mut Problems,
) -> Result<bool, SyncError> {
    let mut add_problem = |message: String| problems.add(TeamCause::Networks, message, None);
    let Some(union) = union_of_networks(run, team, file, &mut add_problem).await? else {
        return Ok(false);
    };
    if union.iter().eq(workforce.cidrs.iter().collect::<BTreeSet<_>>()) {
        return Ok(false);
    }
    let cidrs: Vec<String> = union.into_iter().collect();
    // Announced before it is done: a process that is stopped in between announces it again.
    let opened = Networks::newly_open(&workforce.cidrs, &cidrs);
    if !opened.is_empty() {
        let notice = Notice::networks_opened(team, &workforce.cidrs, &opened, run.current_time());
        run.announce(&notice).await?;
    }
    match run
        .ports
        .workforce()
        .set_networks(&workforce.name, &cidrs)
        .await?
    {
        TeamChangeOutcome::Done => Ok(true),
        TeamChangeOutcome::Taken => Err(SyncError::WorkforceNotReady("being changed".to_owned())),
        TeamChangeOutcome::Invalid { reason } | TeamChangeOutcome::LimitReached { reason } => {
            add_problem(format!("`networks` was refused: {reason}"));
            Ok(false)
        }
    }
}

/// What all team files name together; `None` where nothing is to be set.
async fn union_of_networks<P: Ports>(
    run: &Run<'_, P>,
    team: &TeamName,
    file: &TeamFile,
    add_problem: &mut (impl FnMut(String) + Send),
) -> Result<Option<BTreeSet<String>>, SyncError> {
    let within = &run.ports.settings().networks_within;
    let (named, outside): (Vec<&String>, Vec<&String>) =
        file.networks.iter().partition(|network| within.allow(network));
    for network in outside {
        add_problem(format!(
            "`{network}` is not set: an operator lets work be done from within {} alone (NetworksWithin)",
            within.to_list()
        ));
    }
    if named.is_empty() {
        return Ok(None);
    }
    let Some(others) = networks_of_other_teams(run, team).await? else {
        // Another file cannot be read. That has its own notice, and until it is fixed no one is shut out.
        return Ok(None);
    };
    let open: Vec<&str> = others
        .iter()
        .filter(|(_, networks)| networks.is_empty())
        .map(|(name, _)| name.as_str())
        .collect();
    if !open.is_empty() {
        add_problem(format!(
            "`networks` is not set: all teams share one portal, and these name none: {}. Name some for every team, or \
             for none",
            open.join(", ")
        ));
        return Ok(None);
    }
    let of_others = others
        .iter()
        .flat_map(|(_, networks)| networks)
        .filter(|network| within.allow(network));
    let union: BTreeSet<String> = of_others.chain(named).cloned().collect();
    if union.len() > MAX_NETWORKS {
        add_problem(format!(
            "`networks` is not set: the teams name {} together, {MAX_NETWORKS} are the most",
            union.len()
        ));
        return Ok(None);
    }
    Ok(Some(union))
}

/// Every other team with its networks; `None` where a file cannot be read.
async fn networks_of_other_teams<P: Ports>(
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
