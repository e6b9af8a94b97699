//! From bytes to the shape of a file: YAML, and what is wrong with it in people's words.

use serde::de::{DeserializeOwned, IgnoredAny};
use serde_saphyr::{Error, Location, Options, UserMessageFormatter};
use serde_saphyr::{alias_limits, budget, options};

use super::at::At;
use super::error::{FileError, Problem};
use super::nearest;

/// One kind of file: its limits, and the words for it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kind {
    /// With its article: `a spec`.
    pub(crate) what: &'static str,
    pub(crate) max_bytes: usize,
    /// Keys and values at most.
    pub(crate) max_nodes: usize,
    /// A first line, for an empty one.
    pub(crate) begin: &'static str,
}

/// `file` is what an error calls it.
pub(crate) fn read<'t, T: DeserializeOwned>(
    text: &'t [u8],
    file: &str,
    kind: &Kind,
) -> Result<(&'t str, At<T>), FileError> {
    if text.len() > kind.max_bytes {
        return Err(too_large(text.len(), kind).locate(file, ""));
    }
    let source = std::str::from_utf8(text).map_err(|error| not_utf8(text, file, error.valid_up_to()))?;
    let source = source.strip_prefix('\u{feff}').unwrap_or(source);
    match serde_saphyr::from_str_with_options(source, reader_options(kind.max_nodes)) {
        Ok(raw) => Ok((source, raw)),
        Err(error) => Err(problem(error.without_snippet(), source, kind).locate(file, source)),
    }
}

/// People use an alias or two, if any. What is left of an alias bomb after these limits is read in milliseconds.
fn reader_options(max_nodes: usize) -> Options {
    options! {
        budget: budget! { max_nodes: max_nodes, max_aliases: 1_000, max_anchors: 1_000, max_depth: 32 },
        alias_limits: alias_limits! { max_total_replayed_events: 20_000 },
        with_snippet: false,
        merge_keys: options::MergeKeyPolicy::AsOrdinary,
        reject_unsupported_tags: true,
        non_finite_float_policy: serde_saphyr::NonFiniteFloatPolicy::PassThrough,
    }
}

fn too_large(bytes: usize, kind: &Kind) -> Problem {
    let message = format!(
        "this file has {bytes} bytes; {} has at most {} KiB",
        kind.what,
        kind.max_bytes / 1024
    );
    Problem::new(Location::UNKNOWN, message).hint("is it a data file under the wrong name?")
}

fn not_utf8(text: &[u8], file: &str, valid: usize) -> FileError {
    let before = String::from_utf8_lossy(&text[..valid]);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    FileError {
        file: file.to_owned(),
        line: Some(line as u64),
        column: Some(column as u64),
        message: "this is not UTF-8 text".to_owned(),
        hint: Some("save the file as UTF-8".to_owned()),
        excerpt: None,
    }
}

fn problem(error: &Error, source: &str, kind: &Kind) -> Problem {
    let at = error.location().unwrap_or(Location::UNKNOWN);
    match error {
        Error::SerdeUnknownField { field, expected, .. } => unknown_key(at, field, expected),
        Error::DuplicateMappingKey { key, .. } => {
            let key = key.as_deref().unwrap_or("?").escape_debug();
            Problem::new(at, format!("the key `{key}` is here twice")).hint("remove one of them")
        }
        Error::AliasError { error, locations, .. } => {
            let mut inner = problem(error, source, kind);
            inner.at = locations.primary_location().unwrap_or(inner.at);
            inner
        }
        Error::Eof { .. } => {
            Problem::new(at, "the file is empty").hint(format!("begin with `{}`", kind.begin))
        }
        Error::MultipleDocuments { .. } => Problem::new(at, "a second document starts here")
            .hint(format!("{} is one document: remove the `---`", kind.what)),
        Error::Budget { .. }
        | Error::AliasReplayLimitExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. }
        | Error::AliasReplayCounterOverflow { .. } => Problem::new(
            at,
            format!(
                "this holds far more keys, values or aliases (`*name`) than {} can",
                kind.what
            ),
        )
        .hint("is it a data file under the wrong name?"),
        _ => other(error, at, source, kind),
    }
}

