//! A published message: its limits, the form each protocol gets, and the envelope around it.
//! <https://docs.aws.amazon.com/sns/latest/api/API_Publish.html>

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::filter::Attribute;
use super::query::{Form, SnsError};
use crate::sqs::attributes::{base_type, is_number, name_fault};

/// 256 KiB, attributes included.
pub(super) const LARGEST: usize = 256 * 1024;
const LONGEST_SUBJECT: usize = 100;

#[derive(Clone, Debug)]
pub(super) struct Message {
    pub(super) id: String,
    pub(super) topic: String,
    pub(super) at: Timestamp,
    pub(super) subject: Option<String>,
    pub(super) attributes: BTreeMap<String, Attribute>,
    body: Body,
}

#[derive(Clone, Debug)]
enum Body {
    Same(String),
    /// `MessageStructure=json`: by protocol, `default` always among them.
    PerProtocol(BTreeMap<String, String>),
}

impl Message {
    pub(super) fn read(topic: &str, form: &Form) -> Result<Self, SnsError> {
        let text = form.require("Message")?;
        let attributes = attributes(form)?;
        let size = text.len()
            + attributes
                .iter()
                .map(|(name, a)| name.len() + a.data_type.len() + a.value.len())
                .sum::<usize>();
        if text.is_empty() {
            return Err(SnsError::invalid("Empty message"));
        }
        if size > LARGEST {
            return Err(SnsError::invalid(format!(
                "Message too long: {size} bytes, {LARGEST} are allowed"
            )));
        }
        let subject = form.get("Subject").map(subject).transpose()?;
        let body = match form.get("MessageStructure") {
            None => Body::Same(text.to_owned()),
            Some("json") => Body::PerProtocol(per_protocol(text)?),
            Some(other) => {
                return Err(SnsError::invalid(format!(
                    "MessageStructure {other:?}: only json is allowed"
                )));
            }
        };
        let id = uuid::Uuid::new_v4().to_string();
        Ok(Self {
            id,
            topic: topic.to_owned(),
            at: Timestamp::now(),
            subject,
            attributes,
            body,
        })
    }

    pub(super) fn text(&self, protocol: &str) -> &str {
        match &self.body {
            Body::Same(text) => text,
            Body::PerProtocol(texts) => texts
                .get(protocol)
                .or_else(|| texts.get("default"))
                .map_or("", String::as_str),
        }
    }

    /// What HTTP endpoints and queues get. There is no signature: only AWS can make one that verifies against its
    /// certificate. Receivers that check it have to skip that for this stack.
    pub(super) fn envelope(&self, protocol: &str, unsubscribe_url: &str) -> Value {
        let mut envelope = json!({
            "Type": "Notification",
            "MessageId": self.id,
            "TopicArn": self.topic,
        });
        if let Some(subject) = &self.subject {
            envelope["Subject"] = json!(subject);
        }
        envelope["Message"] = json!(self.text(protocol));
        envelope["Timestamp"] = json!(self.at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string());
        envelope["SignatureVersion"] = json!("1");
        envelope["Signature"] = json!("");
        envelope["SigningCertURL"] = json!("");
        envelope["UnsubscribeURL"] = json!(unsubscribe_url);
        if !self.attributes.is_empty() {
            let shown: Map<String, Value> = self
                .attributes
                .iter()
                .map(|(name, a)| (name.clone(), json!({"Type": a.data_type, "Value": a.value})))
                .collect();
            envelope["MessageAttributes"] = Value::Object(shown);
        }
        envelope
    }
}

fn subject(text: &str) -> Result<String, SnsError> {
    let plain = text.bytes().all(|b| b.is_ascii_graphic() || b == b' ');
    if text.is_empty() || text.len() > LONGEST_SUBJECT || !plain || text.starts_with(' ') {
        return Err(SnsError::invalid(format!(
            "Subject: from 1 to {LONGEST_SUBJECT} printable ASCII characters without line breaks, the first not a space"
        )));
    }
    Ok(text.to_owned())
}

