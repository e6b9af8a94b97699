//! The steps of a dataset, each checked by what it writes or by what the labeling service says.

mod job_end;

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use anyhow::{Context as _, bail, ensure};
use aws::labeling::admin::JobDetails;
use console::model::Phase;
use serde_json::Value;
use shared::layout;
use shared::manifest::{Origin, origins};
use shared::port::{Bucket, JobState, StoredObject};
use shared::spec::Spec;
use shared::status::{DatasetState, DatasetStatus, StartedJob, WaitingBatch, WaitingReason};

use super::dataset;
use super::printer::Printer;
use super::run::{BATCH, Progress, SmokeRun, StateBefore, Step};

/// The files that were dropped.
struct DroppedFiles {
    /// ETags by key.
    files: BTreeMap<String, String>,
    spec: String,
}

pub(super) async fn run_all(smoke: &SmokeRun, printer: &Printer) -> anyhow::Result<()> {
    let before = printer.step("stack answers", check_stack(smoke)).await?;
    let dropped = printer.step("files dropped", drop_files(smoke)).await?;
    printer
        .step("batch cut", await_batch(smoke, printer, &dropped))
        .await?;
    printer
        .step("job created", await_job(smoke, printer, &before.team.arn))
        .await?;
    printer.step("job runs", await_running(smoke, printer)).await?;
    job_end::run_all(smoke, printer, &before).await
}

async fn check_stack(smoke: &SmokeRun) -> Step<StateBefore> {
    let model = smoke.reader.load().await?;
    if let Some(problem) = model.problems.first() {
        bail!("{problem}");
    }
    let config = &smoke.target.config;
    let team = smoke.work_team().await?;
    let service = if smoke.target.is_engine {
        "a Groundcrew engine"
    } else {
        "Ground Truth"
    };
    let result = format!(
        "{}, {}, {} queues, {service} with the team {}",
        config.input_bucket,
        config.output_bucket,
        config.queues.len(),
        smoke.team
    );
    let letters = model.dead_letters.into_iter().map(|l| (l.queue, l.count));
    let before = StateBefore {
        team,
        dead_letters: letters.collect(),
    };
    Ok((before, result))
}

/// The spec comes last: when it is there, all files are.
async fn drop_files(smoke: &SmokeRun) -> Step<DroppedFiles> {
    smoke.has_dropped.store(true, Ordering::Relaxed);
    let mut files = BTreeMap::new();
    for (name, text, _) in dataset::FILES {
        let key = format!("{}/{name}", smoke.dataset);
        let etag = smoke.services.write(Bucket::Input, &key, text).await?;
        files.insert(key, etag);
    }
    let spec = dataset::spec(&smoke.team);
    let key = layout::spec_input(&smoke.dataset);
    smoke.services.write(Bucket::Input, &key, &spec).await?;
    let result = format!("{} texts and a labeling.yaml", files.len());
    Ok((DroppedFiles { files, spec }, result))
}

async fn await_batch(smoke: &SmokeRun, printer: &Printer, dropped: &DroppedFiles) -> Step<()> {
    let key = layout::manifest(&smoke.dataset, BATCH);
    let read = async || read_batch(smoke, &key).await;
    let manifest = smoke.until(printer, read).await?;
    check_manifest(&manifest.bytes, dropped)?;
    let sha256 = Spec::sha256(dropped.spec.as_bytes());
    let metadata = |name: &str| manifest.metadata.get(name).map(String::as_str);
    ensure!(
        metadata("items") == Some("3") && metadata("spec-sha256") == Some(&sha256),
        "the metadata of {key} is {:?}, not 3 items and the spec that was dropped",
        manifest.metadata
    );
    let pinned = smoke.services.object(&layout::pinned_spec(&sha256)).await?;
    let pinned = pinned.with_context(|| format!("there is no copy of the spec of {key}"))?;
    ensure!(
        pinned.bytes == dropped.spec.as_bytes(),
        "the copy of the spec is not the spec that was dropped"
    );
    Ok(((), format!("{key}, the three texts and no more")))
}

async fn read_batch(smoke: &SmokeRun, key: &str) -> anyhow::Result<Progress<StoredObject>> {
    if let Some(manifest) = smoke.services.object(key).await? {
        return Ok(Progress::Done(manifest));
    }
    let status: Option<DatasetStatus> = smoke.services.document(&layout::status(&smoke.dataset)).await?;
    let Some(status) = status else {
        return Ok(Progress::Pending(
            "build-manifest has not read the dataset yet".to_owned(),
        ));
    };
    let is_bad = matches!(
        status.state,
        DatasetState::BadSpec | DatasetState::Halted | DatasetState::DailyBound
    );
    ensure!(!is_bad && status.rejected == 0, "{}", status.message);
    Ok(Progress::Pending(status.message))
}

/// Every line is one of the files as it was dropped, and every file is there once.
fn check_manifest(manifest: &[u8], dropped: &DroppedFiles) -> anyhow::Result<()> {
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

async fn await_job(smoke: &SmokeRun, printer: &Printer, team_arn: &str) -> Step<()> {
    let started = smoke.until(printer, async || read_job(smoke).await).await?;
    let name = smoke.job.as_str();
    ensure!(
        started.job == name,
        "the job is called {}, not {name}",
        started.job
    );
    let described = smoke.services.job(name).await?;
    check_request(smoke, &described, team_arn)?;
    Ok(((), format!("{name}, with this batch for this team")))
}

async fn read_job(smoke: &SmokeRun) -> anyhow::Result<Progress<StartedJob>> {
    let (started, waiting) = (
        layout::job_started(&smoke.dataset, BATCH),
        layout::job_waiting(&smoke.dataset, BATCH),
    );
    if let Some(started) = smoke.services.document(&started).await? {
        return Ok(Progress::Done(started));
    }
    let waiting: Option<WaitingBatch> = smoke.services.document(&waiting).await?;
    let Some(waiting) = waiting else {
        return Ok(Progress::Pending(
            "start-job has not created the job yet".to_owned(),
        ));
    };
    // The admin has to change something before it starts; a quota becomes free by itself.
    let is_stuck = matches!(
        waiting.reason,
        WaitingReason::Refused | WaitingReason::NameTaken | WaitingReason::DailyBound
    );
    ensure!(!is_stuck, "{}", waiting.message);
    Ok(Progress::Pending(waiting.message))
}

fn check_request(smoke: &SmokeRun, job: &JobDetails, team_arn: &str) -> anyhow::Result<()> {
    let batch = layout::manifest(&smoke.dataset, BATCH);
    let expected = format!("s3://{}/{batch}", smoke.target.config.output_bucket);
    let manifest = &job.description.manifest_uri;
    ensure!(
        *manifest == expected,
        "the job labels {manifest} instead of {expected}"
    );
    let team = &job.work_team_arn;
    ensure!(
        team == team_arn,
        "the job is for the team {team} instead of {team_arn}"
    );
    Ok(())
}

async fn await_running(smoke: &SmokeRun, printer: &Printer) -> Step<()> {
    let read = async || {
        let job = smoke.services.job(smoke.job.as_str()).await?.description;
        let state = Phase::from(job.state).word();
        Ok(match job.state {
            JobState::InProgress | JobState::Completed => Progress::Done(()),
            JobState::Failed | JobState::Stopping | JobState::Stopped => {
                let reason = job.failure_reason.as_deref().unwrap_or("no reason given");
                bail!("the job is {state}: {reason}")
            }
            JobState::Initializing => Progress::Pending(format!("the job is {state}")),
        })
    };
    smoke.until(printer, read).await?;
    Ok(((), "workers can have its items".to_owned()))
}
