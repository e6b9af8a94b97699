//! What a worker's answer to a classification task says: classes by number. That is all that is kept of it. A worker's
//! browser can send anything, and what it sends beside the choice would be stored, read and written for ever.

use std::sync::Arc;

use regex::Regex;
use serde_json::{Value, json};

use super::categories::Categories;
use super::task::{Choice, Task};

/// An answer names labels, which the job's author has chosen; beside them there is little to say. In bytes of JSON.
const SMALLEST_BOUND: usize = 4 * 1024;
/// A label's character may be written as `\u0000`.
const ESCAPED: usize = 6;

/// How the answers to one job's tasks are read, and written again.
#[derive(Clone, Debug)]
pub(crate) struct Answers {
    task: Task,
    categories: Arc<Categories>,
    /// The name of the task's element in the template: answers are keyed by it.
    element: String,
    none: NoneOfThese,
    max_bytes: usize,
}

/// `exclusion-category`, whose text is in no category file.
#[derive(Clone, Debug, PartialEq)]
enum NoneOfThese {
    NotOffered,
    Offered,
    /// Where the template has it as plain text.
    Called(String),
}

impl Answers {
    pub(crate) fn new(task: Task, template: &str, categories: Arc<Categories>) -> Answers {
        let names = categories.names().iter();
        let longest = match task.choice() {
            Choice::One => names.map(|name| name.len() * ESCAPED).max().unwrap_or_default(),
            Choice::Several => names.map(|name| name.len() * ESCAPED).sum(),
        };
        Answers {
            element: element(task, template).unwrap_or_else(|| task.element().to_owned()),
            none: none_of_these(template),
            max_bytes: SMALLEST_BOUND + longest,
            task,
            categories,
        }
    }

    /// What is kept of an answer that a worker hands in. The message goes to the worker.
    pub(crate) fn checked(&self, content: &Value) -> Result<Value, String> {
        let size = content.to_string().len();
        if size > self.max_bytes {
            return Err(format!(
                "it has {size} bytes, and an answer to this task has at most {}; hand in the choice alone",
                self.max_bytes
            ));
        }
        Ok(self.content(&self.classes(content)?))
    }

    /// What is kept of an answer that was taken before; nothing, if it can be read no more.
    pub(crate) fn choice(&self, content: &Value) -> Value {
        self.classes(content)
            .map_or(Value::Null, |classes| self.content(&classes))
    }

    /// The answer that chooses these classes, as the task's element gives it.
    pub(crate) fn content(&self, classes: &[u16]) -> Value {
        let names: Vec<&str> = classes.iter().map(|class| self.categories.name(*class)).collect();
        let chosen = match (self.task.choice(), &self.none) {
            (Choice::One, _) => json!({"label": names.first()}),
            (Choice::Several, NoneOfThese::Called(none)) if names.is_empty() => json!({"labels": [none]}),
            (Choice::Several, _) => json!({"labels": names}),
        };
        json!({self.element.as_str(): chosen})
    }

    /// The classes an answer (`{"<element name>": {"label": …}}` or `{…: {"labels": […]}}`) chooses, in ascending order.
    /// The message goes to the worker.
    pub(crate) fn classes(&self, content: &Value) -> Result<Vec<u16>, String> {
        match self.task.choice() {
            Choice::One => Ok(vec![self.one(content)?]),
            Choice::Several => self.several(content),
        }
    }

    fn one(&self, content: &Value) -> Result<u16, String> {
        let label = self
            .field(content, "label")?
            .as_str()
            .ok_or("its label is not a text")?;
        self.categories
            .number(label)
            .ok_or_else(|| format!("{label:?} is not one of the labels of this job"))
    }

    fn several(&self, content: &Value) -> Result<Vec<u16>, String> {
        let labels = self
            .field(content, "labels")?
            .as_array()
            .ok_or("its labels are not a list")?;
        let mut classes = Vec::with_capacity(labels.len());
        for label in labels {
            let label = label.as_str().ok_or("one of its labels is not a text")?;
            match self.categories.number(label) {
                Some(number) => classes.push(number),
                None if self.none != NoneOfThese::NotOffered => {}
                None => return Err(format!("{label:?} is not one of the labels of this job")),
            }
        }
        if labels.is_empty() && self.none == NoneOfThese::NotOffered {
            return Err("no label is chosen; choose at least one".into());
        }
        classes.sort_unstable();
        classes.dedup();
        Ok(classes)
    }

    /// The element is looked for under the name AWS's template gives it, then under any other: template authors rename it.
    fn field<'a>(&self, content: &'a Value, field: &str) -> Result<&'a Value, String> {
        let elements = content
            .as_object()
            .ok_or("it is not an object of form elements")?;
        let named = elements.get(self.task.element()).into_iter();
        named
            .chain(elements.values())
            .find_map(|element| element.get(field))
            .ok_or_else(|| format!("it has no {{\"{}\": {{\"{field}\": …}}}}", self.task.element()))
    }
}

/// Authors rename the element by its `name`.
fn element(task: Task, template: &str) -> Option<String> {
    let pattern = format!(
        r#"<{}\s[^>]*?\bname\s*=\s*["']([^"'{{}}<>]{{1,128}})["']"#,
        task.element()
    );
    captured(&pattern, template)
}

