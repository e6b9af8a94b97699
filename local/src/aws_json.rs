//! The JSON protocols of AWS (1.0 of SQS, 1.1 of Cognito): the target header, answers, and errors as SDKs read them.

use axum::Json;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// The header that names the operation.
pub(crate) const TARGET: &str = "x-amz-target";

/// An error as a client of AWS expects it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct AwsError {
    pub(crate) status: StatusCode,
    /// AWS's name of it.
    pub(crate) kind: &'static str,
    pub(crate) message: String,
}

impl AwsError {
    pub(crate) fn new(kind: &'static str, message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            kind,
            message: message.into(),
        }
    }
}

/// The part of the target header after the service's prefix.
pub(crate) fn operation<'h>(headers: &'h HeaderMap, service: &str) -> Option<&'h str> {
    headers
        .get(TARGET)?
        .to_str()
        .ok()?
        .strip_prefix(service)?
        .strip_prefix('.')
}

/// Why a request cannot be read.
#[derive(Debug)]
pub(crate) enum RequestFault {
    /// It has a member, by this path, that the operation does not have here.
    UnknownMember(String),
    Malformed(serde_json::Error),
}

/// Reads a request. An empty body is `{}`, and a member that is null counts as absent. AWS ignores members it does not
/// know; here they are faults, so that nothing that was asked for is silently left undone.
pub(crate) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, RequestFault> {
    let body = if body.is_empty() { b"{}" } else { body };
    let mut request: Value = serde_json::from_slice(body).map_err(RequestFault::Malformed)?;
    drop_nulls(&mut request);
    let mut unknown = None;
    let read = serde_ignored::deserialize(request, |member| {
        unknown.get_or_insert_with(|| member.to_string());
    });
    match (unknown, read) {
        (Some(member), _) => Err(RequestFault::UnknownMember(member)),
        (None, read) => read.map_err(RequestFault::Malformed),
    }
}

fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null());
            members.values_mut().for_each(drop_nulls);
        }
        Value::Array(members) => members.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

/// The response; `namespace` stands before the error's name where the service has one.
pub(crate) fn answer(version: &'static str, namespace: &str, result: Result<Value, AwsError>) -> Response {
    let (status, body, kind) = match result {
        Ok(body) => (StatusCode::OK, body, None),
        Err(error) => {
            let body = json!({"__type": format!("{namespace}{}", error.kind), "message": error.message});
            (error.status, body, Some(error.kind))
        }
    };
    let mut response = (status, Json(body)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(version));
    if let Ok(id) = HeaderValue::from_str(&uuid::Uuid::new_v4().to_string()) {
        headers.insert("x-amzn-requestid", id);
    }
    if let Some(kind) = kind {
        headers.insert("x-amzn-errortype", HeaderValue::from_static(kind));
    }
    response
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn a_member_that_is_null_is_as_good_as_absent() {
        let body = br#"{"a": {"b": null, "c": 1}, "d": null}"#;
        let read: BTreeMap<String, BTreeMap<String, u8>> = read(body).unwrap();
        assert_eq!(
            read,
            BTreeMap::from([("a".to_owned(), BTreeMap::from([("c".to_owned(), 1)]))])
        );
    }

    #[test]
    fn an_unknown_member_is_named_by_its_path() {
        #[derive(Debug, serde::Deserialize)]
        struct Request {
            _list: Vec<Item>,
        }
        #[derive(Debug, serde::Deserialize)]
        struct Item {
            _name: u8,
        }
        let fault = read::<Request>(br#"{"_list": [{"_name": 1, "Color": 2}]}"#).unwrap_err();
        assert!(
            matches!(&fault, RequestFault::UnknownMember(path) if path == "_list.0.Color"),
            "{fault:?}"
        );
    }
}
