//! What a worker's answer to a classification task says: classes by number.

use serde_json::Value;

use super::categories::Categories;
use super::task::{Choice, Task};

/// How the answers to one job's tasks are read.
#[derive(Clone, Debug)]
pub(crate) struct Answers {
    task: Task,
    /// The template offers "none of these" (`exclusion-category`), whose text is in no category file.
    may_be_none: bool,
}

impl Answers {
    pub(crate) fn new(task: Task, template: &str) -> Answers {
        Answers {
            task,
            may_be_none: template.contains("exclusion-category"),
        }
    }

    /// The classes an answer (`{"<element name>": {"label": …}}` or `{…: {"labels": […]}}`) chooses, in ascending order.
    /// The message goes to the worker.
    pub(crate) fn classes(&self, content: &Value, categories: &Categories) -> Result<Vec<u16>, String> {
        match self.task.choice() {
            Choice::One => Ok(vec![self.one(content, categories)?]),
            Choice::Several => self.several(content, categories),
        }
    }

    fn one(&self, content: &Value, categories: &Categories) -> Result<u16, String> {
        let label = self
            .field(content, "label")?
            .as_str()
            .ok_or("its label is not a text")?;
        categories
            .number(label)
            .ok_or_else(|| format!("{label:?} is not one of the labels of this job"))
    }

    fn several(&self, content: &Value, categories: &Categories) -> Result<Vec<u16>, String> {
        let labels = self
            .field(content, "labels")?
            .as_array()
            .ok_or("its labels are not a list")?;
        let mut classes = Vec::with_capacity(labels.len());
        for label in labels {
            let label = label.as_str().ok_or("one of its labels is not a text")?;
            match categories.number(label) {
                Some(number) => classes.push(number),
                None if self.may_be_none => {}
                None => return Err(format!("{label:?} is not one of the labels of this job")),
            }
        }
        if labels.is_empty() && !self.may_be_none {
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn categories() -> Categories {
        Categories::read(
            Task::TextMultiClass,
            br#"{"labels":[{"label":"a"},{"label":"b"},{"label":"c"}]}"#,
        )
        .unwrap()
    }

    #[test]
    fn a_single_choice_is_read_under_any_element_name() {
        let answers = Answers::new(Task::TextMultiClass, "");
        for name in ["crowd-classifier", "mine"] {
            assert_eq!(
                answers.classes(&json!({name: {"label": "b"}, "note": "x"}), &categories()),
                Ok(vec![1])
            );
        }
    }

    #[test]
    fn several_choices_come_in_order_and_once() {
        let answers = Answers::new(Task::ImageMultiClassMultiLabel, "");
        let content = json!({"crowd-image-classifier-multi-select": {"labels": ["c", "a", "c"]}});
        assert_eq!(answers.classes(&content, &categories()), Ok(vec![0, 2]));
    }

    #[test]
    fn none_of_these_is_an_answer_only_where_the_template_offers_it() {
        let content = json!({"crowd-classifier-multi-select": {"labels": ["None"]}});
        let with = Answers::new(
            Task::TextMultiClassMultiLabel,
            "<x exclusion-category=\"{ text: 'None' }\">",
        );
        assert_eq!(with.classes(&content, &categories()), Ok(vec![]));
        let without = Answers::new(Task::TextMultiClassMultiLabel, "");
        assert!(without.classes(&content, &categories()).is_err());
    }

    #[test]
    fn what_is_no_answer_is_refused_with_a_reason() {
        let single = Answers::new(Task::TextMultiClass, "");
        let several = Answers::new(Task::TextMultiClassMultiLabel, "");
        for content in [
            json!(1),
            json!({}),
            json!({"crowd-classifier": {"label": 3}}),
            json!({"crowd-classifier": {"label": "z"}}),
        ] {
            assert!(single.classes(&content, &categories()).is_err(), "{content}");
        }
        for content in [
            json!({"x": {"labels": []}}),
            json!({"x": {"labels": [1]}}),
            json!({"x": {"labels": "a"}}),
        ] {
            assert!(several.classes(&content, &categories()).is_err(), "{content}");
        }
    }
}
