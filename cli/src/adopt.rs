//! `groundcrew adopt`: hands a group and a work team that others made over to the team of their name.

use std::process::ExitCode;

use console::AdoptionTime;
use jiff::Timestamp;
use shared::name::TeamName;

use crate::args::Adopt;
use crate::locate;
use crate::paint;

pub(crate) async fn run(adopt: Adopt) -> anyhow::Result<ExitCode> {
    let team = TeamName::new(&adopt.team)?;
    let target = locate::find(&adopt.location).await?;
    let time = console::adopt_team(&target.config.buckets(), &team, Timestamp::now()).await?;
    let when = match time {
        AdoptionTime::Now => "in a few seconds",
        AdoptionTime::NextSweep => "with the next sweep, within 15 minutes",
    };
    paint::print(&format!(
        "The group and the work team {team} belong to teams/{team}.yaml {when}.\n\
         People who are in the group stay in it; the people of the file are invited and added.\n"
    ))
}
