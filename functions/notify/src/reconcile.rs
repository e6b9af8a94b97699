//! The notice protocol: one ended job, from the labeling service's description to results and a notice.

use jiff::Timestamp;
use shared::documents;
use shared::layout;
use shared::name::{BatchNumber, DatasetName};
use shared::notice::{AnnounceError, AnnounceOutcome, Links, Notice, announce};
use shared::port::{Bucket, JobDescription, JobState, Labeling, LabelingError, Store, StoreError, Topic};
use shared::summary::JobSummary;
use shared::summary::Labels;

use crate::deps::Deps;
use crate::results::write_results;

/// How a reconcile ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndOutcome {
    Announced,
    AnnouncedBefore,
    /// The job of another stack, or none at all.
    Foreign,
    /// The job has not ended yet.
    Running,
}

/// Why it did not finish. Calling it again goes on where it stopped.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Labeling(#[from] LabelingError),
    #[error(transparent)]
    Announce(#[from] AnnounceError),
}

/// Summarises, exports and announces a job that has ended. Calling it again changes nothing.
pub async fn reconcile<S: Store, L: Labeling, T: Topic>(
    deps: &Deps<S, L, T>,
    job: &str,
    now: Timestamp,
) -> Result<EndOutcome, ReconcileError> {
    if !deps.is_ours(job) {
        return Ok(EndOutcome::Foreign);
    }
    // 1. What the service says of it: an event may be wrong or early.
    let Some(job) = deps.labeling.describe(job).await? else {
        return Ok(EndOutcome::Foreign);
    };
    let Some((dataset, batch)) = batch_of(deps, &job) else {
        return Ok(EndOutcome::Foreign);
    };
    if !job.state.is_terminal() {
        return Ok(EndOutcome::Running);
    }
    // 2. Announced before?
    let marker = announcement_marker(&job.name, job.state);
    if documents::exists(&deps.store, Bucket::Output, &marker).await? {
        return Ok(EndOutcome::AnnouncedBefore);
    }
    // 3. Summary, report and exports, before a notice points to them.
    let summary = write_results(deps, &dataset, batch, &job).await?;
    // 4. The notice, then its marker.
    let results = format!(
        "s3://{}/{}",
        deps.output_bucket,
        layout::results_folder(&dataset, batch)
    );
    let links = Links {
        results: Some(results),
        console: deps.console_url.clone(),
        portal: deps.portal_url.clone(),
    };
    let notice = Notice::job_finished(&summary, &links);
    let announced = announce(&deps.store, &deps.topic, &notice, now).await?;
    tracing::info!(%dataset, batch = batch.get(), job = job.name, state = ?job.state, ?announced, "ended job announced");
    Ok(match announced {
        AnnounceOutcome::Now => EndOutcome::Announced,
        AnnounceOutcome::InDigest | AnnounceOutcome::Before => EndOutcome::AnnouncedBefore,
    })
}

/// The batch a job was made from, by the manifest it was given. A job with our prefix and another manifest is not ours.
pub(crate) fn batch_of<S, L, T>(
    deps: &Deps<S, L, T>,
    job: &JobDescription,
) -> Option<(DatasetName, BatchNumber)> {
    let (bucket, key) = job.manifest_uri.strip_prefix("s3://")?.split_once('/')?;
    (bucket == deps.output_bucket)
        .then(|| layout::parse_manifest(key))
        .flatten()
}

/// Key of the marker that this end has been announced. A notice's id depends on the job's name and state alone.
pub(crate) fn announcement_marker(job: &str, state: JobState) -> String {
    let summary = JobSummary {
        dataset: String::new(),
        batch: 0,
        job: job.to_owned(),
        arn: String::new(),
        state,
        failure_reason: None,
        label_attribute: String::new(),
        output_manifest: None,
        labels: Labels::default(),
    };
    layout::notice_marker(&Notice::job_finished(&summary, &Links::default()).id)
}
