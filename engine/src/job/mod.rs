//! What a labeling job is: its request read once into checked types, its manifest, its label categories, and what an answer
//! to one of its tasks means.

mod answer;
mod categories;
mod manifest;
mod spec;
mod task;

pub(crate) use answer::Answers;
pub(crate) use categories::Categories;
pub(crate) use manifest::{Manifest, task_object};
pub(crate) use spec::{JobSpec, Refusal};
pub(crate) use task::Choice;
