//! The rules for labels.

use std::collections::{BTreeMap, BTreeSet};

use serde_saphyr::Location;

use super::prose::{char_count, one_line};
use crate::lookalike;
use crate::spec::Label;
use crate::spec_file::raw::{RawFullLabel, RawLabel};
use crate::task::Task;
use crate::yaml::at::At;
use crate::yaml::error::Problem;

/// All labels go into every task a worker gets. RenderUiTemplate takes a task input of at most 128,000 characters,
/// of which an item's text may be 20,000; this leaves room for quoting.
const MAX_TOTAL_CHARS: usize = 50_000;

pub(super) fn labels(raw: &At<Vec<At<RawLabel>>>, task: Task, source: &str) -> Result<Vec<Label>, Problem> {
    count(raw, task)?;
    let mut labels: Vec<Label> = Vec::new();
    let (mut names, mut hotkeys) = (BTreeMap::new(), BTreeSet::new());
    for one in &raw.value {
        let label = label(one, task, source)?;
        // Workers see names, not characters: two that look alike would split the votes between them.
        if let Some((name, at)) = names.insert(lookalike::key(&label.name), (label.name.clone(), one.at)) {
            return Err(listed_twice(&label.name, one.at, &name, at));
        }
        if label.hotkey.is_some_and(|key| !hotkeys.insert(key)) {
            return Err(Problem::new(
                one.at,
                format!("the hotkey of `{}` belongs to another label", label.name),
            )
            .hint("every label has a hotkey of its own, or none"));
        }
        labels.push(label);
    }
    if labels.iter().map(|label| char_count(&label.name)).sum::<usize>() > MAX_TOTAL_CHARS {
        return Err(Problem::new(
            raw.at,
            format!("the labels together are longer than {MAX_TOTAL_CHARS} characters"),
        )
        .hint("all of them are sent to the worker with every item: use fewer or shorter labels"));
    }
    Ok(labels)
}

fn listed_twice(name: &str, at: Location, earlier: &str, earlier_at: Location) -> Problem {
    let Some(difference) = lookalike::difference(earlier, name) else {
        return Problem::new(at, format!("the label `{name}` is here twice"))
            .hint("every label has a name of its own: remove one of them");
    };
    let (line, column) = (earlier_at.line(), earlier_at.column());
    Problem::new(
        at,
        format!("the label `{name}` looks like `{earlier}`, line {line}, column {column}: {difference}"),
    )
    .hint("workers cannot distinguish them: remove one of them, or give it another name")
}

/// Counts: API reference, LabelCategoryConfigS3Uri (at least two for classification), and the developer guide's
/// "Input data quotas".
fn count(raw: &At<Vec<At<RawLabel>>>, task: Task) -> Result<(), Problem> {
    let (found, info) = (raw.value.len(), task.info());
    if found < info.min_labels {
        return Err(Problem::new(
            raw.at,
            format!(
                "{task} needs at least {} labels, here are {found}",
                info.min_labels
            ),
        )
        .hint("list every answer a worker can give: `labels: [Even, Odd]`"));
    }
    match info.max_labels {
        Some(most) if found > most => Err(Problem::new(
            raw.at,
            format!("{task} takes at most {most} labels, here are {found}"),
        )
        .hint("split the dataset into several with fewer labels each")),
        _ => Ok(()),
    }
}

fn label(raw: &At<RawLabel>, task: Task, source: &str) -> Result<Label, Problem> {
    let (name, full) = match &raw.value {
        RawLabel::Name(name) => (
            At {
                value: name.as_str(),
                at: raw.at,
                defined: raw.defined,
            },
            None,
        ),
        RawLabel::Bare => (
            At {
                value: raw.text(source),
                at: raw.at,
                defined: raw.defined,
            },
            None,
        ),
        RawLabel::Full(full) => {
            let missing = || {
                Problem::new(raw.at, "this label has no `name`").hint("add one: `{name: Even, hotkey: e}`")
            };
            (full.name.as_ref().ok_or_else(missing)?.as_deref(), Some(full))
        }
    };
    check_name(&name, task)?;
    let label = Label {
        name: name.value.to_owned(),
        ..Label::default()
    };
    full.map_or(Ok(label.clone()), |full| details(label, full))
}

fn check_name(name: &At<&str>, task: Task) -> Result<(), Problem> {
    let most = task.info().max_label_chars;
    let length = char_count(name.value);
    if name.value.trim().is_empty() {
        return Err(Problem::new(name.at, "a label is empty").hint("every label needs a name"));
    }
    if lookalike::key(name.value).is_empty() {
        let message = format!("the label `{}` shows nothing", name.value);
        return Err(Problem::new(name.at, message).hint("every label needs a name that can be seen"));
    }
    if length > most {
        return Err(Problem::new(
            name.at,
            format!("this label has {length} characters, {most} are the most"),
        )
        .hint("shorten it; `description` has room for more"));
    }
    if name.value.chars().any(char::is_control) {
        return Err(Problem::new(
            name.at,
            "a label may not hold line breaks or other control characters",
        ));
    }
    if name.value.trim() != name.value {
        return Err(Problem::new(name.at, "a label starts or ends with a space").hint("remove it"));
    }
    Ok(())
}

fn details(mut label: Label, raw: &RawFullLabel) -> Result<Label, Problem> {
    if let Some(attributes) = &raw.attributes {
        return Err(
            Problem::new(attributes.at, "`attributes` of a label are not yet supported")
                .hint("leave them out, or make a label of each combination"),
        );
    }
    label.color = raw.color.as_ref().map(color).transpose()?;
    label.hotkey = raw.hotkey.as_ref().map(hotkey).transpose()?;
    label.description = raw
        .description
        .as_ref()
        .map(|text| one_line("description", text, 255))
        .transpose()?;
    Ok(label)
}

fn color(text: &At<String>) -> Result<String, Problem> {
    let digits = text.value.strip_prefix('#').unwrap_or_default();
    if digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Ok(text.value.to_ascii_lowercase());
    }
    Err(
        Problem::new(text.at, format!("`{}` is not a color", text.value.escape_debug()))
            .hint("write it in quotes, red, green and blue: `color: \"#1f77b4\"`"),
    )
}

fn hotkey(text: &At<String>) -> Result<char, Problem> {
    let mut chars = text.value.chars();
    match (chars.next(), chars.next()) {
        (Some(key), None) if key.is_ascii_alphanumeric() => Ok(key.to_ascii_lowercase()),
        _ => {
            Err(Problem::new(text.at, "`hotkey` must be one letter A-Z or digit")
                .hint("for example `hotkey: e`"))
        }
    }
}
