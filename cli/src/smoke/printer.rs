//! Prints the progress of a smoke test: a line for every step that is done, what is waited for, and the verdict.

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::paint::{self, Paint, Style, one_line};

const TICK: Duration = Duration::from_millis(100);

pub(super) struct Printer {
    bar: ProgressBar,
    is_moving: bool,
    paint: Paint,
}

impl Printer {
    pub(super) fn new() -> Self {
        let is_moving = std::io::stderr().is_terminal();
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("  {spinner:.cyan} {msg} {elapsed:.dim}") {
            bar.set_style(style);
        }
        if is_moving {
            bar.enable_steady_tick(TICK);
        }
        Self {
            bar,
            is_moving,
            paint: Paint::stdout(),
        }
    }

    fn line(&self, text: &str) -> anyhow::Result<()> {
        self.bar.suspend(|| paint::print(&format!("{text}\n")))?;
        Ok(())
    }

    pub(super) fn heading(&self, text: &str) -> anyhow::Result<()> {
        self.line(&self.paint.word(Style::Strong, text))
    }

    /// A line that is no step.
    pub(super) fn note(&self, text: &str) -> anyhow::Result<()> {
        self.line(&format!("  {}", self.paint.word(Style::Dim, text)))
    }

    /// The current state, while a step waits.
    pub(super) fn state(&self, text: &str) {
        let text = one_line(text, 160);
        if self.bar.message() == text {
            return;
        }
        if !self.is_moving {
            let _reader_is_gone = writeln!(std::io::stderr().lock(), "  … {text}");
        }
        self.bar.set_message(text);
    }

    /// Runs one step, and prints what it found.
    pub(super) async fn step<T>(
        &self,
        title: &str,
        work: impl Future<Output = anyhow::Result<(T, String)>>,
    ) -> anyhow::Result<T> {
        let started = Instant::now();
        self.bar.reset_elapsed();
        self.state(title);
        match work.await {
            Ok((value, result)) => {
                let (mark, seconds) = (self.paint.word(Style::Good, "✓"), started.elapsed().as_secs_f64());
                let time = self.paint.word(Style::Dim, &format!("{seconds:.1} s"));
                self.line(&format!("  {mark} {title:<16} {result}  {time}"))?;
                Ok(value)
            }
            Err(error) => {
                let mark = self.paint.word(Style::Bad, "✗");
                self.line(&format!("  {mark} {title:<16} {}", in_one_line(&error)))?;
                Err(error.context(title.to_owned()))
            }
        }
    }

    /// The last line, and what the command ends with.
    pub(super) fn verdict(
        &self,
        outcome: &anyhow::Result<()>,
        took: Duration,
        status_command: &str,
    ) -> anyhow::Result<ExitCode> {
        self.bar.finish_and_clear();
        let seconds = took.as_secs_f64();
        match outcome {
            Ok(()) => {
                let word = self.paint.word(Style::Good, "Passed");
                paint::print(&format!("{word}: every step in {seconds:.1} seconds.\n"))
            }
            Err(error) => {
                let word = self.paint.word(Style::Bad, "Failed");
                let hint = format!(
                    "docs/DEPLOY.md says more, under When something waits; so does\n  {status_command}"
                );
                paint::print(&format!(
                    "{word} after {seconds:.1} seconds: {}\n{hint}\n",
                    in_one_line(error)
                ))?;
                Ok(ExitCode::FAILURE)
            }
        }
    }
}

/// An error with its causes, in one line and without repetitions.
fn in_one_line(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain() {
        let cause = cause.to_string();
        if text.is_empty() {
            text = cause;
        } else if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    one_line(&text, 600)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_one_line_without_repetitions() {
        let error = anyhow::anyhow!("service error\nx")
            .context("no: service error\nx")
            .context("batch cut");
        assert_eq!(in_one_line(&error), "batch cut: no: service error\\nx");
    }
}
