//! The worker's page of a job: Liquid HTML as AWS's built-in templates are shaped (developer guide, "Crowd HTML
//! elements reference" and each task's page), with the spec's title and instructions in it.
//!
//! All text from people goes through [`text`] or, as Markdown, through [`markdown`]. Their results mean nothing to HTML and
//! nothing to Liquid.

mod image;
mod markdown;

pub(crate) use self::image::{Images, UnusableImage};
pub(crate) use self::markdown::{image_destinations, unusable_image};
use crate::html::escape_with_braces as text;
use crate::spec::{Label, Spec};
use crate::task::{Input, Interface, Output};

/// RenderUiTemplate, UiTemplate.Content: 1 to 128,000 characters (API reference).
pub(crate) const MAX_CHARS: usize = 128_000;

/// The page of a spec's jobs. Fails only where `images` cannot be written into a template.
pub(crate) fn render(spec: &Spec, images: &Images) -> Result<String, UnusableImage> {
    let info = spec.task.info();
    let Interface::Template(element) = info.interface else {
        return Ok(String::new());
    };
    let (attribute, target) = match info.input {
        Input::Image => (
            "\n    src=\"{{ task.input.taskObject | grant_read_access }}\"",
            "",
        ),
        _ => ("", TEXT),
    };
    Ok(format!(
        r#"<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>
<crowd-form>
  <{element}
    name="{element}"{attribute}
    categories="{{{{ task.input.labels | to_json | escape }}}}"
    header="{header}"{details}
  >{target}
    <full-instructions header="{header}">{full}</full-instructions>
    <short-instructions>{short}</short-instructions>
  </{element}>
</crowd-form>
"#,
        header = text(&spec.title),
        details = details(&spec.labels),
        full = full(spec, images)?,
        short = short(spec, images)?,
    ))
}

/// Autoescaped by Liquid. No space around it: with `pre-wrap` a space is shown.
const TEXT: &str = r#"
    <classification-target style="white-space: pre-wrap">{{ task.input.taskObject }}</classification-target>"#;

/// Whether the page fits for any name of the dataset and the bucket.
pub(crate) fn fits(spec: &Spec) -> bool {
    render(spec, &Images::longest()).is_ok_and(|page| page.chars().count() <= MAX_CHARS)
}

/// Beside the item: what to do in short, and what good and bad answers look like.
fn short(spec: &Spec, images: &Images) -> Result<String, UnusableImage> {
    let instructions = &spec.instructions;
    let mut html = match &instructions.short {
        Some(short) => markdown::html(short, images)?,
        None => format!("<p>{}</p>", text(&spec.description)),
    };
    if spec.task.info().output == Output::Classes && instructions.short.is_none() {
        html += "<p>Choose every label that applies.</p>";
    }
    for (heading, example) in [
        ("Good example", &instructions.good_example),
        ("Bad example", &instructions.bad_example),
    ] {
        if let Some(example) = example {
            html += &format!("<h3>{heading}</h3>{}", markdown::html(example, images)?);
        }
    }
    Ok(html)
}

/// Behind a button. Without full instructions, what the labels mean.
fn full(spec: &Spec, images: &Images) -> Result<String, UnusableImage> {
    if let Some(full) = &spec.instructions.full {
        return markdown::html(full, images);
    }
    let described = spec
        .labels
        .iter()
        .filter_map(|label| Some((&label.name, label.description.as_ref()?)));
    let list: String = described
        .map(|(name, meaning)| format!("<dt>{}</dt><dd>{}</dd>", text(name), text(meaning)))
        .collect();
    let list = if list.is_empty() {
        list
    } else {
        format!("<dl>{list}</dl>")
    };
    Ok(format!("<p>{}</p>{list}", text(&spec.description)))
}

/// Colors, hotkeys and descriptions of labels, for crowd elements that know this attribute. AWS's do not, and an
/// unknown attribute does nothing.
fn details(labels: &[Label]) -> String {
    if labels
        .iter()
        .all(|label| label.color.is_none() && label.hotkey.is_none() && label.description.is_none())
    {
        return String::new();
    }
    let details: Vec<_> = labels.iter().map(detail).collect();
    format!(
        "\n    label-details=\"{}\"",
        text(&serde_json::Value::from(details).to_string())
    )
}

fn detail(label: &Label) -> serde_json::Value {
    let mut detail = serde_json::Map::from_iter([("label".to_owned(), label.name.as_str().into())]);
    for (key, value) in [
        ("color", label.color.clone()),
        ("hotkey", label.hotkey.map(String::from)),
        ("description", label.description.clone()),
    ] {
        if let Some(value) = value {
            detail.insert(key.to_owned(), value.into());
        }
    }
    detail.into()
}

/// Every image the instructions name, as they write it.
pub(crate) fn image_links(spec: &Spec) -> Vec<String> {
    let instructions = &spec.instructions;
    [
        &instructions.short,
        &instructions.full,
        &instructions.good_example,
        &instructions.bad_example,
    ]
    .into_iter()
    .flatten()
    .flat_map(|text| image_destinations(text))
    .collect()
}

#[cfg(test)]
mod tests;
