//! Taking back what can be taken back, and saying what stays.

use std::sync::atomic::Ordering;

use anyhow::Context as _;
use aws_sdk_sagemaker::types::LabelingJobStatus as Status;
use shared::layout;
use shared::name::BatchNumber;
use shared::shell;

use super::Smoke;
use super::dataset::FILES;
use super::narrator::Narrator;

/// Files first, so that no other batch is cut of them; then the job, where it still runs.
pub(super) async fn up(smoke: &Smoke, say: &Narrator) -> anyhow::Result<()> {
    if !smoke.dropped.load(Ordering::Relaxed) {
        return Ok(());
    }
    say.step("cleaned up", files(smoke)).await?;
    let batch = layout::manifest(&smoke.dataset, BatchNumber::FIRST);
    if smoke.cloud.object(&batch).await?.is_none() {
        return say.note("Nothing of it stays but older versions of the files, where the bucket keeps them.");
    }
    stop(smoke, say).await?;
    say.note(&format!(
        "Stays on purpose: {batch}, because batches are never deleted, and what goes with it (jobs/, labels/, results/, \
         status/, notified/), or it would be done and told once more."
    ))
}

/// The spec before the rest: without it nothing happens to them.
async fn files(smoke: &Smoke) -> anyhow::Result<((), String)> {
    let dropped = FILES.iter().map(|(name, _, _)| *name);
    for name in [layout::SPEC_FILE].into_iter().chain(dropped) {
        smoke.cloud.delete(&format!("{}/{name}", smoke.dataset)).await?;
    }
    let (count, bucket) = (FILES.len() + 1, &smoke.target.config.input_bucket);
    Ok((
        (),
        format!("{count} files deleted from s3://{bucket}/{}/", smoke.dataset),
    ))
}

async fn stop(smoke: &Smoke, say: &Narrator) -> anyhow::Result<()> {
    let name = smoke.job.as_str();
    let started = layout::job_started(&smoke.dataset, BatchNumber::FIRST);
    if smoke.cloud.object(&started).await?.is_none() {
        return say.note(&format!(
            "The batch has no job yet. When it has, stop it:\n    aws sagemaker stop-labeling-job --labeling-job-name {}",
            shell::word(name)
        ));
    }
    let job = smoke.cloud.job(name).await?;
    if matches!(
        job.labeling_job_status(),
        Some(Status::Initializing | Status::InProgress)
    ) {
        smoke
            .cloud
            .stop(name)
            .await
            .context("the job of the smoke test still runs")?;
        say.note(&format!("The job {name} is being stopped."))?;
    }
    Ok(())
}
