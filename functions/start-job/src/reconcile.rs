//! The job protocol: one batch, from its manifest to its labeling job, whatever has happened before.

use std::collections::BTreeMap;

use jiff::Timestamp;
use shared::documents;
use shared::job::{JobPlan, plan};
use shared::layout;
use shared::link::check_batch;
use shared::name::{BatchNumber, DatasetName};
use shared::port::{Bucket, CreateJobOutcome, Labeling, LabelingError, Store, StoreError, Topic};
use shared::spec::Spec;
use shared::status::StartedJob;

use crate::daily_jobs::JobClaim;
use crate::deps::Deps;
use crate::missing_team::explain_missing_team;
use crate::outcome::{StartError, StartOutcome};
use crate::wait::{WaitCause, record_wait};

/// Object metadata of a manifest that names the spec it was cut with.
const SPEC: &str = "spec-sha256";

/// Starts the batch's labeling job, once.
///
/// The job's name is made from the dataset and the number, can be used once per account and Region and is never free
/// again (there is no DeleteLabelingJob): that is what makes a second call harmless. The `started` marker only saves a
/// call.
pub async fn reconcile<S: Store, L: Labeling, T: Topic>(
    deps: &Deps<S, L, T>,
    dataset: &DatasetName,
    batch: BatchNumber,
    now: Timestamp,
) -> Result<StartOutcome, StartError> {
    let store = &deps.store;
    // 1. Started before?
    let started_key = layout::job_started(dataset, batch);
    if documents::exists(store, Bucket::Output, &started_key).await? {
        return Ok(StartOutcome::StartedBefore);
    }
    // 2. The batch, and the spec it was cut with: never the spec of today.
    let Some(manifest) = store
        .get(Bucket::Output, &layout::manifest(dataset, batch), None)
        .await?
    else {
        return Ok(StartOutcome::NoBatch);
    };
    let wait_for = |cause: WaitCause| record_wait(deps, dataset, batch, cause, now);
    let sha256 = manifest.metadata.get(SPEC).cloned().unwrap_or_default();
    let spec = match pinned_spec(store, &sha256).await? {
        Ok(spec) => spec,
        Err(message) => return wait_for(WaitCause::refusal(message)).await,
    };
    // 3. What the job is to be, that neither spec nor items ask for more than the stack allows, and the files it points to.
    let plan = match plan(&spec, dataset, batch, &deps.stack) {
        Ok(plan) => plan,
        Err(error) => return wait_for(WaitCause::refusal(error.to_string())).await,
    };
    if let Err(error) = check_batch(&deps.stack.bounds.links, dataset, &manifest.bytes) {
        return wait_for(WaitCause::refusal(error.to_string())).await;
    }
    // 4. One of the day's jobs, before there is any trace of it. What is not created gives it back.
    let request = &plan.request;
    let Some(claim) = JobClaim::make(store, deps.jobs_per_day, &request.name, now).await? else {
        return wait_for(WaitCause::daily_bound(deps.jobs_per_day)).await;
    };
    write_files(store, dataset, batch, &plan).await?;
    // 5. Create it. The manifest of a job of that name says whether it is this batch's.
    let arn = match deps.labeling.create(request).await {
        Ok(CreateJobOutcome::Created { arn }) => Ok(arn),
        Ok(CreateJobOutcome::NameTaken) => match deps.labeling.describe(&request.name).await? {
            Some(job) if job.manifest_uri == request.manifest_uri => Ok(job.arn),
            Some(job) => Err(WaitCause::name_taken(&request.name, &job.manifest_uri)),
            None => return Err(not_described().into()),
        },
        Ok(CreateJobOutcome::QuotaFull) => Err(WaitCause::full_quota()),
        Ok(CreateJobOutcome::Invalid { reason }) => {
            let reason = explain_missing_team(store, &deps.stack, request, reason).await?;
            Err(WaitCause::refusal(reason))
        }
        Err(LabelingError::Refused { reason, .. }) => Err(WaitCause::refusal(reason)),
        Err(error @ LabelingError::Transient { .. }) => return Err(error.into()),
    };
    let arn = match arn {
        Ok(arn) => arn,
        Err(cause) => {
            claim.release(store).await;
            return wait_for(cause).await;
        }
    };
    // 6. Remember that.
    let started = StartedJob {
        job: request.name.clone(),
        arn,
        dataset: dataset.to_string(),
        batch: batch.get(),
        spec_sha256: sha256,
    };
    documents::create_json(store, &started_key, &started).await?;
    tracing::info!(%dataset, batch = batch.get(), job = started.job, "job started");
    Ok(StartOutcome::Started)
}

/// A job that was made a moment ago, perhaps by this function: the retry of the message will see its manifest.
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

/// Made from the batch alone, so another process wrote the same.
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
