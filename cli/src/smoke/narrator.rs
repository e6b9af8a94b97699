//! Tells how the smoke test goes: a line for every step that is done, what is waited for meanwhile, and the verdict.

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::paint::{self, Look, Paint, one_line};

const TICK: Duration = Duration::from_millis(100);

pub(super) struct Narrator {
    bar: ProgressBar,
    moving: bool,
    paint: Paint,
}

impl Narrator {
    pub(super) fn new() -> Self {
        let moving = std::io::stderr().is_terminal();
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("  {spinner:.cyan} {msg} {elapsed:.dim}") {
            bar.set_style(style);
        }
        if moving {
            bar.enable_steady_tick(TICK);
        }
        Self {
            bar,
            moving,
            paint: Paint::stdout(),
        }
    }

    fn line(&self, text: &str) -> anyhow::Result<()> {
        self.bar.suspend(|| paint::out(&format!("{text}\n")))?;
        Ok(())
    }

    pub(super) fn head(&self, text: &str) -> anyhow::Result<()> {
        self.line(&self.paint.word(Look::Strong, text))
    }

    /// Something to know that is no step.
    pub(super) fn note(&self, text: &str) -> anyhow::Result<()> {
        self.line(&format!("  {}", self.paint.word(Look::Dim, text)))
    }

    /// What there is while something else is waited for.
    pub(super) fn state(&self, text: &str) {
        let text = one_line(text, 160);
        if self.bar.message() == text {
            return;
        }
        if !self.moving {
            let _nobody_listens = writeln!(std::io::stderr().lock(), "  … {text}");
        }
        self.bar.set_message(text);
    }

    /// Does one step, and says what was seen.
    pub(super) async fn step<T>(
        &self,
        title: &str,
        work: impl Future<Output = anyhow::Result<(T, String)>>,
    ) -> anyhow::Result<T> {
        let started = Instant::now();
        self.bar.reset_elapsed();
        self.state(title);
        match work.await {
            Ok((value, seen)) => {
                let (mark, seconds) = (self.paint.word(Look::Good, "✓"), started.elapsed().as_secs_f64());
                let time = self.paint.word(Look::Dim, &format!("{seconds:.1} s"));
                self.line(&format!("  {mark} {title:<16} {seen}  {time}"))?;
                Ok(value)
            }
            Err(error) => {
                let mark = self.paint.word(Look::Bad, "✗");
                self.line(&format!("  {mark} {title:<16} {}", told(&error)))?;
                Err(error.context(title.to_owned()))
            }
        }
    }

    /// The last line, and what the command ends with.
    pub(super) fn verdict(
        &self,
        outcome: &anyhow::Result<()>,
        took: Duration,
        look: &str,
    ) -> anyhow::Result<ExitCode> {
        self.bar.finish_and_clear();
        let seconds = took.as_secs_f64();
        match outcome {
            Ok(()) => {
                let word = self.paint.word(Look::Good, "Passed");
                paint::out(&format!("{word}: every step in {seconds:.1} seconds.\n"))
            }
            Err(error) => {
                let word = self.paint.word(Look::Bad, "Failed");
                let hint = format!("docs/DEPLOY.md has more, under When something waits; so does\n  {look}");
                paint::out(&format!(
                    "{word} after {seconds:.1} seconds: {}\n{hint}\n",
                    told(error)
                ))?;
                Ok(ExitCode::FAILURE)
            }
        }
    }
}

/// An error with its causes, in one line; what repeats what was said is left out.
fn told(error: &anyhow::Error) -> String {
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
        assert_eq!(told(&error), "batch cut: no: service error\\nx");
    }
}