fn unknown_key(at: Location, field: &str, expected: &[&str]) -> Problem {
    Problem::new(at, format!("there is no key `{}`", field.escape_debug())).maybe_hint(nearest::hint(
        field,
        expected,
        "the keys here are",
    ))
}

fn other(error: &Error, at: Location, source: &str, kind: &Kind) -> Problem {
    let key = key_before(source, at);
    let must_be = |what: &str| {
        let value = key.map_or_else(|| "this value".to_owned(), |key| format!("`{key}`"));
        Problem::new(at, format!("{value} must be {what}"))
    };
    match error {
        Error::InvalidScalar { .. } | Error::InvalidBooleanStrict { .. } => must_be(expected_kind(error)),
        Error::Unexpected { expected, .. } => must_be(shape(expected)),
        Error::SerdeInvalidType { expected, .. } | Error::SerdeInvalidValue { expected, .. } => {
            must_be(expected)
        }
        Error::NullIntoString { .. } => Problem::new(at, "a value is missing here"),
        Error::UnknownAnchor { .. } => Problem::new(at, "there is no `&name` before this `*name`")
            .hint("text that begins with `*` goes in quotes"),
        Error::UnsupportedTag { .. } => Problem::new(at, format!("{} has no tags", kind.what))
            .hint("text that begins with `!` goes in quotes"),
        _ => not_yaml(error, at, source, kind),
    }
}

fn in_words(error: &Error) -> String {
    serde_saphyr::MessageFormatter::format_message(&UserMessageFormatter, error).into_owned()
}

fn not_yaml(error: &Error, at: Location, source: &str, kind: &Kind) -> Problem {
    let (message, at) = left_open(at, source, kind).unwrap_or_else(|| (in_words(error), at));
    let hint = if message.contains("unclosed bracket '['") {
        Some("close it with `]`")
    } else if message.contains("unclosed bracket '{'") {
        Some("close it with `}`")
    } else if message.contains("mismatched bracket") {
        Some("`[` is closed with `]`, and `{` with `}`")
    } else if message.contains("misplaced bracket") {
        Some("remove it, or put the text in quotes")
    } else if message.contains("mapping values are not allowed") {
        Some("text with a colon in it goes in quotes: `title: \"Numbers: even or odd?\"`")
    } else if message.contains("tab") {
        Some("indent with spaces")
    } else if message.contains("quoted scalar") || message.contains("unclosed quote") {
        Some("is a quote left open?")
    } else {
        None
    };
    Problem::new(at, format!("this is not valid YAML: {message}")).maybe_hint(hint.map(str::to_owned))
}

/// A bracket that is left open is met as something odd on a later line, and the lines before that one say which it is.
/// What is in brackets goes on in lines further in than the one with the bracket, so the bracket is not merely closed
/// later.
fn left_open(at: Location, source: &str, kind: &Kind) -> Option<(String, Location)> {
    let lines: Vec<&str> = source.split_inclusive('\n').collect();
    let line = usize::try_from(at.line()).ok()?.checked_sub(1)?;
    let before = lines.get(..line)?.concat();
    let options = reader_options(kind.max_nodes);
    let read: Result<IgnoredAny, _> = serde_saphyr::from_str_with_options(&before, options);
    let error = read.err()?;
    let opened = error.location()?;
    let further_in = |line: usize| {
        let line = lines.get(line)?;
        Some(line.len() - line.trim_start().len())
    };
    let opened_in = further_in(usize::try_from(opened.line()).ok()?.checked_sub(1)?)?;
    let message = in_words(&error);
    let is_it = message.contains("unclosed bracket") && further_in(line)? <= opened_in;
    is_it.then_some((message, opened))
}

fn expected_kind(error: &Error) -> &'static str {
    match error {
        Error::InvalidScalar { ty, .. } if ty.contains("bool") => "true or false",
        Error::InvalidBooleanStrict { .. } => "true or false",
        _ => "a whole number, not negative",
    }
}

fn shape(expected: &str) -> &'static str {
    if expected.contains("mapping") {
        "a mapping: `{key: value}`"
    } else if expected.contains("sequence") {
        "a list: `[a, b]`"
    } else {
        "a single value"
    }
}

/// The key a value belongs to, when both are on one line.
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
