//! The label category configuration file: the labels of a job. Their order gives them their numbers.

use std::collections::HashMap;

use serde::Deserialize;

use super::task::TaskType;

/// The labels of a job. An index is the class number in the output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Categories {
    names: Vec<String>,
    numbers: HashMap<String, u16>,
}

#[derive(Deserialize)]
struct File {
    labels: Vec<Label>,
}

#[derive(Deserialize)]
struct Label {
    label: String,
}

impl Categories {
    /// The message says what is wrong with the file.
    pub(crate) fn read(task: TaskType, file: &[u8]) -> Result<Categories, String> {
        let file: File = serde_json::from_slice(file)
            .map_err(|error| format!("it is not {{\"document-version\": \"2018-11-28\", \"labels\": [{{\"label\": …}}, …]}}: {error}"))?;
        let names: Vec<String> = file.labels.into_iter().map(|label| label.label).collect();
        if names.len() < 2 {
            return Err(format!(
                "it has {} labels; classification needs at least 2",
                names.len()
            ));
        }
        // Class numbers have 16 bits here; a worker could not choose among more.
        let max = task.max_categories().unwrap_or(usize::from(u16::MAX));
        if names.len() > max {
            return Err(format!(
                "it has {} labels; this task takes at most {max}",
                names.len()
            ));
        }
        let mut numbers = HashMap::new();
        for (number, name) in names.iter().enumerate() {
            if name.is_empty() || name.chars().count() > 256 {
                return Err(format!(
                    "label {} has {} characters; 1 to 256 are allowed",
                    number + 1,
                    name.chars().count()
                ));
            }
            if numbers.insert(name.clone(), number as u16).is_some() {
                return Err(format!("the label {name:?} is in it twice"));
            }
        }
        Ok(Categories { names, numbers })
    }

    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    pub(crate) fn name(&self, number: u16) -> &str {
        self.names.get(usize::from(number)).map_or("", String::as_str)
    }

    pub(crate) fn number(&self, name: &str) -> Option<u16> {
        self.numbers.get(name).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_numbered_in_their_order() {
        let file = br#"{"document-version": "2018-11-28", "labels": [{"label": "Odd"}, {"label": "Even", "more": 1}]}"#;
        let categories = Categories::read(TaskType::TextMultiClass, file).unwrap();
        assert_eq!(
            (
                categories.number("Odd"),
                categories.number("Even"),
                categories.number("odd")
            ),
            (Some(0), Some(1), None)
        );
        assert_eq!(categories.name(1), "Even");
    }

    #[test]
    fn an_invalid_file_is_refused() {
        let read =
            |text: &str| Categories::read(TaskType::ImageMultiClassMultiLabel, text.as_bytes()).unwrap_err();
        assert!(read("{").contains("document-version"));
        assert!(read(r#"{"labels":[{"label":"a"}]}"#).contains("at least 2"));
        assert!(read(r#"{"labels":[{"label":"a"},{"label":"a"}]}"#).contains("twice"));
        assert!(read(r#"{"labels":[{"label":"a"},{"label":""}]}"#).contains("1 to 256"));
        let many: Vec<String> = (0..51).map(|i| format!(r#"{{"label":"{i}"}}"#)).collect();
        assert!(read(&format!(r#"{{"labels":[{}]}}"#, many.join(","))).contains("at most 50"));
    }
}
