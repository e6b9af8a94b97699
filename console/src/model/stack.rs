//! The whole model.

use serde::{Deserialize, Serialize};

use super::crew::Crew;
use super::dataset::Dataset;
use super::messages::{DeadLetters, NoticeView};

/// Most notices a model carries, newest first.
pub const NOTICES: usize = 50;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Model {
    /// Those that need the admin first, otherwise by name.
    pub datasets: Vec<Dataset>,
    pub notices: Vec<NoticeView>,
    pub dead_letters: Vec<DeadLetters>,
    pub crew: Crew,
    /// Keys of the input bucket that can be in no dataset, each with what to do about it.
    pub misplaced: Vec<String>,
    /// What could not be read this time; what is shown of it was read before.
    pub problems: Vec<String>,
    /// What is not shown completely, because there is more of it than is read.
    pub incomplete: Vec<String>,
}
