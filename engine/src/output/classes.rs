//! The label of a classification task, in Ground Truth's form (developer guide, "Labeling job output data").

use serde_json::{Map, Value, json};

use crate::consolidate::ScoredClass;
use crate::job::{Categories, Choice};

/// The value of the label attribute, and what its metadata says about it. `None` without a class in a single-label task.
pub(super) fn label(
    choice: Choice,
    categories: &Categories,
    classes: &[ScoredClass],
) -> Option<(Value, Map<String, Value>)> {
    match choice {
        Choice::One => classes.first().map(|class| single(categories, class)),
        Choice::Several => Some(several(categories, classes)),
    }
}

fn single(categories: &Categories, scored: &ScoredClass) -> (Value, Map<String, Value>) {
    let metadata = Map::from_iter([
        ("class-name".to_owned(), json!(categories.name(scored.class))),
        ("confidence".to_owned(), json!(scored.confidence)),
    ]);
    (json!(scored.class), metadata)
}

fn several(categories: &Categories, scored: &[ScoredClass]) -> (Value, Map<String, Value>) {
    let by_number = |value: fn(&Categories, &ScoredClass) -> Value| -> Map<String, Value> {
        let entries = scored.iter();
        entries
            .map(|scored| (scored.class.to_string(), value(categories, scored)))
            .collect()
    };
    let names = by_number(|categories, scored| json!(categories.name(scored.class)));
    let confidence = by_number(|_, scored| json!(scored.confidence));
    let metadata = Map::from_iter([
        ("class-map".to_owned(), Value::Object(names)),
        ("confidence-map".to_owned(), Value::Object(confidence)),
    ]);
    let numbers: Vec<u16> = scored.iter().map(|scored| scored.class).collect();
    (json!(numbers), metadata)
}
