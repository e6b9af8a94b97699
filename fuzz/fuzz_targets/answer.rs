//! A worker's answer: classes of the job, each once and in order, or a message; never a class there is not.
#![no_main]
#![allow(
    dead_code,
    reason = "files taken in by their paths, without the crate around them"
)]

#[path = "../../engine/src"]
mod engine {
    pub mod answer;
    pub mod job {
        mod categories;
        mod task;
        pub(crate) use categories::Categories;
        pub(crate) use task::{AnnotationKind, Choice, TaskType};
    }
}

use std::sync::Arc;

// The files name each other as `crate::answer` and `crate::job`.
use engine::{answer, job};

use answer::{Annotation, AnswerReader};
use job::{Categories, TaskType};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

const TASKS: [&str; 4] = [
    "TextMultiClass",
    "TextMultiClassMultiLabel",
    "ImageMultiClass",
    "ImageMultiClassMultiLabel",
];

// The first byte says which task; the rest is the labels of the job, a line of its own, and the answer.
fuzz_target!(|data: &[u8]| {
    let [how, rest @ ..] = data else { return };
    let single = how & 1 == 0;
    let task = TaskType::from_suffix(TASKS[usize::from(how & 3)]).unwrap();
    let (labels, answer) = match rest.iter().position(|&b| b == b'\n') {
        Some(end) => (&rest[..end], &rest[end + 1..]),
        None => (&b""[..], rest),
    };
    let categories = Categories::read(task, labels).unwrap_or_else(|message| {
        assert!(message.len() < 8 * rest.len() + 1024, "{message}");
        Categories::read(task, br#"{"labels":[{"label":"a"},{"label":"b"},{"label":"c"}]}"#).unwrap()
    });
    let Ok(answer) = serde_json::from_slice::<Value>(answer) else {
        return;
    };
    let template = if how & 4 == 0 {
        ""
    } else {
        "<crowd-classifier-multi-select exclusion-category>"
    };
    let last = categories.names().len();
    match AnswerReader::new(task, template, Arc::new(categories)).read(&answer) {
        Ok(Annotation::Classes(classes)) => {
            assert!(classes.is_sorted_by(|a, b| a < b), "{classes:?}");
            assert!(classes.iter().all(|&class| usize::from(class) < last));
            assert!(!single || classes.len() == 1);
            assert!(!classes.is_empty() || how & 4 != 0);
        }
        Err(message) => assert!(message.len() < 16 * rest.len() + 1024, "{message}"),
    }
});
