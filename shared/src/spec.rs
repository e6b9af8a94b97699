//! A spec: what to label, how, and by which team. Only [`Spec::parse`] makes one, so nothing has to be checked again.

pub(crate) mod attribute;
mod select;

use std::time::Duration;

use sha2::{Digest, Sha256};

pub(crate) use self::select::{Patterns, glob};
pub use self::select::{Percent, Select};
use crate::name::DatasetName;
use crate::task::Task;
pub use crate::yaml::FileError as SpecError;

/// A spec is a page of text. 256 KiB leaves room for hundreds of labels and long instructions, and keeps a file
/// dropped under the wrong name from being read as YAML.
pub const MAX_BYTES: usize = 256 * 1024;

/// A checked `labeling.yaml`.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    pub task: Task,
    pub labels: Vec<Label>,
    pub team: Team,
    /// What workers see in their list of jobs, and above each item.
    pub title: String,
    pub description: String,
    pub instructions: Instructions,
    pub workers_per_item: u32,
    pub task_timeout: Duration,
    pub task_expiration: Duration,
    pub max_concurrent_tasks: u32,
    /// As the spec gives it; [`Spec::label_attribute`] says what holds.
    pub label_attribute: Option<String>,
    pub select: Select,
    pub text: TextSplit,
    pub batch: BatchRules,
    pub stop_after: Option<StopAfter>,
    pub kms_key: Option<String>,
    pub tags: Vec<(String, String)>,
    pub export: Vec<ExportFormat>,
}

/// One answer a worker can give.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Label {
    pub name: String,
    /// `#rrggbb`
    pub color: Option<String>,
    pub hotkey: Option<char>,
    pub description: Option<String>,
}

/// Who labels: a private work team of this account by its name, or any by its ARN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Team {
    Name(String),
    Arn(String),
}

impl Team {
    /// For people.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Name(name) | Self::Arn(name) => name,
        }
    }
}

/// Markdown, as written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Instructions {
    pub short: Option<String>,
    pub full: Option<String>,
    pub good_example: Option<String>,
    pub bad_example: Option<String>,
}

/// What one item of a text dataset is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TextSplit {
    File,
    Line,
    /// A row of a CSV or TSV file or a line of a JSON Lines file; the named column of it, or all of it.
    Row {
        column: Option<String>,
    },
}

impl TextSplit {
    /// As `text.split` names them.
    pub(crate) const NAMES: [&str; 3] = ["file", "line", "row"];
}

/// When dropped files become a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchRules {
    /// After so long without a new file.
    pub quiet: Duration,
    /// Or when the oldest one has waited so long, quiet or not.
    pub max_wait: Duration,
    /// Or when there are so many.
    pub max_items: u32,
}

/// When a job is complete before everything is labelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopAfter {
    Items(u32),
    /// 1 to 100.
    Percent(u32),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportFormat {
    Csv,
    JsonLines,
}

impl ExportFormat {
    /// As `export` names them.
    pub(crate) const NAMES: [&str; 2] = ["csv", "jsonl"];
}

impl Spec {
    /// What a spec is pinned by: hex SHA-256 of its exact bytes.
    pub fn sha256(text: &[u8]) -> String {
        hex::encode(Sha256::digest(text))
    }

    /// LabelAttributeName: the spec's, or one made from the dataset's name.
    pub fn label_attribute(&self, dataset: &DatasetName) -> String {
        match &self.label_attribute {
            Some(attribute) => attribute.clone(),
            None => attribute::derive(dataset, self.task),
        }
    }
}

/// A character that AWS takes in tags: of `[\p{L}\p{Z}\p{N}_.:/=+\-@]`.
pub(crate) fn is_tag_char(c: char) -> bool {
    c.is_alphanumeric() || c == ' ' || "_.:/=+-@".contains(c)
}
