//! What a call of the portal's API is told when it cannot be done: a status, a code for the page, a sentence for the person.
use super::MAX_BODY;
use crate::work::WorkError;
use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::json;

/// Why not.
#[derive(Debug)]
pub(super) enum Refusal {
    SignedOut,
    /// Neither yes nor no: the store or the provider is away.
    Unconfirmed,
    Foreign,
    NotJson(String),
    TooLarge,
    Work(WorkError),
}

impl From<WorkError> for Refusal {
    fn from(error: WorkError) -> Self {
        Refusal::Work(error)
    }
}

impl Refusal {
    pub(super) fn status(&self) -> (StatusCode, &'static str) {
        match self {
            Refusal::SignedOut => (StatusCode::UNAUTHORIZED, "signed-out"),
            Refusal::Unconfirmed => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
            Refusal::Foreign => (StatusCode::FORBIDDEN, "foreign"),
            Refusal::NotJson(_) => (StatusCode::BAD_REQUEST, "not-json"),
            Refusal::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "bad-answer"),
            Refusal::Work(WorkError::NoSuchJob) => (StatusCode::NOT_FOUND, "no-such-job"),
            Refusal::Work(WorkError::NotHeld) => (StatusCode::CONFLICT, "not-held"),
            Refusal::Work(WorkError::JobOver) => (StatusCode::GONE, "job-over"),
            Refusal::Work(WorkError::BadAnswer(_)) => (StatusCode::UNPROCESSABLE_ENTITY, "bad-answer"),
            Refusal::Work(WorkError::Unavailable) => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
        }
    }

    pub(super) fn message(&self) -> String {
        match self {
            Refusal::SignedOut => "You are signed out. Please sign in again.".to_owned(),
            Refusal::Unconfirmed => {
                "Your sign-in could not be confirmed just now. Please try again in a minute.".to_owned()
            }
            Refusal::Foreign => {
                "Send this call from the portal's own page, with the header `X-Groundcrew: 1`.".to_owned()
            }
            Refusal::NotJson(cause) => format!("Send JSON with the content type application/json: {cause}"),
            Refusal::TooLarge => {
                let why = format!("it has more than {MAX_BODY} bytes; hand in the choice alone");
                WorkError::BadAnswer(why).to_string()
            }
            Refusal::Work(error) => error.to_string(),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, code) = self.status();
        (status, Json(json!({ "error": code, "message": self.message() }))).into_response()
    }
}
