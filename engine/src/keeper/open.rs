//! The beginning of a job: its inputs are copied and checked, and the job runs.

use std::sync::Arc;

use bytes::Bytes;

use super::finish;
use crate::core::Core;
use crate::job::{Categories, JobSpec, Manifest, SpecError};
use crate::output::{Files, without_raw_answers};
use crate::run_blocking::run_blocking;
use crate::running_job::{Inputs, RunningJob};
use crate::state::{Address, JobRecord, JobStatus, StoreError, StoredDocument, WriteCondition, keys};

/// Moves the job from Initializing to InProgress, or to Failed with a reason. Returns the inputs, so that they need not be
/// read twice.
pub(super) async fn open(
    core: &Core,
    record: &StoredDocument<JobRecord>,
) -> Result<Option<Inputs>, StoreError> {
    let inputs = inputs(core, &record.value, true).await?;
    let mut job = record.value.clone();
    job.modified = (core.clock)();
    match &inputs {
        Ok(inputs) => {
            job.status = JobStatus::InProgress;
            job.opened = Some(job.modified);
            job.counters = inputs.manifest.counters();
        }
        Err(reason) => finish::mark_failed(&mut job, reason),
    }
    finish::store_and_announce(core, &job, &record.etag).await?;
    Ok(inputs.ok())
}

/// Runs a job that is in progress, whichever engine began it. The inner error is an input that cannot be used any more.
pub(super) async fn resume(
    core: &Core,
    job: &JobRecord,
    known: Option<Inputs>,
) -> Result<Result<Arc<RunningJob>, String>, StoreError> {
    let spec = match JobSpec::from_request(&job.request) {
        Ok(spec) => spec,
        Err(SpecError(reason)) => return Ok(Err(reason)),
    };
    let inputs = match known {
        Some(known) => known,
        None => match inputs(core, job, false).await? {
            Ok(inputs) => inputs,
            Err(reason) => return Ok(Err(reason)),
        },
    };
    let running = Arc::new(RunningJob::new(
        job,
        spec,
        inputs,
        core.documents.clone(),
        core.clock.clone(),
    ));
    running.items.resume().await?;
    running.items.check_job().await?;
    // Raw answers that an earlier run of this engine, or another engine, did not write.
    let finished = running.items.take_finished();
    let unwritten = without_raw_answers(core.objects.as_ref(), &running, finished).await?;
    running.items.return_finished(unwritten);
    core.running_jobs.insert(running.clone());
    Ok(Ok(running))
}

/// The outer error is a store that does not reply, the inner one an input that cannot be used.
async fn inputs(core: &Core, job: &JobRecord, is_new: bool) -> Result<Result<Inputs, String>, StoreError> {
    match read_inputs(core, job, is_new).await {
        Ok(inputs) => Ok(Ok(inputs)),
        Err(InputError::Store(StoreError::Refused(reason))) => Ok(Err(reason)),
        Err(InputError::Store(error)) => Err(error),
        Err(InputError::Unusable(reason)) => Ok(Err(reason)),
    }
}

enum InputError {
    Store(StoreError),
    Unusable(String),
}

impl From<StoreError> for InputError {
    fn from(error: StoreError) -> InputError {
        InputError::Store(error)
    }
}

async fn read_inputs(core: &Core, job: &JobRecord, is_new: bool) -> Result<Inputs, InputError> {
    let spec = JobSpec::from_request(&job.request).map_err(|refusal| InputError::Unusable(refusal.0))?;
    if is_new {
        check_output(core, &spec).await?;
    }
    let categories = input(core, &spec, "categories.json", &spec.categories).await?;
    let template = input(core, &spec, "template.liquid.html", &spec.template).await?;
    let manifest = input(core, &spec, "input.manifest", &spec.manifest).await?;
    run_blocking(move || parse(&spec, &categories, &template, manifest)).await?
}

/// The output path is checked before people work, not only when their work is to be written.
async fn check_output(core: &Core, spec: &JobSpec) -> Result<(), InputError> {
    let folder = Files::of(spec).raw_folder();
    match core.objects.list(&folder.bucket, &folder.key).await {
        Ok(_) => Ok(()),
        Err(StoreError::Refused(why)) => Err(InputError::Unusable(format!(
            "The output path {} cannot be used: {why}.",
            spec.output
        ))),
        Err(error) => Err(error.into()),
    }
}

fn parse(spec: &JobSpec, categories: &[u8], template: &[u8], manifest: Bytes) -> Result<Inputs, InputError> {
    let categories = Categories::read(spec.task, categories).map_err(|why| {
        InputError::Unusable(format!(
            "The label category file {} cannot be used: {why}.",
            spec.categories
        ))
    })?;
    let template = std::str::from_utf8(template)
        .map_err(|_| InputError::Unusable(format!("The worker template {} is not UTF-8.", spec.template)))?;
    crate::render::check(template).map_err(|why| {
        InputError::Unusable(format!(
            "The worker template {} cannot be used: {why}",
            spec.template
        ))
    })?;
    let manifest = Manifest::read(spec.task, &spec.attribute, manifest).map_err(|why| {
        InputError::Unusable(format!(
            "The input manifest {} cannot be used: {why}.",
            spec.manifest
        ))
    })?;
    Ok(Inputs {
        manifest,
        categories,
        template: template.into(),
    })
}

/// The job's own copy of an input. It is made at the first reading, so that a running job does not depend on what is changed
/// or deleted later.
async fn input(core: &Core, spec: &JobSpec, what: &str, original: &Address) -> Result<Bytes, InputError> {
    let copy = core.documents.at(&keys::input(&spec.name, what));
    for _ in 0..3 {
        if let Some(object) = core.objects.get(&copy).await? {
            return Ok(object.body);
        }
        let object = core
            .objects
            .get(original)
            .await?
            .ok_or_else(|| InputError::Unusable(format!("{original} does not exist.")))?;
        match core
            .objects
            .put(&copy, object.body.clone(), WriteCondition::IfAbsent)
            .await
        {
            Ok(_) => return Ok(object.body),
            Err(StoreError::Changed) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(StoreError::Failed(format!("{copy} is created and deleted by another program")).into())
}
