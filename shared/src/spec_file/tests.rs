//! What a spec may say, and what is answered when it says something else.

mod refusals;

use std::time::Duration;

use super::*;
use crate::name::DatasetName;
use crate::spec::{BatchRules, ExportFormat, Label, StopAfter, Team, TextSplit};
use crate::task::Task;

/// The four keys without which there is no spec; rows add lines to it, or change one.
const LEAST: &str =
    "task: text-classification\nlabels: [Even, Odd]\nteam: numbers-team\ntitle: Even or odd?\n";

fn parse(text: &str) -> Spec {
    Spec::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{error}\n\n{text}"))
}

fn spec_error(text: &str) -> SpecError {
    Spec::parse(text.as_bytes()).expect_err(text)
}

fn with(more: &str) -> String {
    format!("{LEAST}{more}\n")
}

fn instead(old: &str, new: &str) -> String {
    assert!(LEAST.contains(old), "{old}");
    LEAST.replace(old, new)
}

#[test]
fn the_least_spec_gets_the_consoles_defaults() {
    let spec = parse(LEAST);
    assert_eq!(spec.task, Task::TextClassification);
    assert_eq!(
        spec.labels.iter().map(|l| l.name.as_str()).collect::<Vec<_>>(),
        ["Even", "Odd"]
    );
    assert_eq!(spec.team, Team::Name("numbers-team".into()));
    assert_eq!(spec.description, "Even or odd?");
    assert_eq!((spec.workers_per_item, spec.max_concurrent_tasks), (3, 1_000));
    assert_eq!(spec.task_timeout, Duration::from_secs(300));
    assert_eq!(spec.task_expiration, Duration::from_secs(864_000));
    let batch = BatchRules {
        quiet: Duration::from_secs(120),
        max_wait: Duration::from_secs(3_600),
        max_items: 100_000,
    };
    assert_eq!(spec.batch, batch);
    assert_eq!((spec.text, spec.stop_after), (TextSplit::File, None));
    assert_eq!(spec.export, [ExportFormat::Csv]);
    assert!(spec.select.selects("any/file.txt"));
}

#[test]
fn every_key_is_read() {
    let spec = parse(
        r##"
task: text-classification-multi-label
labels:
  - Even
  - {name: Odd, color: "#FF8800", hotkey: O, description: Not divisible by two}
team: arn:aws:sagemaker:us-east-1:111122223333:workteam/private-crowd/numbers-team
title: Even or odd?
description: Say whether the number is odd or even.
instructions: {short: "*short*", full: "full", good_example: "![](s3://bucket/good.png)", bad_example: "b"}
workers_per_item: 5
task_timeout: 1h30m
task_expiration: 30d
max_concurrent_tasks: 5000
label_attribute: parity
select: {include: ["*.txt"], exclude: ["draft*"], sample: 100%, limit: 500}
text: {split: row, column: Number}
batch: {quiet: 10s, max_wait: 2h, max_items: 50}
stop_after: {percent: 50}
auto_label: false
kms_key: alias/labels
tags: {project: parity, cost-center: 7}
export: [jsonl, csv]
"##,
    );
    let odd = Label {
        name: "Odd".into(),
        color: Some("#ff8800".into()),
        hotkey: Some('o'),
        description: Some("Not divisible by two".into()),
    };
    assert_eq!(spec.labels[1], odd);
    assert!(matches!(spec.team, Team::Arn(_)));
    assert_eq!(spec.instructions.short.as_deref(), Some("*short*"));
    assert_eq!((spec.workers_per_item, spec.max_concurrent_tasks), (5, 5_000));
    assert_eq!(spec.task_timeout, Duration::from_secs(5_400));
    assert_eq!(
        spec.label_attribute(&DatasetName::new("numbers").unwrap()),
        "parity"
    );
    assert!(spec.select.selects("a/1.txt") && !spec.select.selects("a/draft.txt"));
    assert_eq!(spec.select.limit, Some(500));
    assert_eq!(
        spec.text,
        TextSplit::Row {
            column: Some("Number".into())
        }
    );
    assert_eq!(spec.batch.max_items, 50);
    assert_eq!(spec.stop_after, Some(StopAfter::Percent(50)));
    assert_eq!(spec.kms_key.as_deref(), Some("alias/labels"));
    assert_eq!(
        spec.tags,
        [
            ("project".into(), "parity".into()),
            ("cost-center".into(), "7".into())
        ]
    );
    assert_eq!(spec.export, [ExportFormat::JsonLines, ExportFormat::Csv]);
}

#[test]
fn labels_are_the_characters_that_stand_there() {
    for (list, names) in [
        (
            "[1, 1.10, NO, ~, \"x\", 007, .nan]",
            vec!["1", "1.10", "NO", "~", "x", "007", ".nan"],
        ),
        (
            "[yes, no, true, 0x10, 1e3]",
            vec!["yes", "no", "true", "0x10", "1e3"],
        ),
        (
            "[고양이, \"a, b\", 'it''s', even]",
            vec!["고양이", "a, b", "it's", "even"],
        ),
        (
            "[-12345678901234567890123, 1_000, \"\\\"><script>\"]",
            vec!["-12345678901234567890123", "1_000", "\"><script>"],
        ),
        ("[Cat, cat]", vec!["Cat", "cat"]),
        ("[{name: NO}, {name: 1.10}]", vec!["NO", "1.10"]),
    ] {
        let spec = parse(&instead("[Even, Odd]", list));
        assert_eq!(
            spec.labels.iter().map(|l| l.name.as_str()).collect::<Vec<_>>(),
            names,
            "{list}"
        );
    }
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_are_fine() {
    let spec = parse(&format!("\u{feff}{}", LEAST.replace('\n', "\r\n")));
    assert_eq!(spec, parse(LEAST));
    assert_ne!(
        Spec::sha256(LEAST.as_bytes()),
        Spec::sha256(b""),
        "the hash is of the exact bytes"
    );
}

#[test]
fn the_committed_schema_is_the_one_the_types_give() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/labeling.schema.json");
    let made = serde_json::to_string_pretty(&Spec::json_schema()).unwrap() + "\n";
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(path, &made).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        committed == made,
        "run the tests once with UPDATE_SCHEMA=1 and commit {path}"
    );
}
