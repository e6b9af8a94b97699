//! The rules of a spec: from the shape that was read to the [`Spec`] everything else trusts. Each limit has AWS's
//! page beside it; "API reference" is CreateLabelingJob and the types it takes.

use std::time::Duration;

use serde_saphyr::Location;

use super::at::At;
use super::error::Problem;
use super::raw::{RawBatch, RawInstructions, RawSelect, RawSpec, RawStopAfter, RawTags, RawText};
use super::select::{Patterns, Select, glob};
use super::{BatchRules, ExportFormat, Instructions, Spec, StopAfter, Team, TextSplit};
use super::{attribute, label, nearest, unit};
use crate::task::{Input, Task};
use crate::template;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

/// What `text.split` can be.
pub(super) const SPLITS: [&str; 3] = ["file", "line", "row"];
/// What `export` can hold.
pub(super) const EXPORTS: [&str; 2] = ["csv", "jsonl"];
/// Known formats of labels that no supported task makes.
const EXPORTS_NOT_YET: [&str; 4] = ["coco", "yolo", "voc", "conll"];

pub(super) fn check(root: &At<RawSpec>, source: &str) -> Result<Spec, Problem> {
    let raw = &root.value;
    let task = task(required(
        raw.task.as_ref(),
        root.at,
        "task",
        "task: text-classification",
    )?)?;
    if let Some((at, key, instead)) = raw.not_yet() {
        return Err(Problem::new(at, format!("`{key}` is not yet supported")).hint(instead));
    }
    let info = task.info();
    let labels = required(raw.labels.as_ref(), root.at, "labels", "labels: [Even, Odd]")?;
    let title = one_line(
        "title",
        required(raw.title.as_ref(), root.at, "title", "title: Even or odd?")?,
        128,
    )?;
    let spec = Spec {
        task,
        labels: label::labels(labels, task, source)?,
        team: team(required(
            raw.team.as_ref(),
            root.at,
            "team",
            "team: my-work-team",
        )?)?,
        description: raw
            .description
            .as_ref()
            .map_or(Ok(title.clone()), |text| one_line("description", text, 255))?,
        title,
        instructions: instructions(raw.instructions.as_ref())?,
        workers_per_item: whole(
            "workers_per_item",
            &raw.workers_per_item,
            info.default_workers,
            1,
            info.max_workers,
        )?,
        task_timeout: timeout(raw, task)?,
        task_expiration: expiration(raw)?,
        // API reference: 1 to 5,000, 1,000 when not given.
        max_concurrent_tasks: whole("max_concurrent_tasks", &raw.max_concurrent_tasks, 1_000, 1, 5_000)?,
        label_attribute: raw
            .label_attribute
            .as_ref()
            .map(|name| attribute::check(name, task))
            .transpose()?,
        select: raw
            .select
            .as_ref()
            .map_or_else(|| Ok(Select::default()), select)?,
        text: raw
            .text
            .as_ref()
            .map_or(Ok(TextSplit::File), |text| split(text, task))?,
        batch: batch(raw.batch.as_ref().unwrap_or(&RawBatch::default()), task)?,
        stop_after: raw.stop_after.as_ref().map(stop_after).transpose()?,
        kms_key: raw.kms_key.as_ref().map(kms_key).transpose()?,
        tags: raw.tags.as_ref().map_or_else(|| Ok(Vec::new()), tags)?,
        export: exports(raw.export.as_deref())?,
    };
    page_fits(&spec, root.at)?;
    Ok(spec)
}

fn required<'r, T>(
    value: Option<&'r At<T>>,
    root: Location,
    key: &str,
    example: &str,
) -> Result<&'r At<T>, Problem> {
    value
        .ok_or_else(|| Problem::new(root, format!("`{key}` is missing")).hint(format!("add it: `{example}`")))
}

