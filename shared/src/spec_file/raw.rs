//! The shape of a `labeling.yaml`: which keys there are and what kind of value each takes. Nothing here knows a
//! rule. The JSON Schema is made from these types, and the texts on them are what an editor shows.

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_saphyr::Location;

use super::schema;
use crate::yaml::at::At;

/// A dataset's labeling.yaml: what to label, how, and by which team.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "labeling.yaml", rename = "Spec")]
pub(super) struct RawSpec {
    /// The kind of labeling.
    #[schemars(required, schema_with = "schema::tasks")]
    pub(super) task: Option<At<String>>,
    /// The answers a worker can choose from.
    #[schemars(required, length(min = 1))]
    pub(super) labels: Option<At<Vec<At<RawLabel>>>>,
    /// Name of the private work team that labels, or the work team's ARN.
    #[schemars(required)]
    pub(super) team: Option<At<String>>,
    /// What workers see in their list of jobs and above each item: up to 128 characters.
    #[schemars(required, length(min = 1, max = 128))]
    pub(super) title: Option<At<String>>,
    /// One or two sentences for workers, up to 255 characters. The title, when not given.
    #[schemars(length(min = 1, max = 255))]
    pub(super) description: Option<At<String>>,
    /// Markdown for workers. Images by S3 URI, or by their path within the dataset's folder.
    pub(super) instructions: Option<RawInstructions>,
    /// How many different people label each item, so at most as many as the team has: 3 for classification.
    #[schemars(range(min = 1, max = 9))]
    pub(super) workers_per_item: Option<At<u64>>,
    /// How long a worker may take over one item: 5m for classification.
    #[schemars(regex(pattern = r"^[0-9]"), example = "5m")]
    pub(super) task_timeout: Option<At<String>>,
    /// How long an item waits for workers before it expires: 10d.
    #[schemars(regex(pattern = r"^[0-9]"), example = "10d")]
    pub(super) task_expiration: Option<At<String>>,
    /// Items shown to workers at the same time: 1000.
    #[schemars(range(min = 1, max = 5000))]
    pub(super) max_concurrent_tasks: Option<At<u64>>,
    /// What the labels are called in the output manifest. Made from the dataset's name, when not given.
    #[schemars(length(max = 127), regex(pattern = r"^[a-zA-Z0-9](-*[a-zA-Z0-9])*$"))]
    pub(super) label_attribute: Option<At<String>>,
    /// Which of the dropped files are labelled: all of them, when not given.
    pub(super) select: Option<RawSelect>,
    /// What one item of a text dataset is: a file, when not given.
    pub(super) text: Option<At<RawText>>,
    /// When dropped files become a batch, and the batch a labeling job.
    pub(super) batch: Option<RawBatch>,
    /// Completes the job before everything is labelled.
    pub(super) stop_after: Option<At<RawStopAfter>>,
    /// Not yet supported: leave it out or false.
    pub(super) auto_label: Option<At<bool>>,
    /// Not yet supported.
    pub(super) review: Option<At<RawReview>>,
    /// Not yet supported.
    pub(super) template: Option<At<String>>,
    /// Key that the labels are encrypted with: id, ARN or alias.
    #[schemars(length(min = 1, max = 2048), regex(pattern = r"^[a-zA-Z0-9:/_-]+$"))]
    pub(super) kms_key: Option<At<String>>,
    /// Tags of the labeling job.
    #[serde(default)]
    #[schemars(schema_with = "schema::tags")]
    pub(super) tags: Option<At<RawTags>>,
    /// What the finished labels are also written as: csv, when not given; [] for nothing.
    #[serde(default)]
    #[schemars(schema_with = "schema::exports")]
    pub(super) export: Option<Vec<At<String>>>,
}

