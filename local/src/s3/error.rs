//! Errors that the protocol library has no name for.

use std::io;

use http::StatusCode;
use s3s::{S3Error, S3ErrorCode, s3_error};

pub(super) fn custom_error(code: &'static str, status: StatusCode, message: String) -> S3Error {
    let mut error = S3Error::with_message(S3ErrorCode::Custom(code.into()), message);
    error.set_status_code(status);
    error
}

/// Nothing was stored. A status that clients do not try again at once: only a person can help.
pub(super) fn disk_full(reason: &str) -> S3Error {
    let message = format!(
        "The object store cannot use its disk: {reason}. Make room on it; the store goes on by itself then, and what it \
         said it stored is safe."
    );
    custom_error("InsufficientStorage", StatusCode::INSUFFICIENT_STORAGE, message)
}

/// The log gets the cause, the client that there was one.
pub(super) fn disk_error(error: io::Error) -> S3Error {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    if matches!(error.kind(), FileTooLarge | QuotaExceeded | StorageFull) {
        return disk_full(&error.to_string());
    }
    tracing::error!(%error, "a file of the object store could not be written or read");
    s3_error!(error, InternalError, "The disk could not be written or read.")
}