fn task(name: &At<String>) -> Result<Task, Problem> {
    let supported: Vec<&str> = Task::all()
        .filter(|task| task.supported())
        .map(Task::name)
        .collect();
    let known: Vec<&str> = Task::all().map(Task::name).collect();
    let Some(task) = Task::from_name(&name.value) else {
        let hint = nearest::hint(&name.value, &supported, "the tasks are");
        return Err(Problem::new(
            name.at,
            format!("there is no task `{}`", name.value.escape_debug()),
        )
        .maybe_hint(
            nearest::name(&name.value, &known)
                .map(|name| format!("did you mean `{name}`?"))
                .or(hint),
        ));
    };
    if !task.supported() {
        return Err(
            Problem::new(name.at, format!("the task `{task}` is not yet supported"))
                .hint(format!("what works today: {}", supported.join(", "))),
        );
    }
    Ok(task)
}

/// A text of one line with 1 to `most` characters: TaskTitle has 128, TaskDescription 255, and both are `.+`
/// (API reference, HumanTaskConfig).
pub(super) fn one_line(key: &str, text: &At<String>, most: usize) -> Result<String, Problem> {
    let trimmed = text.value.trim();
    let length = char_count(trimmed);
    if trimmed.is_empty() {
        return Err(Problem::new(text.at, format!("`{key}` is empty")));
    }
    if length > most {
        return Err(Problem::new(
            text.at,
            format!("`{key}` has {length} characters, {most} are the most"),
        )
        .hint("shorten it; `instructions` have room for more"));
    }
    if trimmed.chars().any(char::is_control) {
        return Err(Problem::new(
            text.at,
            format!("`{key}` must be one line, without control characters"),
        )
        .hint("write it on one line; `instructions` can have several"));
    }
    Ok(trimmed.to_owned())
}

/// The service counts UTF-16 or code points, its pages do not say; code points it is, the kinder reading.
pub(super) fn char_count(text: &str) -> usize {
    text.chars().count()
}

fn whole(key: &str, value: &Option<At<u64>>, default: u32, least: u32, most: u32) -> Result<u32, Problem> {
    let Some(value) = value else { return Ok(default) };
    let number = u32::try_from(value.value)
        .ok()
        .filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| Problem::new(value.at, format!("`{key}` must be between {least} and {most}")))
}

/// API reference, HumanTaskConfig.WorkteamArn; CreateWorkteam.WorkteamName: `[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}`.
fn team(team: &At<String>) -> Result<Team, Problem> {
    let text = team.value.as_str();
    if text.starts_with("arn:") {
        return team_arn(text)
            .map(Team::Arn)
            .map_err(|(message, hint)| Problem::new(team.at, message).hint(hint));
    }
    if is_team_name(text) {
        return Ok(Team::Name(text.to_owned()));
    }
    Err(Problem::new(team.at, format!("`{}` cannot be the name of a work team", text.escape_debug()))
        .hint("1 to 63 letters A-Z, digits and hyphens, starting and ending with a letter or digit; or a work team's ARN"))
}

fn is_team_name(text: &str) -> bool {
    let edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = text.as_bytes();
    text.len() <= 63
        && edge(bytes.first())
        && edge(bytes.last())
        && bytes.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-')
}

fn team_arn(arn: &str) -> Result<String, (&'static str, &'static str)> {
    const FORM: &str = "its form is `arn:aws:sagemaker:<region>:<account>:workteam/private-crowd/<name>`";
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let [_, partition, "sagemaker", region, account, resource] = parts[..] else {
        return Err(("this is not the ARN of a work team", FORM));
    };
    let (crowd, name) = resource
        .strip_prefix("workteam/")
        .and_then(|r| r.split_once('/'))
        .unwrap_or_default();
    if crowd == "public-crowd" {
        return Err((
            "the public workforce was Amazon Mechanical Turk, which closed on September 30, 2026",
            "use a private work team: `team: my-work-team`",
        ));
    }
    let region_ok = !region.is_empty()
        && region
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    let account_ok = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
    let team_ok = matches!(crowd, "private-crowd" | "vendor-crowd") && is_team_name(name);
    if partition.starts_with("aws") && region_ok && account_ok && team_ok && arn.len() <= 256 {
        return Ok(arn.to_owned());
    }
    Err(("this is not the ARN of a work team", FORM))
}

