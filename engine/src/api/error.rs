//! The errors of the labeling API.

use axum::http::StatusCode;

use crate::job::SpecError;
use crate::state::{StoreError, UpdateError};

pub(super) type Result<T> = std::result::Result<T, ApiError>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ApiError {
    pub(super) status: StatusCode,
    /// `__type`.
    pub(super) kind: &'static str,
    pub(super) message: String,
}

impl ApiError {
    pub(super) fn validation(message: impl Into<String>) -> ApiError {
        ApiError::bad("ValidationException", message)
    }

    pub(super) fn serialization(message: impl Into<String>) -> ApiError {
        ApiError::bad("SerializationException", message)
    }

    pub(super) fn in_use(message: impl Into<String>) -> ApiError {
        ApiError::bad("ResourceInUse", message)
    }

    pub(super) fn conflict(message: impl Into<String>) -> ApiError {
        ApiError::bad("ConflictException", message)
    }

    pub(super) fn not_found(message: impl Into<String>) -> ApiError {
        ApiError::bad("ResourceNotFound", message)
    }

    pub(super) fn limit(message: impl Into<String>) -> ApiError {
        ApiError::bad("ResourceLimitExceeded", message)
    }

    pub(super) fn unsupported_operation(operation: &str) -> ApiError {
        let message = format!(
            "{operation} is not supported by this labeling engine: it has SageMaker's operations for labeling jobs, work teams, \
             workforces, RenderUiTemplate and tags."
        );
        ApiError::bad("UnsupportedOperation", message)
    }

    pub(super) fn unknown_operation(target: &str) -> ApiError {
        ApiError::bad(
            "UnknownOperationException",
            format!("X-Amz-Target {target:?} does not name an operation of SageMaker."),
        )
    }

    fn bad(kind: &'static str, message: impl Into<String>) -> ApiError {
        ApiError {
            status: StatusCode::BAD_REQUEST,
            kind,
            message: message.into(),
        }
    }
}

impl From<SpecError> for ApiError {
    fn from(refusal: SpecError) -> ApiError {
        ApiError::validation(refusal.0)
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> ApiError {
        tracing::error!(%error, "state store failed");
        let message = match error {
            StoreError::Unreadable(_) => {
                "A document of the engine's state cannot be read. The engine's log names it. Restore it from a copy."
            }
            _ => "The engine could not reach its state. Try again.",
        };
        ApiError {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            kind: "InternalFailure",
            message: message.into(),
        }
    }
}

impl From<UpdateError<ApiError>> for ApiError {
    fn from(error: UpdateError<ApiError>) -> ApiError {
        match error {
            UpdateError::Rejected(error) => error,
            UpdateError::Store(error) => error.into(),
        }
    }
}
