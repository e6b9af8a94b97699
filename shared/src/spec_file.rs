//! A dataset's `labeling.yaml`. [`Spec::parse`] is the one place where the text becomes a [`Spec`].

mod raw;
mod rule;
mod schema;

use crate::layout::SPEC_FILE;
use crate::spec::{MAX_BYTES, Spec, SpecError};
use crate::yaml::read::Kind;

/// The longest list of labels has some thousand nodes.
const KIND: Kind = Kind {
    what: "a spec",
    max_bytes: MAX_BYTES,
    max_nodes: 10_000,
    begin: "task: text-classification",
};

impl Spec {
    /// Reads and checks a `labeling.yaml`. Takes less than a second for any text.
    pub fn parse(text: &[u8]) -> Result<Self, SpecError> {
        let (source, raw) = crate::yaml::read::read(text, SPEC_FILE, &KIND)?;
        rule::check(&raw, source).map_err(|problem| problem.locate(SPEC_FILE, source))
    }

    /// JSON Schema of `labeling.yaml`, for editors. Rules between keys are checked by [`Spec::parse`] alone.
    pub fn json_schema() -> serde_json::Value {
        crate::yaml::schema::of::<raw::RawSpec>()
    }
}

#[cfg(test)]
mod tests;
