//! The name of the attribute that the labels get in the output manifest.
//!
//! Rules: API reference, CreateLabelingJob.LabelAttributeName: 1-127 characters of
//! `[a-zA-Z0-9](-*[a-zA-Z0-9]){0,126}`, not ending in `-metadata` (the service's own companion key), and ending in
//! `-ref` for exactly the tasks whose labels are files.

use crate::name::DatasetName;
use crate::task::Task;
use crate::yaml::at::At;
use crate::yaml::error::Problem;

const MAX: usize = 127;
/// Keys of a manifest line that are taken: the item itself, and where it came from.
const TAKEN: [&str; 3] = ["source", "source-ref", "groundcrew"];

pub(crate) fn label_attribute(attribute: Option<&At<String>>, task: Task) -> Result<Option<String>, Problem> {
    attribute.map(|attribute| check(attribute, task)).transpose()
}

fn check(attribute: &At<String>, task: Task) -> Result<String, Problem> {
    let text = attribute.value.as_str();
    match wrong(text, task) {
        None => Ok(text.to_owned()),
        Some(why) => {
            let suggestion = fold(text)
                .map(|folded| fit(&folded, task))
                .filter(|s| wrong(s, task).is_none());
            Err(Problem::new(attribute.at, format!("`label_attribute` {why}"))
                .maybe_hint(suggestion.map(|s| format!("`{s}` would do"))))
        }
    }
}

/// An attribute for a spec that gives none: the dataset's name, as far as the rules allow.
pub(crate) fn derive(dataset: &DatasetName, task: Task) -> String {
    let folded = fold(dataset.as_str()).unwrap_or_else(|| "label".to_owned());
    fit(&folded, task)
}

fn wrong(text: &str, task: Task) -> Option<String> {
    let refs = task.info().ref_attribute;
    if text.is_empty() || text.len() > MAX {
        return Some(format!("must have 1 to {MAX} characters"));
    }
    if !text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        let odd = text
            .chars()
            .find(|c| !c.is_ascii_alphanumeric() && *c != '-')
            .unwrap_or_default();
        return Some(format!(
            "may hold letters A-Z, digits and hyphens only; it has `{odd}` (U+{:04X})",
            u32::from(odd)
        ));
    }
    if text.starts_with('-') || text.ends_with('-') {
        return Some("must start and end with a letter or digit".to_owned());
    }
    if TAKEN.contains(&text) {
        return Some(format!(
            "cannot be `{text}`: that key of a manifest line is taken"
        ));
    }
    if text.ends_with("-metadata") {
        return Some("may not end in `-metadata`: the labeling service adds that itself".to_owned());
    }
    match (refs, text.ends_with("-ref")) {
        (true, false) => Some(format!("must end in `-ref` for {task}: its labels are files")),
        (false, true) => Some(format!(
            "may not end in `-ref` for {task}: that is for labels that are files"
        )),
        _ => None,
    }
}

/// Everything but ASCII letters and digits becomes single hyphens. `None` when nothing is left.
fn fold(text: &str) -> Option<String> {
    let words: Vec<&str> = text
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    (!words.is_empty()).then(|| words.join("-"))
}

/// The name with the first of a few endings that makes it valid, cut to the length that is left.
fn fit(folded: &str, task: Task) -> String {
    let fitted = ["", "-ref", "-label", "-label-ref"].into_iter().map(|ending| {
        let kept = folded
            .get(..MAX - ending.len())
            .unwrap_or(folded)
            .trim_end_matches('-');
        format!("{kept}{ending}")
    });
    fitted
        .into_iter()
        .find(|fitted| wrong(fitted, task).is_none())
        .unwrap_or_else(|| "label".to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn from_dataset(name: &str, task: Task) -> String {
        derive(&DatasetName::new(name).unwrap(), task)
    }

    #[test]
    fn the_name_of_the_dataset_becomes_the_attribute() {
        for (name, attribute) in [
            ("numbers", "numbers"),
            ("My_photos (2026)", "My-photos-2026"),
            ("고양이", "label"),
            ("source", "source-label"),
            ("source-ref", "source-ref-label"),
            ("groundcrew", "groundcrew-label"),
            ("x-metadata", "x-metadata-label"),
        ] {
            assert_eq!(from_dataset(name, Task::TextClassification), attribute, "{name}");
        }
        assert_eq!(
            from_dataset("source", Task::SemanticSegmentation),
            "source-label-ref"
        );
        assert_eq!(from_dataset("scenes", Task::SemanticSegmentation), "scenes-ref");
    }

    proptest! {
        #[test]
        fn a_derived_attribute_is_always_valid(name in "[^/\\pC]{1,60}|[a-z-]{1,255}|.{0,8}-(ref|metadata)") {
            if let Ok(dataset) = DatasetName::new(&name) {
                for task in Task::all() {
                    let attribute = derive(&dataset, task);
                    prop_assert_eq!(wrong(&attribute, task), None, "{} for {}", attribute, task);
                }
            }
        }
    }
}