fn instructions(raw: Option<&RawInstructions>) -> Result<Instructions, Problem> {
    let Some(raw) = raw else {
        return Ok(Instructions::default());
    };
    let text = |text: &Option<At<String>>| text.as_ref().map(markdown).transpose();
    Ok(Instructions {
        short: text(&raw.short)?,
        full: text(&raw.full)?,
        good_example: text(&raw.good_example)?,
        bad_example: text(&raw.bad_example)?,
    })
}

fn markdown(text: &At<String>) -> Result<String, Problem> {
    match template::unusable_image(&text.value) {
        None => Ok(text.value.clone()),
        Some(image) => Err(Problem::new(
            text.at,
            format!("workers cannot be shown the image `{}`", image.escape_debug()),
        )
        .hint("give an S3 URI, `![](s3://bucket/example.png)`, or a path within the dataset's folder")),
    }
}

/// At least 30 s (API reference, TaskTimeLimitInSeconds); at most 8 h for images and text (same), 7 days for frames
/// and point clouds (their task pages).
fn timeout(raw: &RawSpec, task: Task) -> Result<Duration, Problem> {
    let info = task.info();
    let limits = (Duration::from_secs(30), info.max_timeout);
    let why = "the labeling service's limits for one task";
    raw.task_timeout
        .as_ref()
        .map_or(Ok(info.default_timeout), |text| {
            unit::duration("task_timeout", text, limits, why)
        })
}

/// 60 s to 30 days (API reference, TaskAvailabilityLifetimeInSeconds). The console's default is ten days.
fn expiration(raw: &RawSpec) -> Result<Duration, Problem> {
    let why = "a labeling job lives 30 days at most";
    let read = |text| unit::duration("task_expiration", text, (MINUTE, 30 * DAY), why);
    raw.task_expiration.as_ref().map_or(Ok(10 * DAY), read)
}

fn select(raw: &RawSelect) -> Result<Select, Problem> {
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

fn split(raw: &At<RawText>, task: Task) -> Result<TextSplit, Problem> {
    if task.input() != Input::Text {
        return Err(
            Problem::new(raw.at, format!("`text` is for text tasks, and {task} is not one"))
                .hint("remove it: every file is one item"),
        );
    }
    let how = required(raw.value.split.as_ref(), raw.at, "split", "text: {split: line}")?;
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
        .maybe_hint(nearest::hint(other, &SPLITS, "it can be split by"))),
    }
}

fn batch(raw: &RawBatch, task: Task) -> Result<BatchRules, Problem> {
    let why = "long enough to see that no file comes any more, short enough to still be remembered";
    let quiet = raw.quiet.as_ref().map_or(Ok(2 * MINUTE), |text| {
        unit::duration("quiet", text, (Duration::from_secs(1), DAY), why)
    })?;
    let max_wait = raw.max_wait.as_ref().map_or(Ok(quiet.max(HOUR)), |text| {
        unit::duration(
            "max_wait",
            text,
            (quiet, 7 * DAY),
            "it cannot be shorter than `quiet`, which is waited for first",
        )
    })?;
    let most = task.info().max_items;
    // "Input data quotas": items of one labeling job.
    let max_items = whole("max_items", &raw.max_items, most, 1, most)?;
    Ok(BatchRules {
        quiet,
        max_wait,
        max_items,
    })
}

/// API reference, StoppingConditions.
fn stop_after(raw: &At<RawStopAfter>) -> Result<StopAfter, Problem> {
    let number = |key, value| {
        whole(
            key,
            value,
            0,
            1,
            if key == "percent" { 100 } else { u32::MAX >> 1 },
        )
    };
    match (&raw.value.items, &raw.value.percent) {
        (items @ Some(_), None) => Ok(StopAfter::Items(number("items", items)?)),
        (None, percent @ Some(_)) => Ok(StopAfter::Percent(number("percent", percent)?)),
        _ => Err(
            Problem::new(raw.at, "`stop_after` takes either `items` or `percent`")
                .hint("for example `stop_after: {items: 5000}`"),
        ),
    }
}

