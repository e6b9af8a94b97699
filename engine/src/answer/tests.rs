//! Answers to classification tasks: what is read, what is refused, what is kept.

use serde_json::json;

use super::*;

fn classes(numbers: &[u16]) -> Annotation {
    Annotation::Classes(numbers.into())
}

fn reader(task: TaskType, template: &str) -> AnswerReader {
    let file = br#"{"labels":[{"label":"a"},{"label":"b"},{"label":"c"}]}"#;
    AnswerReader::new(task, template, Arc::new(Categories::read(task, file).unwrap()))
}

#[test]
fn a_single_choice_is_read_under_any_element_name() {
    let reader = reader(TaskType::TextMultiClass, "");
    for name in ["crowd-classifier", "mine"] {
        assert_eq!(
            reader.read(&json!({name: {"label": "b"}, "note": "x"})),
            Ok(classes(&[1]))
        );
    }
}

#[test]
fn several_choices_come_in_order_and_once() {
    let reader = reader(TaskType::ImageMultiClassMultiLabel, "");
    let content = json!({"crowd-image-classifier-multi-select": {"labels": ["c", "a", "c"]}});
    assert_eq!(reader.read(&content), Ok(classes(&[0, 2])));
}

#[test]
fn an_exclusion_category_is_an_answer_only_if_the_template_offers_it() {
    let content = json!({"crowd-classifier-multi-select": {"labels": ["None"]}});
    let with = reader(
        TaskType::TextMultiClassMultiLabel,
        "<x exclusion-category=\"{ text: 'None' }\">",
    );
    assert_eq!(with.read(&content), Ok(classes(&[])));
    let without = reader(TaskType::TextMultiClassMultiLabel, "");
    assert!(without.read(&content).is_err());
}

#[test]
fn an_invalid_answer_is_refused_with_a_reason() {
    let single = reader(TaskType::TextMultiClass, "");
    let several = reader(TaskType::TextMultiClassMultiLabel, "");
    for content in [
        json!(1),
        json!({}),
        json!({"crowd-classifier": {"label": 3}}),
        json!({"crowd-classifier": {"label": "z"}}),
    ] {
        assert!(single.read(&content).is_err(), "{content}");
    }
    for content in [
        json!({"x": {"labels": []}}),
        json!({"x": {"labels": [1]}}),
        json!({"x": {"labels": "a"}}),
    ] {
        assert!(several.read(&content).is_err(), "{content}");
    }
}

#[test]
fn only_the_chosen_labels_of_an_answer_are_kept() {
    let one = reader(TaskType::TextMultiClass, "");
    let junk = json!({"crowd-classifier": {"label": "b", "more": "x"}, "note": "y", "z".repeat(99): 1});
    assert_eq!(one.check(&junk), Ok(json!({"crowd-classifier": {"label": "b"}})));
    assert_eq!(one.keep(&json!({"label": "b"})), Value::Null);
    let renamed = reader(
        TaskType::TextMultiClass,
        "<crowd-classifier\n header='x' name=\"parity\">",
    );
    let named = json!({"parity": {"label": "b"}});
    assert_eq!(renamed.check(&named), Ok(named.clone()));
    assert_eq!(renamed.check(&json!({"other": {"label": "b"}})), Ok(named));
    let several = TaskType::TextMultiClassMultiLabel;
    let kept = |template: &str, labels: Value| {
        let given = json!({"crowd-classifier-multi-select": {"labels": labels}});
        reader(several, template)
            .check(&given)
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
    let reader = reader(TaskType::TextMultiClass, "");
    let with = |junk: usize| json!({"crowd-classifier": {"label": "b"}, "note": "x".repeat(junk)});
    assert!(reader.check(&with(4_000)).is_ok());
    let refused = reader.check(&with(5_000)).unwrap_err();
    assert!(refused.contains("at most 4102"), "{refused}");
    let long: Vec<Value> = (0..50)
        .map(|i| json!({"label": format!("{i:\u{e9}>250}")}))
        .collect();
    let file = json!({"labels": long}).to_string();
    let several = TaskType::TextMultiClassMultiLabel;
    let categories = Arc::new(Categories::read(several, file.as_bytes()).unwrap());
    let all = json!({"crowd-classifier-multi-select": {"labels": categories.names()}});
    assert!(AnswerReader::new(several, "", categories).check(&all).is_ok());
}
