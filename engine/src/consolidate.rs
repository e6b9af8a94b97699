//! From several workers' annotations of an item to one, with a confidence. Each kind of annotation has a file here. A new
//! kind is a file, a variant, and a line in `consolidate`.

mod classes;

use std::collections::HashMap;

use crate::answer::Annotation;
use crate::job::{AnnotationKind, TaskType};
pub(crate) use classes::ScoredClass;
use classes::WorkerClasses;

/// What all workers together say about an item.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ConsolidatedAnnotation {
    /// One class in single-label tasks; otherwise any number, ascending.
    Classes(Vec<ScoredClass>),
}

/// One worker's annotation of an item.
pub(crate) struct WorkerAnnotation<'a> {
    /// The worker's id.
    pub(crate) worker: &'a str,
    pub(crate) annotation: &'a Annotation,
}

/// Consolidates all items of a job together: how careful a worker is shows over all items. `classes` is how many categories
/// the job has.
pub(crate) fn consolidate(
    task: TaskType,
    classes: usize,
    items: &[Vec<WorkerAnnotation<'_>>],
) -> Vec<ConsolidatedAnnotation> {
    match task.kind() {
        AnnotationKind::Classes => {
            let items = number_workers(items, |worker, annotation| match annotation {
                Annotation::Classes(classes) => WorkerClasses {
                    worker,
                    classes: classes.to_vec(),
                },
            });
            let consolidated = classes::consolidate(task.choice(), &items, classes);
            consolidated
                .into_iter()
                .map(ConsolidatedAnnotation::Classes)
                .collect()
        }
    }
}

/// Gives workers numbers, in the order in which they come.
fn number_workers<'a, T>(
    items: &[Vec<WorkerAnnotation<'a>>],
    convert: impl Fn(u32, &Annotation) -> T,
) -> Vec<Vec<T>> {
    let mut numbers: HashMap<&'a str, u32> = HashMap::new();
    let mut number = |worker: &'a str| {
        let next = numbers.len() as u32;
        *numbers.entry(worker).or_insert(next)
    };
    items
        .iter()
        .map(|answers| {
            answers
                .iter()
                .map(|answer| convert(number(answer.worker), answer.annotation))
                .collect()
        })
        .collect()
}
