//! Waits for the demo's next event and shows progress: on a terminal one moving line, elsewhere a line for each step. It
//! goes to stderr, so that stdout has only the result.

use std::io::IsTerminal as _;
use std::time::Duration;

use anyhow::bail;
use console::Reader;
use console::model::{Dataset, Job, Model, NoticeView, Phase};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use shared::notice::NoticeKind;

use crate::example::DATASET;

const PAUSE: Duration = Duration::from_millis(100);

pub(super) struct ModelWatch<'a> {
    reader: &'a Reader,
    bar: ProgressBar,
    is_moving: bool,
}

impl<'a> ModelWatch<'a> {
    pub(super) fn new(reader: &'a Reader) -> Self {
        let is_moving = std::io::stderr().is_terminal();
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
        let waiting = ProgressStyle::with_template("{spinner:.cyan} {msg} {elapsed:.dim}");
        if let Ok(style) = waiting {
            bar.set_style(style);
        }
        if is_moving {
            bar.enable_steady_tick(PAUSE);
        }
        Self {
            reader,
            bar,
            is_moving,
        }
    }

    pub(super) fn say(&self, step: &str) {
        self.bar.set_message(step.to_owned());
        if !self.is_moving {
            self.line(step);
        }
    }

    fn line(&self, text: &str) {
        use std::io::Write as _;

        let _reader_is_gone = writeln!(std::io::stderr().lock(), "{text}");
    }

    /// The name of the dataset's labeling job, once workers can have its items.
    pub(super) async fn until_running(&self) -> anyhow::Result<String> {
        loop {
            let model = self.reader.load().await?;
            if let Some(dataset) = dataset(&model) {
                self.say_state(dataset);
                if let Some(Job {
                    name: Some(name),
                    state: Phase::InProgress,
                    ..
                }) = dataset.jobs.first()
                {
                    return Ok(name.clone());
                }
                fail_if_stuck(dataset)?;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    pub(super) async fn until_done(&self, name: &str) -> anyhow::Result<Job> {
        self.count_items();
        loop {
            let model = self.reader.load().await?;
            let Some(dataset) = dataset(&model) else {
                bail!("the dataset is gone")
            };
            let job = dataset.jobs.iter().find(|job| job.name.as_deref() == Some(name));
            if let Some(job) = job {
                self.bar.set_length(job.items);
                self.bar.set_position(job.counters.total_labeled);
                if job.state == Phase::Completed {
                    return Ok(job.clone());
                }
            }
            fail_if_stuck(dataset)?;
            tokio::time::sleep(PAUSE).await;
        }
    }

    fn count_items(&self) {
        let counting = "{spinner:.cyan} {msg} {bar:24.cyan/dim} {pos}/{len} labeled {elapsed:.dim}";
        if let Ok(style) = ProgressStyle::with_template(counting) {
            self.bar.set_style(style.progress_chars("█▉▊▋▌▍▎▏·"));
        }
    }

    /// The notice that the job is complete.
    pub(super) async fn until_notice(&self) -> anyhow::Result<NoticeView> {
        loop {
            let model = self.reader.load().await?;
            let notice = model
                .notices
                .into_iter()
                .find(|notice| notice.kind == NoticeKind::JobCompleted);
            if let Some(notice) = notice {
                return Ok(notice);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Clears the progress for the result.
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn say_state(&self, dataset: &Dataset) {
        let message = dataset.message.replace('\n', " ");
        if self.bar.message() != message {
            self.say(&message);
        }
    }
}

fn dataset(model: &Model) -> Option<&Dataset> {
    model.datasets.iter().find(|dataset| dataset.name == DATASET)
}

/// Fails where waiting longer would change nothing.
fn fail_if_stuck(dataset: &Dataset) -> anyhow::Result<()> {
    let failed = dataset
        .jobs
        .iter()
        .find(|job| matches!(job.state, Phase::Failed | Phase::Stopped | Phase::Refused));
    if let Some(job) = failed {
        bail!(
            "the labeling job {}: {}",
            job.state.word(),
            job.reason.as_deref().unwrap_or("no reason given")
        );
    }
    Ok(())
}
