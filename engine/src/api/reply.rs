//! Replies in awsJson1.1.

use axum::body::Body;
use axum::http::{Response, StatusCode, header};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::error::{ApiError, Result};

pub(super) fn reply(result: Result<Value>) -> axum::response::Response {
    let (status, kind, body) = match result {
        Ok(value) => (StatusCode::OK, None, value),
        Err(ApiError {
            status,
            kind,
            message,
        }) => {
            // Errors of the API model have `Message`, the general ones `message`. Clients look for one of them.
            (
                status,
                Some(kind),
                json!({"__type": kind, "message": message, "Message": message}),
            )
        }
    };
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        header::HeaderValue::from_static("application/x-amz-json-1.1"),
    );
    if let Ok(id) = uuid::Uuid::new_v4().to_string().parse() {
        headers.insert("x-amzn-requestid", id);
    }
    if let Some(kind) = kind {
        headers.insert("x-amzn-errortype", header::HeaderValue::from_static(kind));
    }
    response
}

/// Seconds since 1970, with milliseconds: awsJson's form of a timestamp.
pub(super) fn time(at: Timestamp) -> Value {
    json!(at.as_millisecond() as f64 / 1000.0)
}
