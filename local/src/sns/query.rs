//! AWS's query protocol: form fields in, XML out.

use std::collections::BTreeMap;

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

const NAMESPACE: &str = "http://sns.amazonaws.com/doc/2010-03-31/";

/// The fields of one request.
#[derive(Debug, Default)]
pub(super) struct Form(BTreeMap<String, String>);

impl Form {
    pub(super) fn parse(body: &[u8]) -> Result<Self, SnsError> {
        serde_urlencoded::from_bytes(body)
            .map(Self)
            .map_err(|error| SnsError::invalid(format!("the request is no form: {error}")))
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub(super) fn require(&self, name: &str) -> Result<&str, SnsError> {
        self.get(name)
            .ok_or_else(|| SnsError::invalid(format!("{name} is missing")))
    }

    /// The names of all fields.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The members of a list or map, in order: for `A.entry`, the fields of `A.entry.1.…`, `A.entry.2.…`.
    pub(super) fn members(&self, list: &str) -> Vec<Form> {
        let mut members: BTreeMap<usize, BTreeMap<String, String>> = BTreeMap::new();
        for (name, value) in &self.0 {
            let Some(rest) = name.strip_prefix(list).and_then(|rest| rest.strip_prefix('.')) else {
                continue;
            };
            let (number, field) = rest.split_once('.').unwrap_or((rest, ""));
            if let Ok(number) = number.parse() {
                members
                    .entry(number)
                    .or_default()
                    .insert(field.to_owned(), value.clone());
            }
        }
        members.into_values().map(Form).collect()
    }

    /// A map of the form `A.entry.n.key` and `.value`.
    pub(super) fn map(&self, name: &str) -> BTreeMap<String, String> {
        let pairs = self.members(&format!("{name}.entry"));
        pairs
            .iter()
            .filter_map(|pair| {
                Some((
                    pair.get("key")?.to_owned(),
                    pair.get("value").unwrap_or_default().to_owned(),
                ))
            })
            .collect()
    }
}

/// An error by AWS's name for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SnsError {
    pub(super) status: StatusCode,
    pub(super) code: &'static str,
    pub(super) message: String,
}

impl SnsError {
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        let message = format!("Invalid parameter: {}", message.into());
        Self {
            status: StatusCode::BAD_REQUEST,
            code: "InvalidParameter",
            message,
        }
    }

    /// What is wrong with a batch, by AWS's code for it.
    pub(super) fn batch(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            code,
            message: message.into(),
        }
    }

    pub(super) fn not_found(what: &str) -> Self {
        Self {
            status: StatusCode::NOT_FOUND,
            code: "NotFound",
            message: format!("{what} does not exist"),
        }
    }

    pub(super) fn unsupported_operation(name: &str) -> Self {
        let message = format!("{name} is not supported by the SNS of this stack");
        Self {
            status: StatusCode::BAD_REQUEST,
            code: "InvalidAction",
            message,
        }
    }

    pub(super) fn unsupported_member(name: &str) -> Self {
        Self::invalid(format!(
            "the member {name} is not supported by the SNS of this stack"
        ))
    }

    pub(super) fn internal(message: String) -> Self {
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            code: "InternalError",
            message,
        }
    }
}

/// A piece of a response.
#[derive(Clone, Debug)]
pub(super) enum Xml {
    Text(String),
    Elements(Vec<(&'static str, Xml)>),
}

impl Xml {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    pub(super) fn list(members: impl IntoIterator<Item = Xml>) -> Self {
        Self::Elements(members.into_iter().map(|member| ("member", member)).collect())
    }

    pub(super) fn map(entries: impl IntoIterator<Item = (String, String)>) -> Self {
        let entry =
            |(key, value)| Self::Elements(vec![("key", Self::Text(key)), ("value", Self::Text(value))]);
        Self::Elements(entries.into_iter().map(|pair| ("entry", entry(pair))).collect())
    }

    pub(super) fn none() -> Self {
        Self::Elements(Vec::new())
    }

    fn write(&self, out: &mut String) {
        match self {
            Self::Text(text) => out.push_str(&quick_xml::escape::escape(text.as_str())),
            Self::Elements(elements) => {
                for (name, inner) in elements {
                    out.push_str(&format!("<{name}>"));
                    inner.write(out);
                    out.push_str(&format!("</{name}>"));
                }
            }
        }
    }
}

pub(super) fn respond(operation: &str, result: Result<Xml, SnsError>) -> Response {
    let id = uuid::Uuid::new_v4();
    let mut body = String::new();
    let status = match result {
        Ok(result) => {
            body.push_str(&format!(
                "<{operation}Response xmlns=\"{NAMESPACE}\"><{operation}Result>"
            ));
            result.write(&mut body);
            body.push_str(&format!(
                "</{operation}Result><ResponseMetadata><RequestId>{id}</RequestId></ResponseMetadata></{operation}Response>"
            ));
            StatusCode::OK
        }
        Err(error) => {
            let error_xml = Xml::Elements(vec![
                (
                    "Type",
                    Xml::text(if error.status.is_server_error() {
                        "Receiver"
                    } else {
                        "Sender"
                    }),
                ),
                ("Code", Xml::text(error.code)),
                ("Message", Xml::text(error.message)),
            ]);
            body.push_str(&format!("<ErrorResponse xmlns=\"{NAMESPACE}\"><Error>"));
            error_xml.write(&mut body);
            body.push_str(&format!("</Error><RequestId>{id}</RequestId></ErrorResponse>"));
            error.status
        }
    };
    (status, [(header::CONTENT_TYPE, "text/xml")], body).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_of_a_list_are_read_in_their_order() {
        let form = Form::parse(b"A.entry.10.key=z&A.entry.2.key=a&A.entry.2.value=%3Cb%3E&B=1").unwrap();
        let keys: Vec<_> = form
            .members("A.entry")
            .iter()
            .map(|m| m.get("key").unwrap().to_owned())
            .collect();
        assert_eq!(keys, ["a", "z"]);
        assert_eq!(form.map("A")["a"], "<b>");
        assert!(form.require("C").is_err());
    }
}
