//! The beginning of a job: its inputs are copied, checked, and put to work.

use std::sync::Arc;

use bytes::Bytes;

use crate::blocking::blocking;
use crate::core::Core;
use crate::job::{Categories, JobSpec, Manifest, Refusal};
use crate::output::{Files, without_raw_answers};
use crate::state::{Address, JobRecord, JobStatus, StoreError, Stored, When, keys};
use crate::work::{Inputs, Running};

/// From Initializing to InProgress, or to Failed with a reason. The inputs, so that they need not be read twice.
pub(super) async fn open(core: &Core, record: &Stored<JobRecord>) -> Result<Option<Inputs>, StoreError> {
    let inputs = inputs(core, &record.value, true).await?;
    let mut job = record.value.clone();
    job.modified = (core.clock)();
    match &inputs {
        Ok(inputs) => {
            job.status = JobStatus::InProgress;
            job.opened = Some(job.modified);
            job.counters = inputs.manifest.counters();
        }
        Err(reason) => super::finish::fail(&mut job, reason),
    }
    super::end_with(core, &job, &record.etag).await?;
    Ok(inputs.ok())
}

/// Puts a job to work that is in progress, whoever began it. The inner error is an input that cannot be used any more.
pub(super) async fn resume(
    core: &Core,
    job: &JobRecord,
    known: Option<Inputs>,
) -> Result<Result<Arc<Running>, String>, StoreError> {
    let spec = match JobSpec::from_request(&job.request) {
        Ok(spec) => spec,
        Err(Refusal(reason)) => return Ok(Err(reason)),
    };
    let inputs = match known {
        Some(known) => known,
        None => match inputs(core, job, false).await? {
            Ok(inputs) => inputs,
            Err(reason) => return Ok(Err(reason)),
        },
    };
    let running = Arc::new(Running::new(
        job,
        spec,
        inputs,
        core.documents.clone(),
        core.clock.clone(),
    ));
    running.resume().await?;
    running.look().await?;
    let done = running.take_done();
    running.give_back_done(without_raw_answers(core.objects.as_ref(), &running, done).await?);
    core.set_running(&job.name, Some(running.clone()));
    Ok(Ok(running))
}

/// The outer error is a store that does not answer, the inner one an input that cannot be used.
async fn inputs(core: &Core, job: &JobRecord, is_new: bool) -> Result<Result<Inputs, String>, StoreError> {
    match read_inputs(core, job, is_new).await {
        Ok(inputs) => Ok(Ok(inputs)),
        Err(Unusable::Store(StoreError::Refused(reason))) => Ok(Err(reason)),
        Err(Unusable::Store(error)) => Err(error),
        Err(Unusable::Input(reason)) => Ok(Err(reason)),
    }
}

enum Unusable {
    Store(StoreError),
    Input(String),
}

impl From<StoreError> for Unusable {
    fn from(error: StoreError) -> Unusable {
        Unusable::Store(error)
    }
}

async fn read_inputs(core: &Core, job: &JobRecord, is_new: bool) -> Result<Inputs, Unusable> {
    let spec = JobSpec::from_request(&job.request).map_err(|refusal| Unusable::Input(refusal.0))?;
    if is_new {
        check_output(core, &spec).await?;
    }
    let categories = input(core, &spec, "categories.json", &spec.categories).await?;
    let template = input(core, &spec, "template.liquid.html", &spec.template).await?;
    let manifest = input(core, &spec, "input.manifest", &spec.manifest).await?;
    blocking(move || parse(&spec, &categories, &template, manifest)).await?
}

/// As the inputs are: better before people work than when their work is to be written.
async fn check_output(core: &Core, spec: &JobSpec) -> Result<(), Unusable> {
    let folder = Files::of(spec).raw_folder();
    match core.objects.list(&folder.bucket, &folder.key).await {
        Ok(_) => Ok(()),
        Err(StoreError::Refused(why)) => Err(Unusable::Input(format!(
            "The output path {} cannot be used: {why}.",
            spec.output
        ))),
        Err(error) => Err(error.into()),
    }
}

fn parse(spec: &JobSpec, categories: &[u8], template: &[u8], manifest: Bytes) -> Result<Inputs, Unusable> {
    let categories = Categories::read(spec.task, categories).map_err(|why| {
        Unusable::Input(format!(
            "The label category file {} cannot be used: {why}.",
            spec.categories
        ))
    })?;
    let template = std::str::from_utf8(template)
        .map_err(|_| Unusable::Input(format!("The worker template {} is not UTF-8.", spec.template)))?;
    crate::render::check(template).map_err(|why| {
        Unusable::Input(format!(
            "The worker template {} cannot be used: {why}",
            spec.template
        ))
    })?;
    let manifest = Manifest::read(spec.task, &spec.attribute, manifest).map_err(|why| {
        Unusable::Input(format!(
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

/// The job's own copy of an input, made at the first reading: what is changed or deleted later does not matter to a
/// running job, in this process or the next.
async fn input(core: &Core, spec: &JobSpec, what: &str, given: &Address) -> Result<Bytes, Unusable> {
    let copy = core.documents.at(&keys::input(&spec.name, what));
    for _ in 0..3 {
        if let Some(object) = core.objects.get(&copy).await? {
            return Ok(object.body);
        }
        let object = core
            .objects
            .get(given)
            .await?
            .ok_or_else(|| Unusable::Input(format!("{given} does not exist.")))?;
        match core.objects.put(&copy, object.body.clone(), When::Absent).await {
            Ok(_) => return Ok(object.body),
            Err(StoreError::Changed) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(StoreError::Failed(format!("{copy} appears and disappears")).into())
}
