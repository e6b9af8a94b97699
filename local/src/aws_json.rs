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

/// A request body; an empty one is `{}`.
pub(crate) fn read<T: DeserializeOwned>(body: &[u8], kind: &'static str) -> Result<T, AwsError> {
    let body = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(body)
        .map_err(|error| AwsError::new(kind, format!("the request cannot be read: {error}")))
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
