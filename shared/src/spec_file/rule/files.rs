//! The rules for which files are labelled, and what of a text is one item.

use serde_saphyr::Location;

use super::prose::{char_count, one_line};
use super::unit;
use crate::spec::TextSplit;
use crate::spec::{Patterns, Select, glob};
use crate::spec_file::raw::{RawSelect, RawText};
use crate::task::{Input, Task};
use crate::yaml::at::At;
use crate::yaml::error::{Problem, require};
use crate::yaml::nearest;

pub(super) fn select(raw: Option<&RawSelect>) -> Result<Select, Problem> {
    let Some(raw) = raw else {
        return Ok(Select::default());
    };
    let limit = raw.limit.as_ref().map(|limit| match limit.value {
        0 => Err(Problem::new(limit.at, "`limit` must be at least 1").hint("leave it out for no limit")),
        limit => Ok(limit),
    });
    let sample = raw
        .sample
        .as_ref()
        .map(|text| unit::percent("sample", text))
        .transpose()?;
    Ok(Select::new(
        patterns(raw.include.as_deref())?,
        patterns(raw.exclude.as_deref())?,
        sample,
        limit.transpose()?,
    ))
}

/// Few and short enough that compiling and matching them never takes noticeable time.
const MAX_PATTERNS: usize = 100;
const MAX_PATTERN_CHARS: usize = 1_024;

fn patterns(raw: Option<&[At<String>]>) -> Result<Patterns, Problem> {
    let mut globs = Vec::new();
    for pattern in raw.unwrap_or_default() {
        if globs.len() == MAX_PATTERNS {
            return Err(Problem::new(
                pattern.at,
                format!("{MAX_PATTERNS} patterns are the most"),
            ));
        }
        if pattern.value.trim().is_empty() || char_count(&pattern.value) > MAX_PATTERN_CHARS {
            return Err(Problem::new(
                pattern.at,
                format!("a pattern has 1 to {MAX_PATTERN_CHARS} characters"),
            ));
        }
        globs.push(glob(&pattern.value).map_err(|error| not_a_pattern(pattern, error.kind()))?);
    }
    let at = raw
        .and_then(<[_]>::first)
        .map_or(Location::UNKNOWN, |first| first.at);
    Patterns::new(globs)
        .map_err(|error| Problem::new(at, format!("these patterns cannot be used: {}", error.kind())))
}

fn not_a_pattern(pattern: &At<String>, why: &globset::ErrorKind) -> Problem {
    Problem::new(
        pattern.at,
        format!("`{}` is not a pattern: {why}", pattern.value.escape_debug()),
    )
    .hint("write it as in .gitignore: `*.txt`, `photos/**/*.jpg`; `\\[` is a bracket itself")
}

pub(super) fn split(raw: Option<&At<RawText>>, task: Task) -> Result<TextSplit, Problem> {
    let Some(raw) = raw else {
        return Ok(TextSplit::File);
    };
    if task.input() != Input::Text {
        return Err(
            Problem::new(raw.at, format!("`text` is for text tasks, and {task} is not one"))
                .hint("remove it: every file is one item"),
        );
    }
    let how = require(raw.value.split.as_ref(), raw.at, "split", "text: {split: line}")?;
    let column = raw.value.column.as_ref();
    match (how.value.as_str(), column) {
        ("row", Some(name)) => Ok(TextSplit::Row {
            column: Some(one_line("column", name, 1_000)?),
        }),
        ("row", None) => Ok(TextSplit::Row { column: None }),
        ("file" | "line", Some(name)) => {
            Err(Problem::new(name.at, "only rows have columns")
                .hint("with `split: row`, or without `column`"))
        }
        ("file", None) => Ok(TextSplit::File),
        ("line", None) => Ok(TextSplit::Line),
        (other, _) => Err(Problem::new(
            how.at,
            format!("text cannot be split by `{}`", other.escape_debug()),
        )
        .maybe_hint(nearest::hint(other, &TextSplit::NAMES, "it can be split by"))),
    }
}
