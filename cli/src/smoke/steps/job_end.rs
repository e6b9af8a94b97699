//! The end of a smoke test's job: it is labeled or stopped, announced, and has results.

use std::collections::BTreeMap;

use anyhow::{Context as _, bail, ensure};
use console::model::Phase;
use shared::layout;
use shared::notice::{NoticeKind, NoticeMarker};
use shared::output;
use shared::port::JobState;
use shared::summary::JobSummary;

use crate::demo::sign_in::sign_in;
use crate::demo::worker::Worker;
use crate::smoke::dataset;
use crate::smoke::printer::Printer;
use crate::smoke::run::{BATCH, Progress, SmokeRun, StateBefore, Step};
use crate::smoke::team::WorkerSignIn;

/// How the job has ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum JobEnd {
    Labeled,
    Stopped,
}

impl JobEnd {
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

pub(super) async fn run_all(smoke: &SmokeRun, printer: &Printer, before: &StateBefore) -> anyhow::Result<()> {
    let end = match &smoke.worker {
        Some(worker) => {
            printer
                .step("labeled", label_items(smoke, printer, worker, before))
                .await?
        }
        None => printer.step("stopped", stop_job(smoke, printer)).await?,
    };
    printer
        .step("notice sent", await_notice(smoke, printer, end))
        .await?;
    printer.step("results written", check_results(smoke, end)).await?;
    printer
        .step("nothing failed", check_dead_letters(smoke, before))
        .await
}

async fn label_items(
    smoke: &SmokeRun,
    printer: &Printer,
    worker: &WorkerSignIn,
    before: &StateBefore,
) -> Step<JobEnd> {
    let portal = match (&smoke.target.portal, before.team.sub_domain.as_str()) {
        (Some(portal), _) => portal.clone(),
        (None, "") => bail!("the address of the worker portal is not known: deploy the stack with PortalUrl"),
        (None, host) => format!("https://{host}"),
    };
    let WorkerSignIn { email, password } = worker;
    let client = sign_in(&portal, email, password).await.with_context(|| {
        format!(
            "{email} could not sign in at {portal}; without a worker's sign-in the job is stopped instead"
        )
    })?;
    printer.state(&format!("labeling as {email}"));
    let labeling = Worker::new(client, &portal, false);
    let answers = tokio::time::timeout(smoke.step_timeout, labeling.label(smoke.job.as_str())).await;
    let answers = answers.context("the portal did not give the items in time")??;
    ensure!(
        answers.len() == dataset::FILES.len(),
        "the portal gave {} of {} items: is {email} in the team {}?",
        answers.len(),
        dataset::FILES.len(),
        smoke.team
    );
    let end = await_end(smoke, printer).await?;
    ensure!(
        end == JobEnd::Labeled,
        "another program or person stopped the job"
    );
    Ok((end, format!("{} answers given at {portal}", answers.len())))
}

async fn stop_job(smoke: &SmokeRun, printer: &Printer) -> Step<JobEnd> {
    smoke.services.labeling.stop(smoke.job.as_str()).await?;
    let end = await_end(smoke, printer).await?;
    let result = match end {
        JobEnd::Stopped => "without a worker's sign-in, no one labels it",
        JobEnd::Labeled => "a worker of the team had labeled it before",
    };
    Ok((end, result.to_owned()))
}

async fn await_end(smoke: &SmokeRun, printer: &Printer) -> anyhow::Result<JobEnd> {
    let read = async || {
        let job = smoke.services.job(smoke.job.as_str()).await?.description;
        let state = Phase::from(job.state).word();
        Ok(match job.state {
            JobState::Completed => Progress::Done(JobEnd::Labeled),
            JobState::Stopped => Progress::Done(JobEnd::Stopped),
            JobState::Failed => {
                let reason = job.failure_reason.as_deref().unwrap_or("no reason given");
                bail!("the job failed: {reason}")
            }
            _ => Progress::Pending(format!("the job is {state}")),
        })
    };
    smoke.until(printer, read).await
}

/// The marker is written when the topic has taken the notice.
async fn await_notice(smoke: &SmokeRun, printer: &Printer, end: JobEnd) -> Step<()> {
    let key = layout::notice_marker(&format!("jobs/{}/{}", smoke.job, end.word()));
    let read = async || {
        let notified: Option<NoticeMarker> = smoke.services.document(&key).await?;
        Ok(notified.map_or_else(
            || Progress::Pending("notify has not announced the end of the job yet".to_owned()),
            Progress::Done,
        ))
    };
    let notice = smoke.until(printer, read).await?.notice;
    ensure!(
        notice.kind == end.notice() && notice.dataset == smoke.dataset.as_str(),
        "{key} holds another notice: {}",
        notice.subject
    );
    Ok(((), format!("\"{}\"", notice.subject)))
}

async fn check_results(smoke: &SmokeRun, end: JobEnd) -> Step<()> {
    let folder = layout::results_folder(&smoke.dataset, BATCH);
    let summary: Option<JobSummary> = smoke.services.document(&format!("{folder}summary.json")).await?;
    let summary = summary.with_context(|| format!("there is no {folder}summary.json"))?;
    ensure!(
        summary.job == smoke.job.as_str() && summary.state == end.state(),
        "{folder}summary.json is of the job {} and says {:?}",
        summary.job,
        summary.state
    );
    let report = smoke.services.object(&format!("{folder}report.md")).await?;
    ensure!(report.is_some(), "there is no {folder}report.md");
    if end == JobEnd::Stopped {
        return Ok(((), format!("{folder}summary.json and report.md")));
    }
    let labeled = &summary.labels;
    // Where a worker of the team labeled it, the answers are not known.
    if smoke.worker.is_some() {
        check_labels(smoke, &summary).await?;
    }
    let csv = smoke.services.object(&format!("{folder}labels.csv")).await?;
    ensure!(csv.is_some(), "there is no {folder}labels.csv");
    let counts = format!("{} of {} labeled", labeled.labeled, labeled.total);
    Ok((
        (),
        format!("{folder}summary.json, report.md and labels.csv: {counts}"),
    ))
}

/// The output manifest has the labels that were given.
async fn check_labels(smoke: &SmokeRun, summary: &JobSummary) -> anyhow::Result<()> {
    let manifest = summary
        .output_manifest
        .as_deref()
        .context("the summary names no output manifest")?;
    let manifest = smoke.services.object_at(manifest).await?;
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

async fn check_dead_letters(smoke: &SmokeRun, before: &StateBefore) -> Step<()> {
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
