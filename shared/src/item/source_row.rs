//! Rows of a dropped file, before they are items or rejects.

use std::borrow::Cow;

use crate::manifest::Line;

/// A row as the reader of a format gives it: the row's number (none for a whole file), and what is in it.
pub(super) enum SourceRow<'a> {
    Text(Option<u64>, Cow<'a, str>),
    Line(Line),
    Reject(Option<u64>, String),
    Blank(Option<u64>),
}

impl SourceRow<'_> {
    pub(super) fn row(&self) -> Option<u64> {
        match self {
            Self::Text(row, _) | Self::Reject(row, _) | Self::Blank(row) => *row,
            Self::Line(line) => line.row,
        }
    }
}
