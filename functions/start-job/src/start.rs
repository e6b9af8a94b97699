//! The job protocol: one batch, from its manifest to its labeling job, whatever has happened before.

use std::collections::BTreeMap;

use jiff::Timestamp;
use shared::job::{JobPlan, plan};
use shared::layout;
use shared::link::check_batch;
use shared::name::{BatchNumber, DatasetName};
use shared::notice::AnnounceError;
use shared::port::{Bucket, CreateJobOutcome, Labeling, LabelingError, Store, StoreError, Topic};
use shared::spec::Spec;
use shared::status::{self, WaitingReason};

use crate::Deps;
use crate::daily_jobs::JobClaim;
use crate::missing_team::in_peoples_words;
use crate::waiting::{Cause, wait};

/// Object metadata of a manifest that names the spec it was cut with.
const SPEC: &str = "spec-sha256";

/// What a start came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Started {
    /// The batch has its job now.
    Now,
    /// It had it before.
    Before,
    /// There is no such batch.
    NoBatch,
    /// It has to wait.
    Waits(WaitingReason),
}

/// Why a start did not come to its end. Calling it again goes on where it stopped.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Labeling(#[from] LabelingError),
    #[error(transparent)]
    Announce(#[from] AnnounceError),
}

/// Starts the batch's labeling job, once.
///
/// The job's name is made from the dataset and the number, can be taken once per account and Region and is never
/// free again (there is no DeleteLabelingJob): that is what makes a second call harmless. The `started` marker only
/// saves asking.
pub async fn start<S: Store, L: Labeling, T: Topic>(
    deps: &Deps<S, L, T>,
    dataset: &DatasetName,
    batch: BatchNumber,
    now: Timestamp,
) -> Result<Started, StartError> {
    let store = &deps.store;
    // 1. Started before?
    if store
        .get(Bucket::Output, &layout::job_started(dataset, batch), Some(0..1))
        .await?
        .is_some()
    {
        return Ok(Started::Before);
    }
    // 2. The batch, and the spec it was cut with: never the spec of today.
    let Some(manifest) = store
        .get(Bucket::Output, &layout::manifest(dataset, batch), None)
        .await?
    else {
        return Ok(Started::NoBatch);
    };
    let waits = |cause: Cause| wait(deps, dataset, batch, cause, now);
    let sha256 = manifest.metadata.get(SPEC).cloned().unwrap_or_default();
    let spec = match pinned_spec(store, &sha256).await? {
        Ok(spec) => spec,
        Err(message) => return waits(Cause::refused(message)).await,
    };
    // 3. What the job is to be, that neither spec nor items ask for more than the stack allows, and the files it points to.
    let plan = match plan(&spec, dataset, batch, &deps.stack) {
        Ok(plan) => plan,
        Err(error) => return waits(Cause::refused(error.to_string())).await,
    };
    if let Err(error) = check_batch(&deps.stack.bounds.links, dataset, &manifest.bytes) {
        return waits(Cause::refused(error.to_string())).await;
    }
    // 4. One of the day's jobs, before there is any trace of it. What is not created gives it back.
    let request = &plan.request;
    let Some(claim) = JobClaim::make(store, deps.jobs_per_day, &request.name, now).await? else {
        return waits(Cause::daily_bound(deps.jobs_per_day)).await;
    };
    write_files(store, dataset, batch, &plan).await?;
    // 5. Create it. Whose a job of that name is, its manifest says.
    let arn = match deps.labeling.create(request).await {
        Ok(CreateJobOutcome::Created { arn }) => Ok(arn),
        Ok(CreateJobOutcome::NameTaken) => match deps.labeling.describe(&request.name).await? {
            Some(job) if job.manifest_uri == request.manifest_uri => Ok(job.arn),
            Some(job) => Err(Cause::name_taken(&request.name, &job.manifest_uri)),
            None => return Err(not_described().into()),
        },
        Ok(CreateJobOutcome::QuotaFull) => Err(Cause::quota()),
        Ok(CreateJobOutcome::Invalid { reason }) => {
            let reason = in_peoples_words(store, &deps.stack, request, reason).await?;
            Err(Cause::refused(reason))
        }
        Err(LabelingError::Refused { reason, .. }) => Err(Cause::refused(reason)),
        Err(error @ LabelingError::Transient { .. }) => return Err(error.into()),
    };
    let arn = match arn {
        Ok(arn) => arn,
        Err(cause) => {
            claim.release(store).await;
            return waits(cause).await;
        }
    };
    // 6. Remember that.
    let started = status::StartedJob {
        job: request.name.clone(),
        arn,
        dataset: dataset.to_string(),
        batch: batch.get(),
        spec_sha256: sha256,
    };
    let body = serde_json::to_vec_pretty(&started).unwrap_or_default();
    store
        .create(&layout::job_started(dataset, batch), body, &BTreeMap::new())
        .await?;
    tracing::info!(%dataset, batch = batch.get(), job = started.job, "started a job");
    Ok(Started::Now)
}

/// A job that was made a moment ago, perhaps by us: whose it is will be seen when the message comes again.
fn not_described() -> LabelingError {
    LabelingError::Transient {
        operation: "DescribeLabelingJob",
        reason: "a job of this name exists, and is not described yet".to_owned(),
    }
}

async fn pinned_spec(store: &impl Store, sha256: &str) -> Result<Result<Spec, String>, StoreError> {
    let key = layout::pinned_spec(sha256);
    let Some(text) = store.get(Bucket::Output, &key, None).await? else {
        return Ok(Err(format!(
            "the spec the batch was cut with, {key}, is not in the output bucket: restore it"
        )));
    };
    Ok(Spec::parse(&text.bytes).map_err(|error| {
        format!(
            "the spec the batch was cut with, {key}, cannot be read by this version of Groundcrew: {error}"
        )
    }))
}

/// Made from the batch alone, so whoever was first wrote the same.
async fn write_files(
    store: &impl Store,
    dataset: &DatasetName,
    batch: BatchNumber,
    plan: &JobPlan,
) -> Result<(), StoreError> {
    let files = [
        (layout::job_template(dataset, batch), &plan.template),
        (layout::job_categories(dataset, batch), &plan.categories),
    ];
    for (key, text) in files {
        store
            .create(&key, text.clone().into_bytes(), &BTreeMap::new())
            .await?;
    }
    Ok(())
}
