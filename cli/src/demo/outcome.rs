//! What the demo gave: labels with their confidence, the job, the notice.

use std::fmt::Write as _;
use std::io::Cursor;

use anyhow::{Context as _, ensure};
use console::model::{Job, NoticeView};
use local::StackInfo;
use serde::Serialize;
use shared::layout;
use shared::name::{BatchNumber, DatasetName};
use shared::output::{self, OutputLine, Source};
use shared::status::JobSummary;

use super::worker::Answer;
use crate::example;
use crate::paint::{Look, Paint, one_line};
use crate::progress::bar;

#[derive(Serialize)]
pub(super) struct Outcome {
    pub(super) labels: Vec<Labeled>,
    pub(super) notice: NoticeView,
    pub(super) job: Job,
    /// Single answers of workers, before they are consolidated.
    pub(super) answers: usize,
    pub(super) seconds: f64,
}

#[derive(Serialize)]
pub(super) struct Labeled {
    text: String,
    /// What each worker said, in no order that matters.
    votes: Vec<&'static str>,
    label: Option<String>,
    confidence: Option<f64>,
}

/// Reads the output manifest the way any program would: where the summary says it lies.
pub(super) async fn labels(stack: &StackInfo, job: &Job, answers: &[Answer]) -> anyhow::Result<Vec<Labeled>> {
    let dataset = DatasetName::new(&job.dataset)?;
    let batch = BatchNumber::new(job.batch).context("the batch has no number")?;
    let s3 = stack.s3();
    let summary = format!("{}summary.json", layout::results_folder(&dataset, batch));
    let summary = object(&s3, &stack.output_bucket, &summary).await?;
    let summary: JobSummary = serde_json::from_slice(&summary).context("the summary cannot be understood")?;
    let uri = summary
        .output_manifest
        .context("the job has no output manifest")?;
    let (bucket, key) = uri
        .strip_prefix("s3://")
        .and_then(|path| path.split_once('/'))
        .context("no S3 URI")?;
    let manifest = object(&s3, bucket, key).await?;
    let mut lines = output::read(Cursor::new(manifest), &summary.label_attribute)
        .map(|line| Ok(labeled(line?, answers)))
        .collect::<anyhow::Result<Vec<Labeled>>>()?;
    lines.sort_by_key(|line| line.text.parse::<u64>().unwrap_or(u64::MAX));
    Ok(lines)
}

fn labeled(line: OutputLine, answers: &[Answer]) -> Labeled {
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
    Labeled {
        text,
        votes,
        label: label
            .and_then(|label| label.classes().first())
            .map(|class| class.name.clone()),
        confidence: label.and_then(|label| label.confidence()),
    }
}

async fn object(s3: &aws_sdk_s3::Client, bucket: &str, key: &str) -> anyhow::Result<Vec<u8>> {
    let object = s3.get_object().bucket(bucket).key(key).send().await;
    let object = object.with_context(|| format!("s3://{bucket}/{key} could not be read"))?;
    Ok(object.body.collect().await?.to_vec())
}

impl Outcome {
    /// The demo is only done when every number has the right label.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        ensure!(
            self.labels.len() == example::FILES.len() - 1,
            "{} items came back",
            self.labels.len()
        );
        for Labeled { text, label, .. } in &self.labels {
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
        let mut text = paint.word(Look::Dim, &head) + "\n";
        for Labeled {
            text: item,
            votes,
            label,
            confidence,
        } in &self.labels
        {
            let outvoted = votes.windows(2).any(|pair| pair[0] != pair[1]);
            let votes = format!("{:<15}", votes.join(" "));
            let votes = if outvoted {
                paint.word(Look::Warn, &votes)
            } else {
                votes
            };
            let label = format!("{:<6}", label.as_deref().unwrap_or("-"));
            let confidence = confidence.unwrap_or(0.0);
            let look = if confidence > 0.9 { Look::Good } else { Look::Warn };
            let drawn = paint.word(look, &bar(confidence, 10));
            let label = paint.word(Look::Strong, &label);
            let _infallible = writeln!(
                text,
                "  {:>6}  {votes} {label} {confidence:.3}  {drawn}",
                one_line(item, 20)
            );
        }
        let rule = paint.word(Look::Dim, "the notice that went out");
        let _infallible = write!(text, "\n{rule}\n");
        let subject = paint.word(Look::Strong, &one_line(&self.notice.subject, 100));
        let _infallible = write!(text, "  {subject}\n\n");
        for line in self.notice.text.lines() {
            let _infallible = writeln!(text, "{}", format!("  {}", one_line(line, 160)).trim_end());
        }
        let _infallible = writeln!(
            text,
            "\n{} {} files, {} answers of 3 workers, {} labels, {:.1} seconds. To run it for you:\n\n  groundcrew up",
            paint.word(Look::Good, "✓"),
            example::FILES.len() - 1,
            self.answers,
            self.labels.len(),
            self.seconds
        );
        text
    }
}
