//! Errors for requests that no service here answers, in the forms that clients of AWS read.

use axum::Json;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

pub(super) fn json_error(status: StatusCode, kind: &'static str, message: &str) -> Response {
    let mut response = (status, Json(json!({"__type": kind, "message": message}))).into_response();
    response
        .headers_mut()
        .insert("x-amzn-errortype", HeaderValue::from_static(kind));
    response
}

/// The error for a service that is not here, in the form that its clients read.
pub(super) fn unsupported_service(scope: &str, headers: &HeaderMap) -> Response {
    let services = "S3, SNS, SQS (JSON protocol), SageMaker labeling and Cognito are";
    // The name comes from the request: only characters that need no escaping in any of the forms.
    let name: String = scope
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_'))
        .take(64)
        .collect();
    let message = format!("{name} is not one of the services here: {services}");
    // Directory buckets have a scope of their own in signatures, and are S3 to clients.
    if scope.starts_with("s3") {
        let what = "There are no directory buckets here (ListDirectoryBuckets, CreateSession)";
        return s3_error(StatusCode::NOT_IMPLEMENTED, "NotImplemented", what);
    }
    let kind = headers
        .get(header::CONTENT_TYPE)
        .map_or(&[][..], HeaderValue::as_bytes);
    if kind.starts_with(b"application/x-www-form-urlencoded") {
        let id = uuid::Uuid::new_v4();
        let error = format!(
            "<Error><Type>Sender</Type><Code>InvalidAction</Code><Message>{message}</Message></Error>"
        );
        // EC2 has a form of its own.
        let body = match scope {
            "ec2" => format!("<Response><Errors>{error}</Errors><RequestID>{id}</RequestID></Response>"),
            _ => format!("<ErrorResponse>{error}<RequestId>{id}</RequestId></ErrorResponse>"),
        };
        let xml = [(header::CONTENT_TYPE, "text/xml")];
        return (StatusCode::BAD_REQUEST, xml, body).into_response();
    }
    json_error(StatusCode::BAD_REQUEST, "UnknownOperationException", &message)
}

/// An error as S3's clients read it; the message needs no escaping.
pub(super) fn s3_error(status: StatusCode, code: &str, message: &str) -> Response {
    let id = uuid::Uuid::new_v4();
    let body =
        format!("<Error><Code>{code}</Code><Message>{message}</Message><RequestId>{id}</RequestId></Error>");
    (status, [(header::CONTENT_TYPE, "application/xml")], body).into_response()
}
