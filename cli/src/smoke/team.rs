//! Which work team the job is for, and who labels it.

use std::collections::BTreeSet;

use anyhow::{Context as _, bail};
use shared::documents::list_all;
use shared::layout;
use shared::port::Bucket;

use crate::args;
use crate::services::Services;
use crate::target::Target;

/// An environment variable, because other users of the machine see the command line.
const PASSWORD_VARIABLE: &str = "GROUNDCREW_WORKER_PASSWORD";

pub(super) struct WorkerSignIn {
    pub(super) email: String,
    pub(super) password: String,
}

/// The stack's only team; `known` where no team file was dropped.
pub(super) async fn only_team(services: &Services, known: Option<&str>) -> anyhow::Result<String> {
    let rosters = list_all(&services.store, Bucket::Output, layout::CREW).await?;
    let mut teams: BTreeSet<&str> = rosters
        .iter()
        .filter_map(|object| object.key.strip_prefix(layout::CREW)?.strip_suffix(".json"))
        .collect();
    if teams.is_empty() {
        teams.extend(known);
    }
    let names: Vec<&str> = teams.into_iter().collect();
    match names.as_slice() {
        [] => bail!(
            "the stack has no team yet: drop teams/<team>.yaml into its input bucket first, or name an existing work team \
             with --team"
        ),
        [team] => Ok((*team).to_owned()),
        _ => bail!(
            "the stack has {} teams ({}): name one with --team",
            names.len(),
            names.join(", ")
        ),
    }
}

/// The worker of the command line, or this machine's first worker in their own team.
pub(super) fn worker(
    args: &args::Smoke,
    target: &Target,
    team: &str,
) -> anyhow::Result<Option<WorkerSignIn>> {
    if let Some(email) = &args.worker {
        let password = std::env::var(PASSWORD_VARIABLE)
            .ok()
            .filter(|password| !password.is_empty());
        return Ok(Some(WorkerSignIn {
            email: email.clone(),
            password: password
                .with_context(|| format!("put the password of {email} into ${PASSWORD_VARIABLE}"))?,
        }));
    }
    let first = target.first_worker.as_ref();
    let first = first.filter(|_| target.config.hints.team.as_deref() == Some(team));
    Ok(first.map(|worker| WorkerSignIn {
        email: worker.email.clone(),
        password: worker.password.clone(),
    }))
}