fn none_of_these(template: &str) -> NoneOfThese {
    const ATTRIBUTE: &str = r#"exclusion-category\s*=\s*"\{\s*text\s*:\s*'([^'"{}<>&]{1,256})'\s*\}""#;
    const CHILD: &str = r"<exclusion-category\b[^>]*>\s*([^<>{}&]{1,256}?)\s*</exclusion-category>";
    if !template.contains("exclusion-category") {
        return NoneOfThese::NotOffered;
    }
    let called = captured(ATTRIBUTE, template).or_else(|| captured(CHILD, template));
    called.map_or(NoneOfThese::Offered, NoneOfThese::Called)
}

fn captured(pattern: &str, text: &str) -> Option<String> {
    let found = Regex::new(pattern).ok()?.captures(text)?;
    Some(found.get(1)?.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(task: Task, template: &str) -> Answers {
        let file = br#"{"labels":[{"label":"a"},{"label":"b"},{"label":"c"}]}"#;
        Answers::new(task, template, Arc::new(Categories::read(task, file).unwrap()))
    }

    #[test]
    fn a_single_choice_is_read_under_any_element_name() {
        let answers = answers(Task::TextMultiClass, "");
        for name in ["crowd-classifier", "mine"] {
            assert_eq!(
                answers.classes(&json!({name: {"label": "b"}, "note": "x"})),
                Ok(vec![1])
            );
        }
    }

    #[test]
    fn several_choices_come_in_order_and_once() {
        let answers = answers(Task::ImageMultiClassMultiLabel, "");
        let content = json!({"crowd-image-classifier-multi-select": {"labels": ["c", "a", "c"]}});
        assert_eq!(answers.classes(&content), Ok(vec![0, 2]));
    }

    #[test]
    fn none_of_these_is_an_answer_only_where_the_template_offers_it() {
        let content = json!({"crowd-classifier-multi-select": {"labels": ["None"]}});
        let with = answers(
            Task::TextMultiClassMultiLabel,
            "<x exclusion-category=\"{ text: 'None' }\">",
        );
        assert_eq!(with.classes(&content), Ok(vec![]));
        let without = answers(Task::TextMultiClassMultiLabel, "");
        assert!(without.classes(&content).is_err());
    }

    #[test]
    fn what_is_no_answer_is_refused_with_a_reason() {
        let single = answers(Task::TextMultiClass, "");
        let several = answers(Task::TextMultiClassMultiLabel, "");
        for content in [
            json!(1),
            json!({}),
            json!({"crowd-classifier": {"label": 3}}),
            json!({"crowd-classifier": {"label": "z"}}),
        ] {
            assert!(single.classes(&content).is_err(), "{content}");
        }
        for content in [
            json!({"x": {"labels": []}}),
            json!({"x": {"labels": [1]}}),
            json!({"x": {"labels": "a"}}),
        ] {
            assert!(several.classes(&content).is_err(), "{content}");
        }
    }

    #[test]
    fn only_the_choice_is_kept_of_an_answer() {
        let one = answers(Task::TextMultiClass, "");
        let junk = json!({"crowd-classifier": {"label": "b", "more": "x"}, "note": "y", "z".repeat(99): 1});
        assert_eq!(
            one.checked(&junk),
            Ok(json!({"crowd-classifier": {"label": "b"}}))
        );
        assert_eq!(one.choice(&json!({"label": "b"})), Value::Null);
        let renamed = answers(
            Task::TextMultiClass,
            "<crowd-classifier\n header='x' name=\"parity\">",
        );
        let named = json!({"parity": {"label": "b"}});
        assert_eq!(renamed.checked(&named), Ok(named.clone()));
        assert_eq!(renamed.checked(&json!({"other": {"label": "b"}})), Ok(named));
        let several = Task::TextMultiClassMultiLabel;
        let kept = |template: &str, labels: Value| {
            let given = json!({"crowd-classifier-multi-select": {"labels": labels}});
            answers(several, template)
                .checked(&given)
                .map(|kept| kept["crowd-classifier-multi-select"]["labels"].clone())
        };
        let offered = "<x exclusion-category=\"{ text: 'None of them' }\">";
        for (template, given, expected) in [
            (offered, json!(["None of them"]), json!(["None of them"])),
            (offered, json!(["junk"]), json!(["None of them"])),
            (
                "<exclusion-category> None </exclusion-category>",
                json!(["None"]),
                json!(["None"]),
            ),
            (
                "<x exclusion-category=\"{{ task.input.none }}\">",
                json!(["junk"]),
                json!([]),
            ),
            ("", json!(["c", "a", "c"]), json!(["a", "c"])),
        ] {
            assert_eq!(kept(template, given), Ok(expected), "{template}");
        }
    }

    #[test]
    fn an_answer_is_bounded_by_what_the_labels_need() {
        let answers = answers(Task::TextMultiClass, "");
        let with = |junk: usize| json!({"crowd-classifier": {"label": "b"}, "note": "x".repeat(junk)});
        assert!(answers.checked(&with(4_000)).is_ok());
        let refused = answers.checked(&with(5_000)).unwrap_err();
        assert!(refused.contains("at most 4102"), "{refused}");
        let long: Vec<Value> = (0..50)
            .map(|i| json!({"label": format!("{i:\u{e9}>250}")}))
            .collect();
        let file = json!({"labels": long}).to_string();
        let several = Task::TextMultiClassMultiLabel;
        let categories = Arc::new(Categories::read(several, file.as_bytes()).unwrap());
        let all = json!({"crowd-classifier-multi-select": {"labels": categories.names()}});
        assert!(Answers::new(several, "", categories).checked(&all).is_ok());
    }
}
