//! Which messages a subscription wants: filter policies over message attributes. What is not understood is refused
//! when the policy is set, never ignored.
//! <https://docs.aws.amazon.com/sns/latest/dg/sns-subscription-filter-policies.html>

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Attribute name -> conditions, of which one must hold; all names must.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct FilterPolicy(BTreeMap<String, Vec<Condition>>);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Condition {
    Is(String),
    Number(f64),
    Prefix(String),
    Suffix(String),
    EqualsIgnoreCase(String),
    AnythingBut(Vec<String>),
    AnythingButPrefix(String),
    Exists(bool),
}

/// A message attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Attribute {
    /// `String`, `String.Array`, `Number`, `Binary`, or one of these with a suffix of the sender's.
    pub(super) data_type: String,
    pub(super) value: String,
}

impl Attribute {
    /// What conditions are compared with: each member of an array, or the value.
    fn values(&self) -> Vec<String> {
        if self.data_type != "String.Array" {
            return vec![self.value.clone()];
        }
        let members: Vec<Value> = serde_json::from_str(&self.value).unwrap_or_default();
        members
            .iter()
            .map(|member| member.as_str().map_or_else(|| member.to_string(), str::to_owned))
            .collect()
    }
}

impl FilterPolicy {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let policy: BTreeMap<String, Value> =
            serde_json::from_str(text).map_err(|error| format!("FilterPolicy is no JSON object: {error}"))?;
        policy
            .iter()
            .map(|(name, value)| Ok((name.clone(), conditions(name, value)?)))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    pub(super) fn wants(&self, attributes: &BTreeMap<String, Attribute>) -> bool {
        self.0.iter().all(|(name, conditions)| {
            let attribute = attributes.get(name);
            conditions.iter().any(|condition| condition.holds(attribute))
        })
    }
}

fn conditions(name: &str, value: &Value) -> Result<Vec<Condition>, String> {
    if name.starts_with('$') {
        return Err(format!("FilterPolicy: {name} is not supported here"));
    }
    let Value::Array(conditions) = value else {
        return Err(format!("FilterPolicy: \"{name}\" must be a list of conditions"));
    };
    conditions.iter().map(|condition| one(name, condition)).collect()
}

fn one(name: &str, value: &Value) -> Result<Condition, String> {
    let unsupported = || format!("FilterPolicy: \"{name}\": the condition {value} is not supported here");
    let text = |value: &Value| value.as_str().map(str::to_owned).ok_or_else(unsupported);
    match value {
        Value::String(text) => Ok(Condition::Is(text.clone())),
        Value::Number(number) => number.as_f64().map(Condition::Number).ok_or_else(unsupported),
        Value::Object(object) if object.len() == 1 => match object.iter().next() {
            Some((key, value)) => match key.as_str() {
                "prefix" => text(value).map(Condition::Prefix),
                "suffix" => text(value).map(Condition::Suffix),
                "equals-ignore-case" => text(value).map(Condition::EqualsIgnoreCase),
                "exists" => value.as_bool().map(Condition::Exists).ok_or_else(unsupported),
                "anything-but" => anything_but(value).ok_or_else(unsupported),
                _ => Err(unsupported()),
            },
            None => Err(unsupported()),
        },
        _ => Err(unsupported()),
    }
}

fn anything_but(value: &Value) -> Option<Condition> {
    match value {
        Value::String(text) => Some(Condition::AnythingBut(vec![text.clone()])),
        Value::Array(texts) => texts
            .iter()
            .map(|text| text.as_str().map(str::to_owned))
            .collect::<Option<_>>()
            .map(Condition::AnythingBut),
        Value::Object(object) if object.len() == 1 => object
            .get("prefix")?
            .as_str()
            .map(|prefix| Condition::AnythingButPrefix(prefix.to_owned())),
        _ => None,
    }
}

impl Condition {
    fn holds(&self, attribute: Option<&Attribute>) -> bool {
        let Some(attribute) = attribute else {
            return *self == Condition::Exists(false);
        };
        attribute.values().iter().any(|value| match self {
            Condition::Is(text) => value == text,
            Condition::Number(number) => value.parse::<f64>().is_ok_and(|value| value == *number),
            Condition::Prefix(prefix) => value.starts_with(prefix.as_str()),
            Condition::Suffix(suffix) => value.ends_with(suffix.as_str()),
            Condition::EqualsIgnoreCase(text) => value.to_lowercase() == text.to_lowercase(),
            Condition::AnythingBut(texts) => !texts.contains(value),
            Condition::AnythingButPrefix(prefix) => !value.starts_with(prefix.as_str()),
            Condition::Exists(exists) => *exists,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wants(policy: &str, attributes: &[(&str, &str)]) -> bool {
        let attributes = attributes
            .iter()
            .map(|(name, value)| {
                let data_type = if value.starts_with('[') {
                    "String.Array"
                } else {
                    "String"
                };
                (
                    (*name).to_owned(),
                    Attribute {
                        data_type: data_type.to_owned(),
                        value: (*value).to_owned(),
                    },
                )
            })
            .collect();
        FilterPolicy::parse(policy).unwrap().wants(&attributes)
    }

    #[test]
    fn every_name_must_hold_and_one_condition_of_each_is_enough() {
        let policy = r#"{"kind":["job-completed","job-failed"],"dataset":[{"prefix":"num"}]}"#;
        assert!(wants(policy, &[("kind", "job-failed"), ("dataset", "numbers")]));
        assert!(!wants(policy, &[("kind", "job-stopped"), ("dataset", "numbers")]));
        assert!(!wants(policy, &[("kind", "job-failed")]));
        assert!(wants("{}", &[]));
    }

    #[test]
    fn conditions_mean_what_aws_says() {
        for (condition, value, holds) in [
            (r#"{"anything-but":"a"}"#, "b", true),
            (r#"{"anything-but":["a","b"]}"#, "b", false),
            (r#"{"anything-but":{"prefix":"a"}}"#, "abc", false),
            (r#"{"exists":true}"#, "x", true),
            (r#"{"exists":false}"#, "x", false),
            (r#"{"suffix":"c"}"#, "abc", true),
            (r#"{"equals-ignore-case":"ABC"}"#, "abc", true),
            ("7", "7.0", true),
            (r#""b""#, r#"["a","b"]"#, true),
        ] {
            assert_eq!(
                wants(&format!(r#"{{"n":[{condition}]}}"#), &[("n", value)]),
                holds,
                "{condition} {value}"
            );
        }
        assert!(wants(r#"{"n":[{"exists":false}]}"#, &[]));
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for policy in [
            r#"{"n":[{"numeric":[">",1]}]}"#,
            r#"{"$or":[]}"#,
            r#"{"n":{"m":["x"]}}"#,
            r#"{"n":"x"}"#,
            "[]",
        ] {
            assert!(FilterPolicy::parse(policy).is_err(), "{policy}");
        }
    }
}
