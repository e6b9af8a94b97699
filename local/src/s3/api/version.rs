//! Versions of an object: there is one.

use s3s::{S3Result, s3_error};

/// Without versioning every object has the one version `null`.
pub(super) fn check_version(version: Option<&str>) -> S3Result {
    match version {
        None | Some("null" | "") => Ok(()),
        Some(_) => Err(s3_error!(NoSuchVersion, "This store keeps no versions.")),
    }
}
