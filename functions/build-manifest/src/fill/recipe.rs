//! The rules a batch is made by.

use shared::link::LinkSources;
use shared::name::DatasetName;
use shared::spec::Spec;

pub(crate) struct Recipe<'a> {
    pub(crate) spec: &'a Spec,
    pub(crate) dataset: &'a DatasetName,
    pub(crate) links: &'a LinkSources,
    pub(crate) input_bucket: &'a str,
    pub(crate) max_items: u64,
    /// A manifest that points to what is missing may wait.
    pub(crate) holds: bool,
}
