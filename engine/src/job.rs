//! What a labeling job is: its request read once into checked types, its task type, its manifest, its label categories.

mod categories;
mod manifest;
mod spec;
mod task;

pub(crate) use categories::Categories;
pub(crate) use manifest::{Manifest, task_object};
pub(crate) use spec::{JobSpec, SpecError};
pub(crate) use task::{AnnotationKind, Choice, TaskType};
