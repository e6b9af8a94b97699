//! The rules for what workers read: title, description, instructions.

use crate::spec::Instructions;
use crate::spec_file::raw::RawInstructions;
use crate::template;
use crate::yaml::at::At;
use crate::yaml::error::Problem;

/// API reference, HumanTaskConfig.TaskTitle.
pub(super) fn title(text: &At<String>) -> Result<String, Problem> {
    one_line("title", text, 128)
}

/// API reference, HumanTaskConfig.TaskDescription. The service wants one; the title says what there is to say.
pub(super) fn description(text: Option<&At<String>>, title: &str) -> Result<String, Problem> {
    text.map_or_else(|| Ok(title.to_owned()), |text| one_line("description", text, 255))
}

/// A text of one line with 1 to `most` characters: the service's pattern for such texts is `.+`.
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

pub(super) fn instructions(raw: Option<&RawInstructions>) -> Result<Instructions, Problem> {
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
