//! JSON Schema of `labeling.yaml`, for editors.

use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::Value;

use super::raw::RawSpec;
use super::rule::export::EXPORTS;
use super::rule::files::SPLITS;
use crate::task::Task;

pub(super) fn json_schema() -> Value {
    let mut schema = SchemaSettings::draft2020_12()
        .into_generator()
        .into_root_schema_for::<RawSpec>()
        .to_value();
    without_null(&mut schema);
    schema
}

/// An absent key and an empty one are the same, but an empty one is not something to offer.
fn without_null(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            if let Some(Value::Array(kinds)) = map.get_mut("type") {
                kinds.retain(|kind| kind != "null");
                if let [only] = kinds.as_slice() {
                    let only = only.clone();
                    map.insert("type".to_owned(), only);
                }
            }
            if let Some(Value::Array(any)) = map.get_mut("anyOf") {
                any.retain(|one| one.get("type") != Some(&Value::from("null")));
                if let [Value::Object(only)] = any.as_slice() {
                    let only = only.clone();
                    map.remove("anyOf");
                    map.extend(only);
                }
            }
            map.values_mut().for_each(without_null);
        }
        Value::Array(list) => list.iter_mut().for_each(without_null),
        _ => {}
    }
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
