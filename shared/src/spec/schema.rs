//! JSON Schema of `labeling.yaml`, for editors.

use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::Value;

use super::raw::RawSpec;
use super::rule::export::EXPORTS;
use super::rule::files::SPLITS;
use crate::task::Task;

pub(super) fn json_schema() -> Value {
    crate::yaml::schema::of::<RawSpec>()
}

pub(super) fn tasks(_: &mut SchemaGenerator) -> Schema {
    let names: Vec<&str> = Task::all()
        .filter(|task| task.supported())
        .map(Task::name)
        .collect();
    json_schema!({ "type": "string", "enum": names })
}

pub(super) fn splits(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "enum": SPLITS })
}

pub(super) fn exports(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "array", "items": { "type": "string", "enum": EXPORTS }, "uniqueItems": true })
}

pub(super) fn tags(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "object", "additionalProperties": { "type": ["string", "number", "boolean"] } })
}

pub(super) fn hotkey(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": ["string", "integer"], "pattern": "^[a-zA-Z0-9]$", "minimum": 0, "maximum": 9 })
}

pub(super) fn anything(_: &mut SchemaGenerator) -> Schema {
    json_schema!(true)
}
