//! Labeling jobs: create, describe, stop.

use serde_json::{Map, Value, json};

use super::context::Api;
use super::error::{ApiError, Result};
use super::reply::time;
use super::{job_slots, tag_list};
use crate::core::Core;
use crate::job::JobSpec;
use crate::keeper;
use crate::state::{Counters, JobRecord, JobStatus, StoreError, keys};

/// Checks what can be checked at once. The inputs are read in the background, and a mistake in them fails the job.
pub(super) async fn create(api: &Api, mut request: Value) -> Result<Value> {
    let core = &api.core;
    let tags = tag_list::take(&mut request)?;
    let spec = JobSpec::from_request(&request)?;
    refuse_own_bucket(core, &spec)?;
    check_team(core, &spec).await?;
    let _one_at_a_time = api.creating.lock().await;
    if exists(core, &spec.name).await? {
        return Err(name_in_use(&spec.name));
    }
    let slot = job_slots::claim(core, &spec.name).await?;
    let now = (core.clock)();
    let record = JobRecord {
        arn: core.location.arn(&spec.job_name_in_output()),
        reference_code: uuid::Uuid::new_v4().simple().to_string(),
        name: spec.name.clone(),
        status: JobStatus::Initializing,
        failure_reason: None,
        created: now,
        modified: now,
        opened: None,
        counters: Counters::default(),
        output: None,
        closing: false,
        replaces: None,
        announced: false,
        tags,
        request,
    };
    match core.documents.create(&keys::job(&spec.name), &record).await {
        Ok(_) => {}
        Err(StoreError::Changed) => return Err(name_in_use(&spec.name)),
        Err(error) => return Err(error.into()),
    }
    slot.keep(core).await?;
    keeper::start_keeper(core, &spec.name);
    tracing::info!(job = spec.name, "labeling job created");
    Ok(json!({"LabelingJobArn": record.arn}))
}

pub(super) async fn describe(api: &Api, request: &Value) -> Result<Value> {
    let job = load(&api.core, request).await?;
    let mut description = match job.request.clone() {
        Value::Object(given) => given,
        _ => Map::new(),
    };
    description.insert("LabelingJobArn".into(), json!(job.arn));
    description.insert("JobReferenceCode".into(), json!(job.reference_code));
    description.insert("Tags".into(), json!(job.tags));
    add_progress(&api.core, &job, &mut description);
    Ok(Value::Object(description))
}

pub(super) async fn stop(api: &Api, request: &Value) -> Result<Value> {
    let core = &api.core;
    let job = load(core, request).await?;
    let key = keys::job(&job.name);
    let stopped = core.documents.update(&key, |job: &mut JobRecord| {
        match job.status {
            JobStatus::Initializing | JobStatus::InProgress => {}
            other => return Err(not_stoppable(&job.name, other)),
        }
        job.status = JobStatus::Stopping;
        job.modified = (core.clock)();
        Ok(())
    });
    stopped.await?.ok_or_else(|| unknown(&job.name))?;
    if let Some(running) = core.running_jobs.get(&job.name) {
        let _ = running.items.check_job().await;
        running.wake.notify_one();
    }
    Ok(json!({}))
}

/// Adds what changes while a job runs; every description of a job has it.
pub(super) fn add_progress(core: &Core, job: &JobRecord, description: &mut Map<String, Value>) {
    let running = core
        .running_jobs
        .get(&job.name)
        .filter(|_| !job.status.is_terminal());
    let counters = running.map_or(job.counters, |running| running.index().counters());
    description.insert("LabelingJobStatus".into(), json!(job.status.name()));
    description.insert("LabelCounters".into(), label_counters(counters));
    description.insert("CreationTime".into(), time(job.created));
    description.insert("LastModifiedTime".into(), time(job.modified));
    if let Some(reason) = &job.failure_reason {
        description.insert("FailureReason".into(), json!(reason));
    }
    if let Some(output) = &job.output {
        description.insert("LabelingJobOutput".into(), json!({"OutputDatasetS3Uri": output}));
    }
}

fn label_counters(counters: Counters) -> Value {
    json!({
        "TotalLabeled": counters.total_labeled,
        "HumanLabeled": counters.human_labeled,
        "MachineLabeled": 0,
        "FailedNonRetryableError": counters.failed,
        "Unlabeled": counters.unlabeled,
    })
}

async fn load(core: &Core, request: &Value) -> Result<JobRecord> {
    let name = request["LabelingJobName"].as_str().unwrap_or_default();
    let job = core.documents.load::<JobRecord>(&keys::job(name)).await?;
    job.map(|stored| stored.value).ok_or_else(|| unknown(name))
}

/// An object in the state bucket would be shown to workers as a template, or overwritten by the output.
fn refuse_own_bucket(core: &Core, spec: &JobSpec) -> Result<()> {
    let named = [
        (
            "InputConfig.DataSource.S3DataSource.ManifestS3Uri",
            &spec.manifest,
        ),
        ("LabelCategoryConfigS3Uri", &spec.categories),
        ("HumanTaskConfig.UiConfig.UiTemplateS3Uri", &spec.template),
        ("OutputConfig.S3OutputPath", &spec.output),
    ];
    match named.into_iter().find(|(_, at)| core.documents.contain(at)) {
        Some((member, at)) => Err(ApiError::validation(format!(
            "{member} names the bucket {}, which holds the labeling engine's own state. Give another bucket.",
            at.bucket
        ))),
        None => Ok(()),
    }
}

async fn check_team(core: &Core, spec: &JobSpec) -> Result<()> {
    let team = core
        .documents
        .load::<crate::state::TeamRecord>(&keys::team(&spec.team))
        .await?;
    match team {
        Some(team) if team.value.arn.eq_ignore_ascii_case(&spec.team_arn) => {
            core.teams.set(team.value);
            Ok(())
        }
        _ => Err(ApiError::validation(format!(
            "The work team {} does not exist. `aws sagemaker list-workteams` shows those there are, \
             `aws sagemaker create-workteam` makes one.",
            spec.team_arn
        ))),
    }
}

/// A damaged document keeps its name in use: whose job it is cannot be read any more.
async fn exists(core: &Core, name: &str) -> Result<bool> {
    match core.documents.load::<JobRecord>(&keys::job(name)).await {
        Ok(job) => Ok(job.is_some()),
        Err(StoreError::Unreadable(_)) => Ok(true),
        Err(error) => Err(error.into()),
    }
}

fn name_in_use(name: &str) -> ApiError {
    ApiError::in_use(format!(
        "A labeling job with the name {name} exists already. Names are unique without regard to case."
    ))
}

fn unknown(name: &str) -> ApiError {
    ApiError::not_found(format!("The labeling job {name} does not exist."))
}

fn not_stoppable(name: &str, status: JobStatus) -> ApiError {
    ApiError::validation(format!(
        "The labeling job {name} cannot be stopped: its status is {}.",
        status.name()
    ))
}
