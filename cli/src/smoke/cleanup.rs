//! Deletes what can be deleted, and says what stays.

use std::sync::atomic::Ordering;

use anyhow::Context as _;
use shared::documents::exists;
use shared::layout;
use shared::port::{Bucket, JobState};
use shared::shell;

use super::dataset::FILES;
use super::printer::Printer;
use super::run::{BATCH, SmokeRun, Step};

/// First the files, so that no other batch is cut from them; then the job, if it still runs.
pub(super) async fn clean_up(smoke: &SmokeRun, printer: &Printer) -> anyhow::Result<()> {
    if !smoke.has_dropped.load(Ordering::Relaxed) {
        return Ok(());
    }
    printer.step("cleaned up", delete_files(smoke)).await?;
    let batch = layout::manifest(&smoke.dataset, BATCH);
    if !exists(&smoke.services.store, Bucket::Output, &batch).await? {
        return printer
            .note("Nothing stays, except older versions of the files where the bucket keeps them.");
    }
    stop_job(smoke, printer).await?;
    printer.note(&format!(
        "Stays on purpose: {batch}, because batches are never deleted, and what belongs to it (jobs/, labels/, results/, \
         status/, notified/), because it would be done and announced again without it."
    ))
}

/// The spec before the rest: without it nothing happens to them.
async fn delete_files(smoke: &SmokeRun) -> Step<()> {
    let dropped = FILES.iter().map(|(name, _, _)| *name);
    for name in [layout::SPEC_FILE].into_iter().chain(dropped) {
        let key = format!("{}/{name}", smoke.dataset);
        smoke.services.store.delete(Bucket::Input, &key).await?;
    }
    let (count, bucket) = (FILES.len() + 1, &smoke.target.config.input_bucket);
    Ok((
        (),
        format!("{count} files deleted from s3://{bucket}/{}/", smoke.dataset),
    ))
}

async fn stop_job(smoke: &SmokeRun, printer: &Printer) -> anyhow::Result<()> {
    let name = smoke.job.as_str();
    let started = layout::job_started(&smoke.dataset, BATCH);
    if !exists(&smoke.services.store, Bucket::Output, &started).await? {
        return printer.note(&format!(
            "The batch has no job yet. When it has one, stop it:\n    aws sagemaker stop-labeling-job --labeling-job-name {}",
            shell::word(name)
        ));
    }
    let job = smoke.services.job(name).await?.description;
    if matches!(job.state, JobState::Initializing | JobState::InProgress) {
        let stopped = smoke.services.labeling.stop(name).await;
        stopped.context("the job of the smoke test still runs")?;
        printer.note(&format!("The job {name} is being stopped."))?;
    }
    Ok(())
}