/// API reference, OutputConfig.KmsKeyId.
fn kms_key(key: &At<String>) -> Result<String, Problem> {
    let ok = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b':' | b'/' | b'_' | b'-');
    if (1..=2_048).contains(&key.value.len()) && key.value.bytes().all(ok) {
        return Ok(key.value.clone());
    }
    Err(Problem::new(key.at, "this cannot be a KMS key")
        .hint("give its id, its ARN, or an alias: `alias/my-key`"))
}

/// 50 a resource (API reference, Tags); two are Groundcrew's own.
const MAX_TAGS: usize = 48;

fn tags(raw: &At<RawTags>) -> Result<Vec<(String, String)>, Problem> {
    if raw.value.0.len() > MAX_TAGS {
        return Err(Problem::new(
            raw.at,
            format!("{MAX_TAGS} tags are the most, here are {}", raw.value.0.len()),
        ));
    }
    raw.value.0.iter().map(|(key, value)| tag(key, value)).collect()
}

/// API reference, Tag: key 1 to 128 characters, value up to 256, both of `[\p{L}\p{Z}\p{N}_.:/=+\-@]*`; `aws:` is
/// AWS's own.
fn tag(key: &str, value: &At<String>) -> Result<(String, String), Problem> {
    let fault = if !(1..=128).contains(&char_count(key)) {
        "a tag's key has 1 to 128 characters"
    } else if key.to_ascii_lowercase().starts_with("aws:") || key.starts_with("groundcrew:") {
        "tags that start with `aws:` or `groundcrew:` are set by others"
    } else if char_count(&value.value) > 256 {
        "a tag's value has at most 256 characters"
    } else if !key.chars().chain(value.value.chars()).all(is_tag_char) {
        "tags may hold letters, digits, spaces and `_.:/=+-@`"
    } else {
        return Ok((key.to_owned(), value.value.clone()));
    };
    Err(Problem::new(value.at, fault).hint(format!("change the tag `{}`", key.escape_debug())))
}

/// Of `[\p{L}\p{Z}\p{N}_.:/=+\-@]`.
pub(crate) fn is_tag_char(c: char) -> bool {
    c.is_alphanumeric() || c == ' ' || "_.:/=+-@".contains(c)
}

fn exports(raw: Option<&[At<String>]>) -> Result<Vec<ExportFormat>, Problem> {
    let Some(raw) = raw else {
        return Ok(vec![ExportFormat::Csv]);
    };
    let mut formats = Vec::new();
    for name in raw {
        let format = export(name)?;
        if formats.contains(&format) {
            return Err(Problem::new(
                name.at,
                format!("the export `{}` is here twice", name.value),
            ));
        }
        formats.push(format);
    }
    Ok(formats)
}

fn export(name: &At<String>) -> Result<ExportFormat, Problem> {
    match name.value.as_str() {
        "csv" => Ok(ExportFormat::Csv),
        "jsonl" => Ok(ExportFormat::JsonLines),
        later if EXPORTS_NOT_YET.contains(&later) => Err(Problem::new(
            name.at,
            format!("the export `{later}` is not yet supported"),
        )
        .hint(format!("what works today: {}", EXPORTS.join(", ")))),
        other => Err(
            Problem::new(name.at, format!("there is no export `{}`", other.escape_debug()))
                .maybe_hint(nearest::hint(other, &EXPORTS, "the exports are")),
        ),
    }
}

/// The page made of it all has to fit, and this is when somebody can still do something about it.
fn page_fits(spec: &Spec, at: Location) -> Result<(), Problem> {
    if template::fits(spec) {
        return Ok(());
    }
    Err(Problem::new(
        at,
        format!(
            "the worker page made from this has more than {} characters",
            template::MAX_CHARS
        ),
    )
    .hint("shorten the instructions or the descriptions of the labels"))
}
