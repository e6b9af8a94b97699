//! What a caller gets whose signature does not hold, in the form its service's protocol has for errors.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html>

use axum::{body::Body, response::Response};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde_json::json;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    Missing,
    Incomplete(&'static str),
    UnknownKey,
    WrongService,
    Skewed,
    Mismatch,
    TooLarge,
}

impl Refusal {
    /// Code of the JSON protocols, code of the Query protocol, its status, message.
    fn message(self, service: &str) -> (&'static str, &'static str, StatusCode, String) {
        match self {
            Refusal::Missing => (
                "MissingAuthenticationTokenException",
                "MissingAuthenticationToken",
                StatusCode::FORBIDDEN,
                "Request is missing Authentication Token. Sign it with the key pair that `groundcrew up` prints.".into(),
            ),
            Refusal::Incomplete(what) => {
                ("IncompleteSignatureException", "IncompleteSignature", StatusCode::BAD_REQUEST, what.into())
            }
            Refusal::UnknownKey => (
                "UnrecognizedClientException",
                "InvalidClientTokenId",
                StatusCode::FORBIDDEN,
                "The security token included in the request is invalid. Use the key pair that `groundcrew up` prints.".into(),
            ),
            Refusal::WrongService => (
                "InvalidSignatureException",
                "SignatureDoesNotMatch",
                StatusCode::FORBIDDEN,
                format!("Credential should be scoped to correct service: '{service}'."),
            ),
            Refusal::Skewed => (
                "InvalidSignatureException",
                "SignatureDoesNotMatch",
                StatusCode::FORBIDDEN,
                "Signature expired or not yet current: x-amz-date is more than 15 minutes from this machine's time.".into(),
            ),
            Refusal::Mismatch => (
                "InvalidSignatureException",
                "SignatureDoesNotMatch",
                StatusCode::FORBIDDEN,
                "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method.".into(),
            ),
            Refusal::TooLarge => (
                "RequestEntityTooLargeException",
                "RequestEntityTooLarge",
                StatusCode::PAYLOAD_TOO_LARGE,
                "The request's body is too large or ended early.".into(),
            ),
        }
    }

    pub(super) fn response(self, request: &HeaderMap, service: &str) -> Response {
        let (json_code, query_code, query_status, message) = self.message(service);
        let content_type = request
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        if content_type.starts_with("application/x-amz-json") {
            let status = if self == Refusal::TooLarge {
                query_status
            } else {
                StatusCode::BAD_REQUEST
            };
            let body = json!({ "__type": json_code, "message": message }).to_string();
            let mut response = respond(status, content_type, body);
            response
                .headers_mut()
                .insert(ERROR_TYPE, HeaderValue::from_static(json_code));
            return response;
        }
        // Every message is a constant without markup: there is nothing to escape.
        let body = format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>{query_code}</Code><Message>{message}</Message></Error>\
             <RequestId>{}</RequestId></ErrorResponse>",
            uuid::Uuid::new_v4()
        );
        respond(query_status, "text/xml", body)
    }
}

const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");

fn respond(status: StatusCode, content_type: &str, body: String) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    if let Ok(value) = HeaderValue::try_from(content_type) {
        response.headers_mut().insert(header::CONTENT_TYPE, value);
    }
    response
}
