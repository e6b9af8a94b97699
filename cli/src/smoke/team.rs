//! Whose job it will be, and who labels it.

use std::collections::BTreeSet;

use anyhow::{Context as _, bail};
use shared::layout;

use crate::args;
use crate::cloud::Cloud;
use crate::endpoint::Target;

/// Not on the command line, where other users of the machine see it.
const PASSWORD: &str = "GROUNDCREW_WORKER_PASSWORD";

pub(super) struct SignIn {
    pub(super) email: String,
    pub(super) password: String,
}

/// The stack's only team; `known` where no team file has been dropped.
pub(super) async fn only(cloud: &Cloud, known: Option<&str>) -> anyhow::Result<String> {
    let rosters = cloud.keys_of_output(layout::CREW).await?;
    let mut teams: BTreeSet<&str> = rosters
        .iter()
        .filter_map(|key| key.strip_prefix(layout::CREW)?.strip_suffix(".json"))
        .collect();
    if teams.is_empty() {
        teams.extend(known);
    }
    let names: Vec<&str> = teams.into_iter().collect();
    match names.as_slice() {
        [] => bail!(
            "the stack has no team yet: drop teams/<team>.yaml into its input bucket first, or name a work team there \
             is with --team"
        ),
        [team] => Ok((*team).to_owned()),
        _ => bail!(
            "the stack has {} teams ({}): name one with --team",
            names.len(),
            names.join(", ")
        ),
    }
}

/// The worker that was asked for, or the first one of this machine in its own team.
pub(super) fn worker(args: &args::Smoke, target: &Target, team: &str) -> anyhow::Result<Option<SignIn>> {
    if let Some(email) = &args.worker {
        let password = std::env::var(PASSWORD)
            .ok()
            .filter(|password| !password.is_empty());
        return Ok(Some(SignIn {
            email: email.clone(),
            password: password.with_context(|| format!("put the password of {email} into ${PASSWORD}"))?,
        }));
    }
    let first = target.first_worker.as_ref();
    let first = first.filter(|_| target.config.hints.team.as_deref() == Some(team));
    Ok(first.map(|worker| SignIn {
        email: worker.email.clone(),
        password: worker.password.clone(),
    }))
}