/// A label: its name, or a mapping that says more.
#[derive(Debug)]
pub(super) enum RawLabel {
    Name(String),
    /// A scalar that looks like a number or a truth value: its characters are the name (`NO` stays `NO`).
    Bare,
    Full(Box<RawFullLabel>),
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "FullLabel")]
pub(super) struct RawFullLabel {
    /// What workers choose and the output manifest says: up to 256 characters.
    #[schemars(required, length(min = 1, max = 256))]
    pub(super) name: Option<At<String>>,
    #[schemars(regex(pattern = r"^#[0-9a-fA-F]{6}$"))]
    pub(super) color: Option<At<String>>,
    /// One letter or digit that chooses the label.
    #[serde(default)]
    #[schemars(schema_with = "schema::hotkey")]
    pub(super) hotkey: Option<At<String>>,
    /// When to choose it: up to 255 characters.
    #[schemars(length(min = 1, max = 255))]
    pub(super) description: Option<At<String>>,
    /// Not yet supported.
    #[serde(default)]
    #[schemars(schema_with = "schema::any_schema")]
    pub(super) attributes: Option<At<AnyValue>>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Instructions")]
pub(super) struct RawInstructions {
    /// Always beside the item.
    pub(super) short: Option<At<String>>,
    /// Shown when a worker asks for it.
    pub(super) full: Option<At<String>>,
    pub(super) good_example: Option<At<String>>,
    pub(super) bad_example: Option<At<String>>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Select")]
pub(super) struct RawSelect {
    /// Patterns as in .gitignore: `*.txt` in any subfolder, `/a/*.txt` from the dataset's folder.
    pub(super) include: Option<Vec<At<String>>>,
    pub(super) exclude: Option<Vec<At<String>>>,
    /// A share of the files, always the same ones.
    #[schemars(regex(pattern = r"^[0-9.]+ *%$"), example = "20%")]
    pub(super) sample: Option<At<String>>,
    /// Items of the dataset at most, over all batches.
    #[schemars(range(min = 1))]
    pub(super) limit: Option<At<u64>>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Text")]
pub(super) struct RawText {
    /// What one item is.
    #[schemars(required, schema_with = "schema::splits")]
    pub(super) split: Option<At<String>>,
    /// Of a row, only this column; the first row names the columns.
    pub(super) column: Option<At<String>>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Batch")]
pub(super) struct RawBatch {
    /// Cut a batch when no file came for so long: 2m.
    #[schemars(regex(pattern = r"^[0-9]"), example = "2m")]
    pub(super) quiet: Option<At<String>>,
    /// Cut one when the oldest file waited so long: 1h.
    #[schemars(regex(pattern = r"^[0-9]"), example = "1h")]
    pub(super) max_wait: Option<At<String>>,
    /// Items of a batch at most: 100000.
    #[schemars(range(min = 1, max = 100_000))]
    pub(super) max_items: Option<At<u64>>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "StopAfter", extend("minProperties" = 1, "maxProperties" = 1))]
pub(super) struct RawStopAfter {
    /// Items labelled by people.
    #[schemars(range(min = 1))]
    pub(super) items: Option<At<u64>>,
    /// Share of the items that are labelled.
    #[schemars(range(min = 1, max = 100))]
    pub(super) percent: Option<At<u64>>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Review")]
#[expect(
    dead_code,
    reason = "reviews are refused; their shape is known so that the refusal says so"
)]
pub(super) struct RawReview {
    verify: Option<String>,
    adjust: Option<String>,
}

/// Tags in the order written, each at the place of its value.
#[derive(Debug)]
pub(super) struct RawTags(pub(super) Vec<(String, At<String>)>);

/// Any value; it is not looked at.
#[derive(Debug)]
pub(super) struct AnyValue;

impl<'de> Deserialize<'de> for AnyValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        serde::de::IgnoredAny::deserialize(deserializer).map(|_| Self)
    }
}

impl<'de> Deserialize<'de> for RawTags {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Tags;
        impl<'de> Visitor<'de> for Tags {
            type Value = RawTags;

            fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
                f.write_str("a mapping of tags")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RawTags, A::Error> {
                let mut tags = Vec::new();
                while let Some(tag) = map.next_entry()? {
                    tags.push(tag);
                }
                Ok(RawTags(tags))
            }
        }
        deserializer.deserialize_map(Tags)
    }
}

impl<'de> Deserialize<'de> for RawLabel {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct LabelVisitor;
        impl<'de> Visitor<'de> for LabelVisitor {
            type Value = RawLabel;

            fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
                f.write_str("a label's name or a mapping with `name`")
            }

            fn visit_str<E>(self, name: &str) -> Result<RawLabel, E> {
                Ok(RawLabel::Name(name.to_owned()))
            }

            fn visit_bool<E>(self, _: bool) -> Result<RawLabel, E> {
                Ok(RawLabel::Bare)
            }

            fn visit_u64<E>(self, _: u64) -> Result<RawLabel, E> {
                Ok(RawLabel::Bare)
            }

            fn visit_i64<E>(self, _: i64) -> Result<RawLabel, E> {
                Ok(RawLabel::Bare)
            }

            fn visit_u128<E>(self, _: u128) -> Result<RawLabel, E> {
                Ok(RawLabel::Bare)
            }

            fn visit_i128<E>(self, _: i128) -> Result<RawLabel, E> {
                Ok(RawLabel::Bare)
            }

            fn visit_f64<E>(self, _: f64) -> Result<RawLabel, E> {
                Ok(RawLabel::Bare)
            }

            fn visit_unit<E>(self) -> Result<RawLabel, E> {
                Ok(RawLabel::Bare)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RawLabel, A::Error> {
                RawFullLabel::deserialize(MapAccessDeserializer::new(map))
                    .map(|full| RawLabel::Full(Box::new(full)))
            }
        }
        deserializer.deserialize_any(LabelVisitor)
    }
}

impl JsonSchema for RawLabel {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Label".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let full = generator.subschema_for::<RawFullLabel>();
        schemars::json_schema!({ "anyOf": [
            { "type": ["string", "number", "boolean"], "minLength": 1, "maxLength": 256 },
            full,
        ]})
    }
}

impl RawSpec {
    /// The first key of the spec that Groundcrew knows but cannot do yet, and what to do instead.
    pub(super) fn not_yet(&self) -> Option<(Location, &'static str, &'static str)> {
        let auto = self.auto_label.as_ref().filter(|auto| auto.value);
        auto.map(|key| {
            (
                key.at,
                "auto_label: true",
                "leave it out: people label every item",
            )
        })
        .or(self.review.as_ref().map(|key| {
            (
                key.at,
                "review",
                "leave it out: label the dataset again instead, with another `label_attribute`",
            )
        }))
        .or(self.template.as_ref().map(|key| {
            (
                key.at,
                "template",
                "leave it out: the task's own worker page is used, with your `instructions`",
            )
        }))
    }
}
