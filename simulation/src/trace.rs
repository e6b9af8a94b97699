//! What happened, line by line, to find out why a schedule went wrong.

use jiff::Timestamp;

/// Empty unless asked for: a million schedules would spend most of their time on it.
#[derive(Default)]
pub(crate) struct Trace(Option<Vec<String>>);

impl Trace {
    pub(crate) fn if_wanted(wanted: bool) -> Self {
        Self(wanted.then(Vec::new))
    }

    pub(crate) fn add(&mut self, at: Timestamp, line: impl FnOnce() -> String) {
        if let Some(lines) = &mut self.0 {
            lines.push(format!("{at:.3} {}", line()));
        }
    }

    pub(crate) fn into_lines(self) -> Vec<String> {
        self.0.unwrap_or_default()
    }
}
