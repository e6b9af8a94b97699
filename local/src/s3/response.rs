//! What every response of S3 has, and the protocol library does not give it: a request id, keys that survive XML, the right
//! form of answers without a body.

use axum::{
    body::{Body, to_bytes},
    response::Response,
};
use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use s3s::S3Error;
use uuid::Uuid;

use super::gate::Operation;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amz-request-id");

/// An error as S3's clients read it.
pub(super) fn error_response(error: S3Error) -> Response {
    match error.to_http_response() {
        Ok(response) => response.map(Body::new),
        Err(_) => {
            let mut response = Response::default();
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            response
        }
    }
}

/// What every response of S3 has, and the protocol library does not give it.
pub(super) async fn finish(
    method: &Method,
    operation: Option<&Operation>,
    mut response: Response,
) -> Response {
    let id = Uuid::new_v4().simple().to_string();
    let has_keys = operation.is_some_and(|operation| operation.returns_keys());
    if response.status().is_client_error() || response.status().is_server_error() {
        response = rewrite_body(response, |body| with_request_id(body, &id)).await;
    } else if has_keys {
        response = rewrite_body(response, |body| Some(escape_control_characters(body))).await;
    }
    if let Ok(id) = HeaderValue::try_from(id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    if response.status() == StatusCode::NOT_MODIFIED {
        response.headers_mut().remove(header::CONTENT_TYPE);
        *response.body_mut() = Body::empty();
    }
    let part = response.headers().contains_key(header::CONTENT_RANGE);
    if method == Method::HEAD && part && response.status() == StatusCode::OK {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    response
}

/// The response with another body, where `write` has one for it. Only for documents of the protocol, which are in memory.
async fn rewrite_body(response: Response, write: impl FnOnce(&str) -> Option<String>) -> Response {
    let (mut parts, body) = response.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let written = std::str::from_utf8(&bytes).ok().and_then(write);
    let Some(written) = written else {
        return Response::from_parts(parts, Body::from(bytes));
    };
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(written))
}

/// An error with the id that the log of a client shows.
fn with_request_id(body: &str, id: &str) -> Option<String> {
    let (before, after) = body.rsplit_once("</Error>")?;
    (!body.contains("<RequestId>"))
        .then(|| format!("{before}<RequestId>{id}</RequestId><HostId>groundcrew</HostId></Error>{after}"))
}

/// Characters that XML 1.0 has no way to write, as AWS writes them: a raw carriage return would be read as a line feed.
fn escape_control_characters(body: &str) -> String {
    let mut written = String::with_capacity(body.len());
    for character in body.chars() {
        match character {
            '\n' | '\t' => written.push(character),
            '\0'..='\u{1f}' => {
                written.push_str("&#x");
                written.extend(char::from_digit(u32::from(character) / 16, 16));
                written.extend(char::from_digit(u32::from(character) % 16, 16));
                written.push(';');
            }
            _ => written.push(character),
        }
    }
    written
}
