//! Errors that the protocol library has no name for.

use http::StatusCode;
use s3s::{S3Error, S3ErrorCode, s3_error};

pub(super) fn custom(code: &'static str, status: StatusCode, message: String) -> S3Error {
    let mut error = S3Error::with_message(S3ErrorCode::Custom(code.into()), message);
    error.set_status_code(status);
    error
}

/// The log gets the cause, the client that there was one.
pub(super) fn disk(error: std::io::Error) -> S3Error {
    tracing::error!(%error, "a file of the object store could not be written or read");
    s3_error!(error, InternalError, "The disk could not be written or read.")
}
