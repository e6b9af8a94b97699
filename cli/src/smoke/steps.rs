//! The steps of a dataset, each looked at where it leaves its trace.

mod ending;

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use anyhow::{Context as _, bail, ensure};
use aws_sdk_sagemaker::operation::describe_labeling_job::DescribeLabelingJobOutput;
use aws_sdk_sagemaker::types::LabelingJobStatus as Status;
use serde_json::Value;
use shared::layout;
use shared::manifest::{Origin, origins};
use shared::name::BatchNumber;
use shared::spec::Spec;
use shared::status::{DatasetState, DatasetStatus, Started, Waiting, WaitingReason};

use super::narrator::Narrator;
use super::{Look, Smoke, dataset};
use crate::cloud::{Object, WorkTeam};

type Step<T> = anyhow::Result<(T, String)>;

const BATCH: BatchNumber = BatchNumber::FIRST;

/// How things stood before.
pub(super) struct Before {
    team: WorkTeam,
    dead_letters: BTreeMap<String, u64>,
}

/// What was dropped.
pub(super) struct Dropped {
    /// ETags by key.
    files: BTreeMap<String, String>,
    spec: String,
}

pub(super) async fn all(smoke: &Smoke, say: &Narrator) -> anyhow::Result<()> {
    let before = say.step("stack answers", answers(smoke)).await?;
    let dropped = say.step("files dropped", drop_files(smoke)).await?;
    say.step("batch cut", batch(smoke, say, &dropped)).await?;
    say.step("job asked for", job(smoke, say, &before.team)).await?;
    say.step("job runs", runs(smoke, say)).await?;
    ending::all(smoke, say, &before).await
}

async fn answers(smoke: &Smoke) -> Step<Before> {
    let model = smoke.reader.load().await?;
    if let Some(problem) = model
        .problems
        .iter()
        .find(|problem| problem.contains("could not be read"))
    {
        bail!("{problem}");
    }
    let config = &smoke.target.config;
    let team = smoke.cloud.team(&smoke.team).await?;
    let service = if smoke.target.engine {
        "a Groundcrew engine"
    } else {
        "Ground Truth"
    };
    let seen = format!(
        "{}, {}, {} queues, {service} with the team {}",
        config.input_bucket,
        config.output_bucket,
        config.queues.len(),
        smoke.team
    );
    let letters = model.dead_letters.into_iter().map(|l| (l.queue, l.count));
    let before = Before {
        team,
        dead_letters: letters.collect(),
    };
    Ok((before, seen))
}

/// The spec goes last: when it is there, everything is.
async fn drop_files(smoke: &Smoke) -> Step<Dropped> {
    smoke.dropped.store(true, Ordering::Relaxed);
    let mut files = BTreeMap::new();
    for (name, text, _) in dataset::FILES {
        let key = format!("{}/{name}", smoke.dataset);
        let etag = smoke.cloud.put(&key, text).await?;
        files.insert(key, etag);
    }
    let spec = dataset::spec(&smoke.team);
    smoke
        .cloud
        .put(&layout::spec_input(&smoke.dataset), &spec)
        .await?;
    let seen = format!("{} texts and a labeling.yaml", files.len());
    Ok((Dropped { files, spec }, seen))
}

async fn batch(smoke: &Smoke, say: &Narrator, dropped: &Dropped) -> Step<()> {
    let key = layout::manifest(&smoke.dataset, BATCH);
    let manifest = smoke
        .until(say, async || look_for_batch(smoke, &key).await)
        .await?;
    holds(&manifest.body, dropped)?;
    let sha256 = Spec::sha256(dropped.spec.as_bytes());
    let told = |name: &str| manifest.metadata.get(name).map(String::as_str);
    ensure!(
        told("items") == Some("3") && told("spec-sha256") == Some(&sha256),
        "{key} says of itself {:?}, not 3 items cut with the spec that was dropped",
        manifest.metadata
    );
    let pinned = smoke.cloud.object(&layout::pinned_spec(&sha256)).await?;
    let pinned = pinned.with_context(|| format!("the spec of {key} is not kept"))?;
    ensure!(
        pinned.body == dropped.spec.as_bytes(),
        "the spec that is kept is not the one that was dropped"
    );
    Ok(((), format!("{key}, the three texts and no more")))
}

