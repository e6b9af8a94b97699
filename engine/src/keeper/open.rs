//! The beginning of a job: its inputs are copied, checked, and put to work.

use std::sync::Arc;

use bytes::Bytes;

use crate::core::Core;
use crate::job::{Categories, JobSpec, Manifest, Refusal};
use crate::output::without_raw_answers;
use crate::state::{Address, JobRecord, JobStatus, StoreError, Stored, When, keys};
use crate::work::{Inputs, Running};

/// From Initializing to InProgress, or to Failed with a reason.
pub(super) async fn open(core: &Core, record: &Stored<JobRecord>) -> Result<(), StoreError> {
    let inputs = inputs(core, &record.value).await?;
    let mut job = record.value.clone();
    job.modified = (core.clock)();
    match inputs {
        Ok(inputs) => {
            job.status = JobStatus::InProgress;
            job.opened = Some(job.modified);
            job.counters = inputs.manifest.counters();
        }
        Err(reason) => super::finish::fail(&mut job, &reason),
    }
    super::end_with(core, &job, &record.etag).await
}

/// Puts a job to work that is in progress, whoever began it. The inner error is an input that cannot be used any more.
pub(super) async fn resume(core: &Core, job: &JobRecord) -> Result<Result<Arc<Running>, String>, StoreError> {
    let (spec, inputs) = match (JobSpec::from_request(&job.request), inputs(core, job).await?) {
        (Ok(spec), Ok(inputs)) => (spec, inputs),
        (Err(Refusal(reason)), _) | (_, Err(reason)) => return Ok(Err(reason)),
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
async fn inputs(core: &Core, job: &JobRecord) -> Result<Result<Inputs, String>, StoreError> {
    match read_inputs(core, job).await {
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

async fn read_inputs(core: &Core, job: &JobRecord) -> Result<Inputs, Unusable> {
    let spec = JobSpec::from_request(&job.request).map_err(|refusal| Unusable::Input(refusal.0))?;
    let categories = input(core, &spec, "categories.json", &spec.categories).await?;
    let categories = Categories::read(spec.task, &categories).map_err(|why| {
        Unusable::Input(format!(
            "The label category file {} cannot be used: {why}.",
            spec.categories
        ))
    })?;
    let template = input(core, &spec, "template.liquid.html", &spec.template).await?;
    let template = String::from_utf8(template.to_vec())
        .map_err(|_| Unusable::Input(format!("The worker template {} is not UTF-8.", spec.template)))?;
    crate::render::check(&template).map_err(|why| {
        Unusable::Input(format!(
            "The worker template {} cannot be used: {why}",
            spec.template
        ))
    })?;
    let manifest = input(core, &spec, "input.manifest", &spec.manifest).await?;
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
