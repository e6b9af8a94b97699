//! From bytes to the shape of a spec: YAML, and what is wrong with it in people's words.

use serde_saphyr::{Error, Location, Options, UserMessageFormatter};
use serde_saphyr::{alias_limits, budget, options};

use super::MAX_BYTES;
use super::at::At;
use super::error::{Problem, SpecError};
use super::nearest;
use super::raw::RawSpec;

pub(super) fn read(text: &[u8]) -> Result<(&str, At<RawSpec>), SpecError> {
    let whole = |problem: Problem| problem.locate("");
    if text.len() > MAX_BYTES {
        return Err(whole(too_large(text.len())));
    }
    let source = std::str::from_utf8(text).map_err(|error| not_utf8(text, error.valid_up_to()))?;
    let source = source.strip_prefix('\u{feff}').unwrap_or(source);
    match serde_saphyr::from_str_with_options(source, reader_options()) {
        Ok(raw) => Ok((source, raw)),
        Err(error) => Err(problem(error.without_snippet(), source).locate(source)),
    }
}

/// The longest list of labels has some thousand nodes, and a spec uses an alias or two, if any. What is left of an
/// alias bomb after these limits is read in milliseconds.
fn reader_options() -> Options {
    options! {
        budget: budget! { max_nodes: 10_000, max_aliases: 1_000, max_anchors: 1_000, max_depth: 32 },
        alias_limits: alias_limits! { max_total_replayed_events: 20_000 },
        with_snippet: false,
        merge_keys: options::MergeKeyPolicy::AsOrdinary,
        reject_unsupported_tags: true,
        non_finite_float_policy: serde_saphyr::NonFiniteFloatPolicy::PassThrough,
    }
}

fn too_large(bytes: usize) -> Problem {
    let message = format!(
        "this file has {bytes} bytes; a spec has at most {} KiB",
        MAX_BYTES / 1024
    );
    Problem::new(Location::UNKNOWN, message).hint("is it a data file under the wrong name?")
}

fn not_utf8(text: &[u8], valid: usize) -> SpecError {
    let before = String::from_utf8_lossy(&text[..valid]);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    SpecError {
        line: Some(line as u64),
        column: Some(column as u64),
        message: "this is not UTF-8 text".to_owned(),
        hint: Some("save the file as UTF-8".to_owned()),
        excerpt: None,
    }
}

fn problem(error: &Error, source: &str) -> Problem {
    let at = error.location().unwrap_or(Location::UNKNOWN);
    match error {
        Error::SerdeUnknownField { field, expected, .. } => unknown_key(at, field, expected),
        Error::DuplicateMappingKey { key, .. } => {
            let key = key.as_deref().unwrap_or("?").escape_debug();
            Problem::new(at, format!("the key `{key}` is here twice")).hint("remove one of them")
        }
        Error::AliasError { error, locations, .. } => {
            let mut inner = problem(error, source);
            inner.at = locations.primary_location().unwrap_or(inner.at);
            inner
        }
        Error::Eof { .. } => {
            Problem::new(at, "the file is empty").hint("begin with `task: text-classification`")
        }
        Error::MultipleDocuments { .. } => {
            Problem::new(at, "a second document starts here").hint("a spec is one document: remove the `---`")
        }
        Error::Budget { .. }
        | Error::AliasReplayLimitExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. }
        | Error::AliasReplayCounterOverflow { .. } => Problem::new(
            at,
            "this holds far more keys, values or aliases (`*name`) than a spec can",
        )
        .hint("is it a data file under the wrong name?"),
        _ => other(error, at, source),
    }
}

fn unknown_key(at: Location, field: &str, expected: &[&str]) -> Problem {
    Problem::new(at, format!("there is no key `{}`", field.escape_debug())).maybe_hint(nearest::hint(
        field,
        expected,
        "the keys here are",
    ))
}

fn other(error: &Error, at: Location, source: &str) -> Problem {
    let key = key_before(source, at);
    let must_be = |what: &str| {
        let value = key.map_or_else(|| "this value".to_owned(), |key| format!("`{key}`"));
        Problem::new(at, format!("{value} must be {what}"))
    };
    match error {
        Error::InvalidScalar { .. } | Error::InvalidBooleanStrict { .. } => must_be(wanted(error)),
        Error::Unexpected { expected, .. } => must_be(kind(expected)),
        Error::SerdeInvalidType { expected, .. } | Error::SerdeInvalidValue { expected, .. } => {
            must_be(expected)
        }
        Error::NullIntoString { .. } => Problem::new(at, "a value is missing here"),
        Error::UnknownAnchor { .. } => Problem::new(at, "no `&name` stands before this `*name`")
            .hint("text that begins with `*` goes in quotes"),
        Error::UnsupportedTag { .. } => {
            Problem::new(at, "a spec has no tags").hint("text that begins with `!` goes in quotes")
        }
        _ => not_yaml(error, at),
    }
}

fn not_yaml(error: &Error, at: Location) -> Problem {
    let message = serde_saphyr::MessageFormatter::format_message(&UserMessageFormatter, error);
    let hint = if message.contains("mapping values are not allowed") {
        Some("text with a colon in it goes in quotes: `title: \"Numbers: even or odd?\"`")
    } else if message.contains("tab") {
        Some("indent with spaces")
    } else if message.contains("quoted scalar") {
        Some("is a quote left open?")
    } else {
        None
    };
    Problem::new(at, format!("this is not valid YAML: {message}")).maybe_hint(hint.map(str::to_owned))
}

fn wanted(error: &Error) -> &'static str {
    match error {
        Error::InvalidScalar { ty, .. } if ty.contains("bool") => "true or false",
        Error::InvalidBooleanStrict { .. } => "true or false",
        _ => "a whole number, not negative",
    }
}

fn kind(expected: &str) -> &'static str {
    if expected.contains("mapping") {
        "a mapping: `{key: value}`"
    } else if expected.contains("sequence") {
        "a list: `[a, b]`"
    } else {
        "a single value"
    }
}

/// The key a value belongs to, when both stand on one line.
fn key_before(source: &str, at: Location) -> Option<&str> {
    let line = source
        .lines()
        .nth(usize::try_from(at.line().checked_sub(1)?).ok()?)?;
    let column = usize::try_from(at.column().checked_sub(1)?).ok()?;
    let end = line
        .char_indices()
        .nth(column)
        .map_or(line.len(), |(index, _)| index);
    let before = line[..end].trim_end().strip_suffix(':')?;
    let key = before
        .rsplit(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .next()?;
    (!key.is_empty()).then_some(key)
}
