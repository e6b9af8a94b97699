//! Which messages a subscription gets: filter policies over message attributes. A condition that is not supported is
//! refused when the policy is set, never ignored.
//! <https://docs.aws.amazon.com/sns/latest/dg/sns-subscription-filter-policies.html>

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::sqs;
use crate::sqs::attributes::base_type;

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

/// One value, by the kind a condition compares it as.
#[derive(Debug, PartialEq)]
enum Comparable {
    Text(String),
    Number(f64),
    /// A boolean or null of an array.
    Other,
}

impl Attribute {
    /// What conditions are compared with: each member of an array, or the value. Binary values are compared with
    /// nothing.
    fn values(&self) -> Vec<Comparable> {
        if self.data_type == "String.Array" {
            let members: Vec<Value> = serde_json::from_str(&self.value).unwrap_or_default();
            return members.iter().map(comparable).collect();
        }
        match base_type(&self.data_type) {
            Some("Number") => self.value.parse().map(Comparable::Number).into_iter().collect(),
            Some("String") => vec![Comparable::Text(self.value.clone())],
            _ => Vec::new(),
        }
    }

    /// The same attribute on a message of a queue.
    pub(super) fn for_a_queue(&self) -> sqs::Attribute {
        let binary = base_type(&self.data_type) == Some("Binary");
        sqs::Attribute {
            data_type: self.data_type.clone(),
            string_value: (!binary).then(|| self.value.clone()),
            binary_value: binary.then(|| self.value.clone()),
        }
    }
}

fn comparable(member: &Value) -> Comparable {
    match member {
        Value::String(text) => Comparable::Text(text.clone()),
        Value::Number(number) => number.as_f64().map_or(Comparable::Other, Comparable::Number),
        _ => Comparable::Other,
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

    pub(super) fn matches(&self, attributes: &BTreeMap<String, Attribute>) -> bool {
        self.0.iter().all(|(name, conditions)| {
            let attribute = attributes.get(name);
            conditions.iter().any(|condition| condition.accepts(attribute))
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
    conditions.iter().map(|value| condition(name, value)).collect()
}

fn condition(name: &str, value: &Value) -> Result<Condition, String> {
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
    fn accepts(&self, attribute: Option<&Attribute>) -> bool {
        let Some(attribute) = attribute else {
            return *self == Condition::Exists(false);
        };
        if let Condition::Exists(exists) = self {
            return *exists;
        }
        attribute.values().iter().any(|value| self.accepts_value(value))
    }

    /// A number is never equal to the text that is written like it.
    fn accepts_value(&self, value: &Comparable) -> bool {
        match (self, value) {
            (Condition::Number(number), Comparable::Number(value)) => value == number,
            (Condition::Is(text), Comparable::Text(value)) => value == text,
            (Condition::Prefix(prefix), Comparable::Text(value)) => value.starts_with(prefix.as_str()),
            (Condition::Suffix(suffix), Comparable::Text(value)) => value.ends_with(suffix.as_str()),
            (Condition::EqualsIgnoreCase(text), Comparable::Text(value)) => {
                value.to_lowercase() == text.to_lowercase()
            }
            (Condition::AnythingBut(texts), Comparable::Text(value)) => !texts.contains(value),
            (Condition::AnythingButPrefix(prefix), Comparable::Text(value)) => {
                !value.starts_with(prefix.as_str())
            }
            (Condition::AnythingBut(_) | Condition::AnythingButPrefix(_), _) => true,
            _ => false,
        }
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
        FilterPolicy::parse(policy).unwrap().matches(&attributes)
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
    fn conditions_that_are_not_supported_are_refused() {
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

    #[test]
    fn a_number_and_the_text_that_looks_like_it_are_two_things() {
        let number = Attribute {
            data_type: "Number".to_owned(),
            value: "300".to_owned(),
        };
        let text = Attribute {
            data_type: "String".to_owned(),
            ..number.clone()
        };
        let wants = |policy: &str, attribute: &Attribute| {
            let attributes = BTreeMap::from([("n".to_owned(), attribute.clone())]);
            FilterPolicy::parse(policy).unwrap().matches(&attributes)
        };
        for (policy, of_number, of_text) in [
            (r#"{"n":[300]}"#, true, false),
            (r#"{"n":["300"]}"#, false, true),
            (r#"{"n":[{"prefix":"3"}]}"#, false, true),
            (r#"{"n":[{"anything-but":"300"}]}"#, true, false),
            (r#"{"n":[{"exists":true}]}"#, true, true),
        ] {
            assert_eq!(
                (wants(policy, &number), wants(policy, &text)),
                (of_number, of_text),
                "{policy}"
            );
        }
        let array = Attribute {
            data_type: "String.Array".to_owned(),
            value: r#"["300", 5, true]"#.to_owned(),
        };
        assert!(wants(r#"{"n":[5]}"#, &array) && !wants(r#"{"n":[300]}"#, &array));
    }
}