async fn look_for_batch(smoke: &Smoke, key: &str) -> anyhow::Result<Look<Object>> {
    if let Some(manifest) = smoke.cloud.object(key).await? {
        return Ok(Look::There(manifest));
    }
    let status: Option<DatasetStatus> = smoke.cloud.document(&layout::status(&smoke.dataset)).await?;
    let Some(status) = status else {
        return Ok(Look::NotYet(
            "build-manifest has not looked at the dataset".to_owned(),
        ));
    };
    let bad = matches!(status.state, DatasetState::BadSpec | DatasetState::Halted);
    ensure!(!bad && status.rejected == 0, "{}", status.message);
    Ok(Look::NotYet(status.message))
}

/// Every line is one of the files as it was dropped, and every file is there once.
fn holds(manifest: &[u8], dropped: &Dropped) -> anyhow::Result<()> {
    let found: Vec<Origin> = origins(manifest).collect::<Result<_, _>>()?;
    let files: BTreeMap<String, String> = found.iter().map(|o| (o.key.clone(), o.etag.clone())).collect();
    ensure!(
        found.len() == dropped.files.len() && files == dropped.files,
        "the batch holds other files than were dropped: {files:?}"
    );
    let lines = manifest
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty());
    for (line, origin) in lines.zip(&found) {
        let line: Value = serde_json::from_slice(line)?;
        let text = line["source"].as_str().unwrap_or_default();
        let right = dataset::FILES
            .iter()
            .any(|(name, content, _)| origin.key.ends_with(&format!("/{name}")) && text.trim() == *content);
        ensure!(
            right,
            "the batch has another text for {} than was dropped",
            origin.key
        );
    }
    Ok(())
}

async fn job(smoke: &Smoke, say: &Narrator, team: &WorkTeam) -> Step<()> {
    let started = smoke.until(say, async || look_for_job(smoke).await).await?;
    let name = smoke.job.as_str();
    ensure!(
        started.job == name,
        "the job is called {}, not {name}",
        started.job
    );
    let described = smoke.cloud.job(name).await?;
    asked_as_planned(smoke, &described, team)?;
    Ok(((), format!("{name}, with this batch for this team")))
}

async fn look_for_job(smoke: &Smoke) -> anyhow::Result<Look<Started>> {
    let (started, waiting) = (
        layout::job_started(&smoke.dataset, BATCH),
        layout::job_waiting(&smoke.dataset, BATCH),
    );
    if let Some(started) = smoke.cloud.document(&started).await? {
        return Ok(Look::There(started));
    }
    let waiting: Option<Waiting> = smoke.cloud.document(&waiting).await?;
    let Some(waiting) = waiting else {
        return Ok(Look::NotYet("start-job has not asked for the job".to_owned()));
    };
    // Somebody has to change something before it starts; a quota comes free by itself.
    let hopeless = matches!(waiting.reason, WaitingReason::Refused | WaitingReason::NameTaken);
    ensure!(!hopeless, "{}", waiting.message);
    Ok(Look::NotYet(waiting.message))
}

fn asked_as_planned(smoke: &Smoke, job: &DescribeLabelingJobOutput, team: &WorkTeam) -> anyhow::Result<()> {
    let source = job.input_config().and_then(|input| input.data_source());
    let manifest = source
        .and_then(|source| source.s3_data_source())
        .and_then(|s3| s3.manifest_s3_uri());
    let config = &smoke.target.config;
    let right = format!(
        "s3://{}/{}",
        config.output_bucket,
        layout::manifest(&smoke.dataset, BATCH)
    );
    ensure!(
        manifest == Some(&right),
        "the job labels {manifest:?} instead of {right}"
    );
    let task = job.human_task_config();
    let asked = task.and_then(|task| task.workteam_arn());
    ensure!(
        asked == Some(&team.arn),
        "the job is for the team {asked:?} instead of {}",
        team.arn
    );
    Ok(())
}

async fn runs(smoke: &Smoke, say: &Narrator) -> Step<()> {
    let look = async || {
        let job = smoke.cloud.job(smoke.job.as_str()).await?;
        Ok(match job.labeling_job_status() {
            Some(Status::InProgress | Status::Completed) => Look::There(()),
            Some(status @ (Status::Failed | Status::Stopping | Status::Stopped)) => {
                bail!(
                    "the job is {status}: {}",
                    job.failure_reason().unwrap_or("no reason given")
                )
            }
            status => Look::NotYet(format!("the job is {}", status.map_or("nothing", Status::as_str))),
        })
    };
    smoke.until(say, look).await?;
    Ok(((), "workers can have its items".to_owned()))
}
