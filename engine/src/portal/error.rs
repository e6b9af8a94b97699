//! The errors of the portal's API: a status, a code for the page, a sentence for the person.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::json;

use crate::desk::WorkError;

/// The largest body of a call. Fifty labels of 256 characters need less, however they are escaped. The largest answer to a
/// job's tasks is checked when the answer is read.
pub(super) const MAX_BODY: usize = 256 * 1024;

#[derive(Debug)]
pub(super) enum PortalError {
    SignedOut,
    /// The store or the identity provider does not reply.
    Unconfirmed,
    /// A change that does not come from the portal's page.
    Foreign,
    NotJson(String),
    TooLarge,
    Work(WorkError),
}

impl From<WorkError> for PortalError {
    fn from(error: WorkError) -> Self {
        PortalError::Work(error)
    }
}

impl PortalError {
    pub(super) fn status(&self) -> (StatusCode, &'static str) {
        match self {
            PortalError::SignedOut => (StatusCode::UNAUTHORIZED, "signed-out"),
            PortalError::Unconfirmed => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
            PortalError::Foreign => (StatusCode::FORBIDDEN, "foreign"),
            PortalError::NotJson(_) => (StatusCode::BAD_REQUEST, "not-json"),
            PortalError::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "bad-answer"),
            PortalError::Work(WorkError::NoSuchJob) => (StatusCode::NOT_FOUND, "no-such-job"),
            PortalError::Work(WorkError::NotHeld) => (StatusCode::CONFLICT, "not-held"),
            PortalError::Work(WorkError::JobOver) => (StatusCode::GONE, "job-over"),
            PortalError::Work(WorkError::BadAnswer(_)) => (StatusCode::UNPROCESSABLE_ENTITY, "bad-answer"),
            PortalError::Work(WorkError::Unavailable) => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
        }
    }

    pub(super) fn message(&self) -> String {
        match self {
            PortalError::SignedOut => "You are signed out. Please sign in again.".to_owned(),
            PortalError::Unconfirmed => {
                "Your sign-in could not be confirmed. Please try again in a minute.".to_owned()
            }
            PortalError::Foreign => {
                "Send this call from the portal's own page, with the header `X-Groundcrew: 1`.".to_owned()
            }
            PortalError::NotJson(cause) => {
                format!("Send JSON with the content type application/json: {cause}")
            }
            PortalError::TooLarge => {
                let why = format!("it has more than {MAX_BODY} bytes; submit the choice alone");
                WorkError::BadAnswer(why).to_string()
            }
            PortalError::Work(error) => error.to_string(),
        }
    }
}

impl IntoResponse for PortalError {
    fn into_response(self) -> Response {
        let (status, code) = self.status();
        (status, Json(json!({ "error": code, "message": self.message() }))).into_response()
    }
}
