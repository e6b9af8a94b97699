//! What is wrong with a file, said so that its author can fix it: where, what, and what to do.

use std::fmt;

use serde_saphyr::Location;

use crate::visible::{is_invisible, visible};

/// Why a `labeling.yaml` or a team file cannot be used. Displays as several lines for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileError {
    /// As the person who dropped it knows it: `labeling.yaml`, `teams/cats.yaml`.
    pub file: String,
    /// From 1. Absent where the whole file is meant.
    pub line: Option<u64>,
    /// From 1, in characters.
    pub column: Option<u64>,
    /// One sentence, no full stop.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
    /// The line itself, numbered, and a mark under the place.
    pub excerpt: Option<String>,
}

impl std::error::Error for FileError {}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if let Some(column) = self.column {
            write!(f, ":{column}")?;
        }
        write!(f, ": {}", self.message)?;
        if let Some(hint) = &self.hint {
            write!(f, "\n  {hint}")?;
        }
        if let Some(excerpt) = &self.excerpt {
            write!(f, "\n{excerpt}")?;
        }
        Ok(())
    }
}

/// A broken rule and the place in the text, before the excerpt is cut out of it.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) at: Location,
    message: String,
    hint: Option<String>,
    /// No single line shows what is wrong.
    unseen: bool,
}

impl Problem {
    pub(crate) fn new(at: Location, message: impl Into<String>) -> Self {
        Self {
            at,
            message: message.into(),
            hint: None,
            unseen: false,
        }
    }

    /// Something that is not there: a line of the text would only distract.
    pub(crate) fn at(at: Location, message: impl Into<String>) -> Self {
        Self {
            unseen: true,
            ..Self::new(at, message)
        }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn maybe_hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint.or(self.hint);
        self
    }

    pub(crate) fn locate(self, file: &str, source: &str) -> FileError {
        let known = self.at.line() > 0;
        FileError {
            file: file.to_owned(),
            line: known.then(|| self.at.line()),
            column: known.then(|| self.at.column()),
            // A name in it may hold invisible characters, and the difference may be just that.
            message: shorten(visible(&self.message).into_owned()),
            hint: self.hint.map(|hint| shorten(visible(&hint).into_owned())),
            excerpt: (known && !self.unseen)
                .then(|| excerpt(source, self.at.line(), self.at.column()))
                .flatten(),
        }
    }
}

/// A message quotes what was written, which may be the whole file.
fn shorten(text: String) -> String {
    const MOST: usize = 500;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// Characters of a line shown at most; longer ones are cut around the place.
const WIDTH: usize = 100;

fn excerpt(source: &str, line: u64, column: u64) -> Option<String> {
    let text = source.lines().nth(usize::try_from(line).ok()?.checked_sub(1)?)?;
    let column = usize::try_from(column).ok()?.saturating_sub(1);
    let start = column.saturating_sub(WIDTH / 2);
    let start = if text.chars().count() <= WIDTH { 0 } else { start };
    // A tab would move the mark, a control character the terminal, and what has no width would hide.
    let shown: String = text
        .chars()
        .skip(start)
        .take(WIDTH)
        .map(|c| match c {
            c if c.is_control() => ' ',
            c if is_invisible(c) => '·',
            c => c,
        })
        .collect();
    let (before, after) = (
        if start > 0 { "…" } else { "" },
        if text.chars().count() > start + WIDTH {
            "…"
        } else {
            ""
        },
    );
    let number = format!("{line:>4}");
    let indent = " ".repeat(column - start + before.chars().count());
    Some(format!(
        "{number} | {before}{shown}{after}\n{} | {indent}^",
        " ".repeat(number.len())
    ))
}

/// The value of a key that has to be there. `example` shows it in use.
pub(crate) fn require<'r, T>(
    value: Option<&'r T>,
    at: Location,
    key: &str,
    example: &str,
) -> Result<&'r T, Problem> {
    value.ok_or_else(|| Problem::at(at, format!("`{key}` is missing")).hint(format!("add it: `{example}`")))
}
