//! Finds what other engines on the same store have changed: workforce, work teams, and jobs that need a keeper.

use std::sync::Arc;

use super::job_keeper::run_keeper;
use crate::core::Core;
use crate::lock::lock;
use crate::state::{StoreError, WorkforceRecord, keys};

/// Runs until the engine stops.
pub(crate) async fn run_supervisor(core: Arc<Core>) {
    loop {
        tokio::select! {
            () = core.stop.cancelled() => return,
            () = core.supervisor_wake.notified() => {}
            () = tokio::time::sleep(core.timing.refresh) => {}
        }
        if let Err(error) = supervise(&core).await {
            tracing::warn!(%error, "failed to read teams and unfinished jobs; will be retried");
        }
    }
}

/// Reads workforce and work teams, and starts the keepers of unfinished jobs.
pub(crate) async fn supervise(core: &Arc<Core>) -> Result<(), StoreError> {
    let workforces: Vec<Option<WorkforceRecord>> = core.documents.read_each(keys::WORKFORCES).await?;
    match workforces.iter().any(Option::is_none) {
        true => core.workforce.set_unreadable(),
        false => core.workforce.set(workforces.into_iter().flatten().next()),
    }
    core.teams.set_all(core.documents.read_all(keys::TEAMS).await?);
    for marker in core.documents.list(keys::UNFINISHED).await? {
        if let Some(job) = marker.key.strip_prefix(keys::UNFINISHED) {
            start_keeper(core, job);
        }
    }
    Ok(())
}

/// Starts a keeper for the job unless the job has one.
pub(crate) fn start_keeper(core: &Arc<Core>, job: &str) {
    let job = job.to_ascii_lowercase();
    if !lock(&core.keepers).insert(job.clone()) {
        return;
    }
    let shared = core.clone();
    core.tasks.spawn(async move {
        run_keeper(shared.clone(), job.clone()).await;
        lock(&shared.keepers).remove(&job);
    });
}
