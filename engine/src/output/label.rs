//! The label of an item, as the output manifest has it. A new kind of annotation is a file beside this one, and a line here.

use serde_json::{Map, Value};

use super::classes;
use crate::consolidate::ConsolidatedAnnotation;
use crate::running_job::RunningJob;

/// The value of the label attribute, and what is special to this kind of annotation in the label's metadata.
pub(super) fn label(
    job: &RunningJob,
    annotation: &ConsolidatedAnnotation,
) -> Option<(Value, Map<String, Value>)> {
    match annotation {
        ConsolidatedAnnotation::Classes(scored) => {
            classes::label(job.spec.task.choice(), &job.categories, scored)
        }
    }
}
