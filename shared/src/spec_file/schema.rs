//! The parts of the JSON Schema that no Rust type says.

use schemars::{Schema, SchemaGenerator, json_schema};

use crate::spec::{ExportFormat, TextSplit};
use crate::task::Task;

pub(super) fn tasks(_: &mut SchemaGenerator) -> Schema {
    let names: Vec<&str> = Task::all()
        .filter(|task| task.is_supported())
        .map(Task::name)
        .collect();
    json_schema!({ "type": "string", "enum": names })
}

pub(super) fn splits(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "enum": TextSplit::NAMES })
}

pub(super) fn exports(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "array", "items": { "type": "string", "enum": ExportFormat::NAMES }, "uniqueItems": true })
}

pub(super) fn tags(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "object", "additionalProperties": { "type": ["string", "number", "boolean"] } })
}

pub(super) fn hotkey(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": ["string", "integer"], "pattern": "^[a-zA-Z0-9]$", "minimum": 0, "maximum": 9 })
}

pub(super) fn any_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!(true)
}
