//! The end of one job, from the labeling service's word to people's knowledge of it.

use jiff::Timestamp;
use shared::layout;
use shared::name::{BatchNumber, DatasetName};
use shared::notice::{AnnounceError, AnnounceOutcome, Links, Notice, announce};
use shared::port::{Bucket, JobDescription, JobState, Labeling, LabelingError, Store, StoreError, Topic};
use shared::summary::JobSummary;
use shared::summary::Labels;

use crate::Deps;
use crate::results::write_results;

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    Told,
    ToldBefore,
    /// No job of this stack's, or none at all.
    Foreign,
    /// It is still going.
    Running,
}

/// Why it did not come to its end. Calling it again goes on where it stopped.
#[derive(Debug, thiserror::Error)]
pub enum EndError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Labeling(#[from] LabelingError),
    #[error(transparent)]
    Announce(#[from] AnnounceError),
}

/// Summarises, exports and announces a job that has ended. Calling it again changes nothing.
pub async fn ended<S: Store, L: Labeling, T: Topic>(
    deps: &Deps<S, L, T>,
    job: &str,
    now: Timestamp,
) -> Result<Ended, EndError> {
    if !deps.is_ours(job) {
        return Ok(Ended::Foreign);
    }
    // 1. What the service says of it: an event's word is not taken.
    let Some(job) = deps.labeling.describe(job).await? else {
        return Ok(Ended::Foreign);
    };
    let Some((dataset, batch)) = batch_of(deps, &job) else {
        return Ok(Ended::Foreign);
    };
    if !job.state.is_terminal() {
        return Ok(Ended::Running);
    }
    // 2. Told before?
    let marker = told_marker(&job.name, job.state);
    if deps
        .store
        .get(Bucket::Output, &marker, Some(0..1))
        .await?
        .is_some()
    {
        return Ok(Ended::ToldBefore);
    }
    // 3. Summary, report and exports, before anybody is told to look at them.
    let summary = write_results(deps, &dataset, batch, &job).await?;
    // 4. Tell.
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
    tracing::info!(%dataset, batch = batch.get(), job = job.name, state = ?job.state, ?announced, "a job has ended");
    Ok(match announced {
        AnnounceOutcome::Now => Ended::Told,
        AnnounceOutcome::InDigest | AnnounceOutcome::Before => Ended::ToldBefore,
    })
}

/// The batch a job was made from, by the manifest it was given; a job with our prefix and another manifest is not
/// ours, whoever made it.
pub(crate) fn batch_of<S, L, T>(
    deps: &Deps<S, L, T>,
    job: &JobDescription,
) -> Option<(DatasetName, BatchNumber)> {
    let (bucket, key) = job.manifest_uri.strip_prefix("s3://")?.split_once('/')?;
    (bucket == deps.output_bucket)
        .then(|| layout::parse_manifest(key))
        .flatten()
}

/// Where the marker lies that this end has been told. A notice's id depends on the job's name and state alone.
pub(crate) fn told_marker(job: &str, state: JobState) -> String {
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
