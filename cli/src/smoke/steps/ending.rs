//! How a smoke test's job ends: labeled, or stopped; told, with results.

use std::collections::BTreeMap;

use anyhow::{Context as _, bail, ensure};
use aws_sdk_sagemaker::types::LabelingJobStatus as Status;
use shared::layout;
use shared::notice::{NoticeKind, Notified};
use shared::output;
use shared::port::JobState;
use shared::status::JobSummary;

use super::{BATCH, Before, Smoke, Step};
use crate::demo::sign_in::sign_in;
use crate::demo::worker::Worker;
use crate::smoke::narrator::Narrator;
use crate::smoke::team::SignIn;
use crate::smoke::{Look, dataset};

/// How the job has ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Labeled,
    Stopped,
}

impl End {
    /// The last part of its notice's id.
    fn word(self) -> &'static str {
        match self {
            Self::Labeled => "completed",
            Self::Stopped => "stopped",
        }
    }

    fn notice(self) -> NoticeKind {
        match self {
            Self::Labeled => NoticeKind::JobCompleted,
            Self::Stopped => NoticeKind::JobStopped,
        }
    }

    fn state(self) -> JobState {
        match self {
            Self::Labeled => JobState::Completed,
            Self::Stopped => JobState::Stopped,
        }
    }
}

pub(super) async fn all(smoke: &Smoke, say: &Narrator, before: &Before) -> anyhow::Result<()> {
    let end = match &smoke.worker {
        Some(worker) => say.step("labeled", label(smoke, say, worker, before)).await?,
        None => say.step("stopped", stop(smoke, say)).await?,
    };
    say.step("notice sent", notice(smoke, say, end)).await?;
    say.step("results written", results(smoke, end)).await?;
    say.step("nothing failed", dead_letters(smoke, before)).await
}

async fn label(smoke: &Smoke, say: &Narrator, worker: &SignIn, before: &Before) -> Step<End> {
    let portal = match (&smoke.target.portal, &before.team.sub_domain) {
        (Some(portal), _) => portal.clone(),
        (None, Some(host)) => format!("https://{host}"),
        (None, None) => bail!("nobody says where the worker portal is: deploy the stack with PortalUrl"),
    };
    let SignIn { email, password } = worker;
    let client = sign_in(&portal, email, password).await.with_context(|| {
        format!(
            "{email} could not sign in at {portal}; without a worker's sign-in the job is stopped instead"
        )
    })?;
    say.state(&format!("labeling as {email}"));
    let labeling = Worker::new(client, &portal, false);
    let answers = tokio::time::timeout(smoke.patience, labeling.label(smoke.job.as_str())).await;
    let answers = answers.context("the portal did not give the items in time")??;
    ensure!(
        answers.len() == dataset::FILES.len(),
        "the portal gave {} of {} items: is {email} in the team {}?",
        answers.len(),
        dataset::FILES.len(),
        smoke.team
    );
    let end = ended(smoke, say).await?;
    ensure!(end == End::Labeled, "the job was stopped by somebody else");
    Ok((end, format!("{} answers given at {portal}", answers.len())))
}

async fn stop(smoke: &Smoke, say: &Narrator) -> Step<End> {
    smoke.cloud.stop(smoke.job.as_str()).await?;
    let end = ended(smoke, say).await?;
    let seen = match end {
        End::Stopped => "nobody's sign-in was given, so nobody labels it",
        End::Labeled => "somebody of the team had labeled it before",
    };
    Ok((end, seen.to_owned()))
}

async fn ended(smoke: &Smoke, say: &Narrator) -> anyhow::Result<End> {
    let look = async || {
        let job = smoke.cloud.job(smoke.job.as_str()).await?;
        Ok(match job.labeling_job_status() {
            Some(Status::Completed) => Look::There(End::Labeled),
            Some(Status::Stopped) => Look::There(End::Stopped),
            Some(Status::Failed) => {
                bail!(
                    "the job failed: {}",
                    job.failure_reason().unwrap_or("no reason given")
                )
            }
            status => Look::NotYet(format!("the job is {}", status.map_or("nothing", Status::as_str))),
        })
    };
    smoke.until(say, look).await
}

/// The marker is written when the topic has taken the notice.
async fn notice(smoke: &Smoke, say: &Narrator, end: End) -> Step<()> {
    let key = layout::notified(&format!("jobs/{}/{}", smoke.job, end.word()));
    let look = async || {
        let told: Option<Notified> = smoke.cloud.document(&key).await?;
        Ok(told.map_or_else(
            || Look::NotYet("notify has not told that the job has ended".to_owned()),
            Look::There,
        ))
    };
    let told = smoke.until(say, look).await?.notice;
    ensure!(
        told.kind == end.notice() && told.dataset == smoke.dataset.as_str(),
        "{key} holds another notice: {}",
        told.subject
    );
    Ok(((), format!("\"{}\"", told.subject)))
}

async fn results(smoke: &Smoke, end: End) -> Step<()> {
    let folder = layout::results_folder(&smoke.dataset, BATCH);
    let summary: Option<JobSummary> = smoke.cloud.document(&format!("{folder}summary.json")).await?;
    let summary = summary.with_context(|| format!("{folder}summary.json is not there"))?;
    ensure!(
        summary.job == smoke.job.as_str() && summary.state == end.state(),
        "{folder}summary.json is of the job {} and says {:?}",
        summary.job,
        summary.state
    );
    let report = smoke.cloud.object(&format!("{folder}report.md")).await?;
    ensure!(report.is_some(), "{folder}report.md is not there");
    if end == End::Stopped {
        return Ok(((), format!("{folder}summary.json and report.md")));
    }
    let labeled = &summary.labels;
    // Who stopped too late does not know what was said.
    if smoke.worker.is_some() {
        labels(smoke, &summary).await?;
    }
    let csv = smoke.cloud.object(&format!("{folder}labels.csv")).await?;
    ensure!(csv.is_some(), "{folder}labels.csv is not there");
    let counts = format!("{} of {} labeled", labeled.labeled, labeled.total);
    Ok((
        (),
        format!("{folder}summary.json, report.md and labels.csv: {counts}"),
    ))
}

/// The output manifest has the labels that were given.
async fn labels(smoke: &Smoke, summary: &JobSummary) -> anyhow::Result<()> {
    let manifest = summary
        .output_manifest
        .as_deref()
        .context("the summary names no output manifest")?;
    let manifest = smoke.cloud.at(manifest).await?.body;
    let mut given = BTreeMap::new();
    for line in output::read(manifest.as_slice(), &summary.label_attribute) {
        let line = line?;
        let classes = line
            .label
            .as_ref()
            .map(|label| label.classes())
            .unwrap_or_default();
        let label = classes.first().map(|class| class.name.clone());
        given.insert(line.key().to_owned(), label);
    }
    for (name, text, right) in dataset::FILES {
        let label = given.get(&format!("{}/{name}", smoke.dataset)).cloned().flatten();
        ensure!(
            label.as_deref() == Some(right),
            "{text} was answered with {right}, and the label is {label:?}"
        );
    }
    Ok(())
}

async fn dead_letters(smoke: &Smoke, before: &Before) -> Step<()> {
    let model = smoke.reader.load().await?;
    for now in &model.dead_letters {
        let earlier = before.dead_letters.get(&now.queue).copied().unwrap_or(0);
        ensure!(
            now.count <= earlier,
            "the dead letters of {} went from {earlier} to {}: {}",
            now.queue,
            now.count,
            now.first.join("; ")
        );
    }
    Ok((
        (),
        format!("no new dead letters in {} queues", model.dead_letters.len()),
    ))
}
