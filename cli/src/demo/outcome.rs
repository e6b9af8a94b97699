//! The results of the demo: labels with their confidence, the job, the notice.

use std::fmt::Write as _;
use std::io::Cursor;

use anyhow::{Context as _, ensure};
use console::model::{Job, NoticeView};
use serde::Serialize;
use shared::layout;
use shared::name::{BatchNumber, DatasetName};
use shared::output::{self, OutputLine, Source};
use shared::summary::JobSummary;

use super::worker::WorkerAnswer;
use crate::example;
use crate::paint::{Paint, Style, one_line};
use crate::progress::bar;
use crate::services::Services;

#[derive(Serialize)]
pub(super) struct Outcome {
    pub(super) labels: Vec<LabeledItem>,
    pub(super) notice: NoticeView,
    pub(super) job: Job,
    /// Single answers of workers, before they are consolidated.
    pub(super) answers: usize,
    pub(super) seconds: f64,
}

#[derive(Serialize)]
pub(super) struct LabeledItem {
    text: String,
    /// The workers' answers, sorted.
    votes: Vec<&'static str>,
    label: Option<String>,
    confidence: Option<f64>,
}

/// Reads the output manifest as any program would: from where the summary says it is.
pub(super) async fn read_labels(
    services: &Services,
    job: &Job,
    answers: &[WorkerAnswer],
) -> anyhow::Result<Vec<LabeledItem>> {
    let dataset = DatasetName::new(&job.dataset)?;
    let batch = BatchNumber::new(job.batch).context("the batch has no number")?;
    let key = format!("{}summary.json", layout::results_folder(&dataset, batch));
    let summary: Option<JobSummary> = services.document(&key).await?;
    let summary = summary.with_context(|| format!("there is no {key}"))?;
    let uri = summary
        .output_manifest
        .context("the job has no output manifest")?;
    let manifest = services.object_at(&uri).await?;
    let mut lines = output::read(Cursor::new(manifest), &summary.label_attribute)
        .map(|line| Ok(labeled_item(line?, answers)))
        .collect::<anyhow::Result<Vec<LabeledItem>>>()?;
    lines.sort_by_key(|line| line.text.parse::<u64>().unwrap_or(u64::MAX));
    Ok(lines)
}

fn labeled_item(line: OutputLine, answers: &[WorkerAnswer]) -> LabeledItem {
    let label = line.label.as_ref();
    let text = match line.source {
        Source::Text(text) => text.trim().to_owned(),
        Source::Ref(uri) => uri,
    };
    let mut votes: Vec<&str> = answers
        .iter()
        .filter(|a| a.text == text)
        .map(|a| a.label)
        .collect();
    votes.sort_unstable();
    LabeledItem {
        text,
        votes,
        label: label
            .and_then(|label| label.classes().first())
            .map(|class| class.name.clone()),
        confidence: label.and_then(|label| label.confidence()),
    }
}

impl Outcome {
    /// The demo succeeds only if every number has the right label.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        ensure!(
            self.labels.len() == example::FILES.len() - 1,
            "{} items came back",
            self.labels.len()
        );
        for LabeledItem { text, label, .. } in &self.labels {
            let right = example::answer(text);
            ensure!(
                label.as_deref() == right,
                "{text} was labeled {label:?}: the votes were not consolidated"
            );
        }
        Ok(())
    }

    pub(super) fn json(&self) -> anyhow::Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    pub(super) fn text(&self, paint: Paint) -> String {
        let head = format!("  {:>6}  {:<15} {:<6} {}", "item", "votes", "label", "confidence");
        let mut text = paint.word(Style::Dim, &head) + "\n";
        for LabeledItem {
            text: item,
            votes,
            label,
            confidence,
        } in &self.labels
        {
            let is_split = votes.windows(2).any(|pair| pair[0] != pair[1]);
            let votes = format!("{:<15}", votes.join(" "));
            let votes = if is_split {
                paint.word(Style::Warn, &votes)
            } else {
                votes
            };
            let label = format!("{:<6}", label.as_deref().unwrap_or("-"));
            let confidence = confidence.unwrap_or(0.0);
            let style = if confidence > 0.9 {
                Style::Good
            } else {
                Style::Warn
            };
            let drawn = paint.word(style, &bar(confidence, 10));
            let label = paint.word(Style::Strong, &label);
            let _infallible = writeln!(
                text,
                "  {:>6}  {votes} {label} {confidence:.3}  {drawn}",
                one_line(item, 20)
            );
        }
        let heading = paint.word(Style::Dim, "the notice that was sent");
        let _infallible = write!(text, "\n{heading}\n");
        let subject = paint.word(Style::Strong, &one_line(&self.notice.subject, 100));
        let _infallible = write!(text, "  {subject}\n\n");
        for line in self.notice.text.lines() {
            let _infallible = writeln!(text, "{}", format!("  {}", one_line(line, 160)).trim_end());
        }
        let _infallible = writeln!(
            text,
            "\n{} {} files, {} answers of 3 workers, {} labels, {:.1} seconds. To run it for you:\n\n  groundcrew up",
            paint.word(Style::Good, "✓"),
            example::FILES.len() - 1,
            self.answers,
            self.labels.len(),
            self.seconds
        );
        text
    }
}
