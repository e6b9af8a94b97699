//! Answers to classification tasks: the chosen classes, by number.

use std::sync::Arc;

use regex::Regex;
use serde_json::{Value, json};

use crate::job::{Categories, Choice, TaskType};

/// An answer names labels, whose length the job's author has chosen. Everything else in it is short. In bytes of JSON.
const BYTES_BESIDE_LABELS: usize = 4 * 1024;
/// A label's character may be written as `\u0000`.
const BYTES_PER_CHARACTER: usize = 6;

#[derive(Clone, Debug)]
pub(crate) struct ClassReader {
    task: TaskType,
    categories: Arc<Categories>,
    /// The name of the task's element in the template. It is the key of the answer.
    element: String,
    exclusion: ExclusionCategory,
    max_bytes: usize,
}

/// The template's `exclusion-category` ("none of these"). Its text is not in the category file.
#[derive(Clone, Debug, PartialEq)]
enum ExclusionCategory {
    NotOffered,
    /// Offered, with a text that the template computes.
    Offered,
    /// Offered, with this text.
    Named(String),
}

impl ClassReader {
    pub(super) fn new(task: TaskType, template: &str, categories: Arc<Categories>) -> ClassReader {
        let names = categories.names().iter();
        let longest = match task.choice() {
            Choice::One => names
                .map(|name| name.len() * BYTES_PER_CHARACTER)
                .max()
                .unwrap_or_default(),
            Choice::Several => names.map(|name| name.len() * BYTES_PER_CHARACTER).sum(),
        };
        ClassReader {
            element: element(task, template).unwrap_or_else(|| task.element().to_owned()),
            exclusion: exclusion_category(template),
            max_bytes: BYTES_BESIDE_LABELS + longest,
            task,
            categories,
        }
    }

    pub(super) fn max_bytes(&self) -> usize {
        self.max_bytes
    }

    /// The answer that chooses these classes, as the task's element gives it.
    pub(super) fn write(&self, classes: &[u16]) -> Value {
        let names: Vec<&str> = classes.iter().map(|class| self.categories.name(*class)).collect();
        let chosen = match (self.task.choice(), &self.exclusion) {
            (Choice::One, _) => json!({"label": names.first()}),
            (Choice::Several, ExclusionCategory::Named(none)) if names.is_empty() => {
                json!({"labels": [none]})
            }
            (Choice::Several, _) => json!({"labels": names}),
        };
        json!({self.element.as_str(): chosen})
    }

    /// The classes an answer (`{"<element name>": {"label": …}}` or `{…: {"labels": […]}}`) chooses, in ascending order.
    /// The message is for the worker.
    pub(super) fn read(&self, answer: &Value) -> Result<Vec<u16>, String> {
        match self.task.choice() {
            Choice::One => Ok(vec![self.one(answer)?]),
            Choice::Several => self.several(answer),
        }
    }

    fn one(&self, answer: &Value) -> Result<u16, String> {
        let label = self
            .field(answer, "label")?
            .as_str()
            .ok_or("its label is not a text")?;
        self.categories
            .number(label)
            .ok_or_else(|| format!("{label:?} is not one of the labels of this job"))
    }

    fn several(&self, answer: &Value) -> Result<Vec<u16>, String> {
        let labels = self
            .field(answer, "labels")?
            .as_array()
            .ok_or("its labels are not a list")?;
        let mut classes = Vec::with_capacity(labels.len());
        for label in labels {
            let label = label.as_str().ok_or("one of its labels is not a text")?;
            match self.categories.number(label) {
                Some(number) => classes.push(number),
                None if self.exclusion != ExclusionCategory::NotOffered => {}
                None => return Err(format!("{label:?} is not one of the labels of this job")),
            }
        }
        if labels.is_empty() && self.exclusion == ExclusionCategory::NotOffered {
            return Err("no label is chosen; choose at least one".into());
        }
        classes.sort_unstable();
        classes.dedup();
        Ok(classes)
    }

    /// Looks for the element under the name it has in AWS's template, then under every other name: template authors rename
    /// it.
    fn field<'a>(&self, answer: &'a Value, field: &str) -> Result<&'a Value, String> {
        let elements = answer.as_object().ok_or("it is not an object of form elements")?;
        let named = elements.get(self.task.element()).into_iter();
        named
            .chain(elements.values())
            .find_map(|element| element.get(field))
            .ok_or_else(|| format!("it has no {{\"{}\": {{\"{field}\": …}}}}", self.task.element()))
    }
}

/// The `name` that the template's author gave the element.
fn element(task: TaskType, template: &str) -> Option<String> {
    let pattern = format!(
        r#"<{}\s[^>]*?\bname\s*=\s*["']([^"'{{}}<>]{{1,128}})["']"#,
        task.element()
    );
    first_capture(&pattern, template)
}

fn exclusion_category(template: &str) -> ExclusionCategory {
    const ATTRIBUTE: &str = r#"exclusion-category\s*=\s*"\{\s*text\s*:\s*'([^'"{}<>&]{1,256})'\s*\}""#;
    const CHILD: &str = r"<exclusion-category\b[^>]*>\s*([^<>{}&]{1,256}?)\s*</exclusion-category>";
    if !template.contains("exclusion-category") {
        return ExclusionCategory::NotOffered;
    }
    let name = first_capture(ATTRIBUTE, template).or_else(|| first_capture(CHILD, template));
    name.map_or(ExclusionCategory::Offered, ExclusionCategory::Named)
}

fn first_capture(pattern: &str, text: &str) -> Option<String> {
    let found = Regex::new(pattern).ok()?.captures(text)?;
    Some(found.get(1)?.as_str().to_owned())
}