fn per_protocol(text: &str) -> Result<BTreeMap<String, String>, SnsError> {
    let all: BTreeMap<String, Value> = serde_json::from_str(text).map_err(|error| {
        SnsError::invalid(format!(
            "Message Structure - JSON message body failed to parse: {error}"
        ))
    })?;
    // AWS leaves out members that are not strings.
    let texts: BTreeMap<String, String> = all
        .into_iter()
        .filter_map(|(protocol, text)| Some((protocol, text.as_str()?.to_owned())))
        .collect();
    if !texts.contains_key("default") {
        return Err(SnsError::invalid(
            "Message Structure - No default entry in JSON message body",
        ));
    }
    Ok(texts)
}

fn attributes(form: &Form) -> Result<BTreeMap<String, Attribute>, SnsError> {
    let mut attributes = BTreeMap::new();
    for entry in form.members("MessageAttributes.entry") {
        let name = entry.require("Name")?;
        if let Some(fault) = name_fault(name) {
            return Err(SnsError::invalid(format!(
                "The message attribute name '{name}' is invalid: {fault}"
            )));
        }
        let data_type = entry.require("Value.DataType")?;
        let value = checked_value(name, data_type, &entry)?;
        attributes.insert(
            name.to_owned(),
            Attribute {
                data_type: data_type.to_owned(),
                value,
            },
        );
    }
    Ok(attributes)
}

fn checked_value(name: &str, data_type: &str, entry: &Form) -> Result<String, SnsError> {
    let Some(base) = base_type(data_type) else {
        return Err(SnsError::invalid(format!(
            "The message attribute '{name}' has an invalid type '{data_type}'"
        )));
    };
    let member = if base == "Binary" {
        "Value.BinaryValue"
    } else {
        "Value.StringValue"
    };
    let value = entry.get(member).unwrap_or_default();
    let fault = match base {
        _ if value.is_empty() => "must have a non-empty value of its type",
        "Number" if !is_number(value) => "has a value that is no number",
        "String" if data_type == "String.Array" && !is_flat_array(value) => {
            "must hold a JSON array of strings, numbers, booleans and nulls"
        }
        _ => return Ok(value.to_owned()),
    };
    Err(SnsError::invalid(format!(
        "The message attribute '{name}' {fault}"
    )))
}

fn is_flat_array(text: &str) -> bool {
    serde_json::from_str::<Vec<Value>>(text).is_ok_and(|members| {
        !members
            .iter()
            .any(|member| member.is_array() || member.is_object())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Message, SnsError> {
        Message::read(
            "arn",
            &Form::parse(serde_urlencoded::to_string(pairs).unwrap().as_bytes()).unwrap(),
        )
    }

    #[test]
    fn each_protocol_gets_its_own_text_or_the_default() {
        let message = r#"{"default":"d","email":"e","n":1}"#;
        let message = read(&[("Message", message), ("MessageStructure", "json")]).unwrap();
        assert_eq!(
            (message.text("email"), message.text("sqs"), message.text("n")),
            ("e", "d", "d")
        );
    }

    #[test]
    fn what_sns_would_refuse_is_refused() {
        let long = "x".repeat(LARGEST + 1);
        let wide = "x".repeat(LONGEST_SUBJECT + 1);
        for pairs in [
            vec![("Message", "")],
            vec![("Message", long.as_str())],
            vec![("Message", "m"), ("Subject", wide.as_str())],
            vec![("Message", "m"), ("Subject", "two\nlines")],
            vec![("Message", "m"), ("Subject", "caf\u{e9}")],
            vec![("Message", "{\"email\":\"e\"}"), ("MessageStructure", "json")],
            vec![("Message", "m"), ("MessageStructure", "xml")],
            vec![
                ("Message", "m"),
                ("MessageAttributes.entry.1.Name", "n"),
                ("MessageAttributes.entry.1.Value.DataType", "Date"),
                ("MessageAttributes.entry.1.Value.StringValue", "x"),
            ],
        ] {
            assert_eq!(
                read(&pairs).unwrap_err().code,
                "InvalidParameter",
                "{:?}",
                pairs.last()
            );
        }
    }
}
