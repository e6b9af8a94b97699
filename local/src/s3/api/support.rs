//! What a request may ask for that this store does not have. It is refused by name: a client that asked for
//! encryption or a lock must not believe it got one.

use s3s::{S3Result, dto::CopySource, s3_error};

/// Headers of the protocol that ask for something, and whether the request has them.
pub(super) fn refuse(asked: &[(&str, bool)]) -> S3Result {
    match asked.iter().find(|(_, asked)| *asked) {
        None => Ok(()),
        Some((name, _)) => Err(s3_error!(
            NotImplemented,
            "A header you provided is not implemented here: {name}"
        )),
    }
}

/// The refusals that PutObject, CopyObject and CreateMultipartUpload have in common.
macro_rules! refuse_unsupported {
    ($input:expr) => {{
        let beyond = |value: Option<&str>, fine: &[&str]| value.is_some_and(|value| !fine.contains(&value));
        $crate::s3::api::support::refuse(&[
            (
                "x-amz-acl",
                beyond(
                    $input.acl.as_ref().map(|v| v.as_str()),
                    &["private", "bucket-owner-full-control"],
                ),
            ),
            ("x-amz-grant-full-control", $input.grant_full_control.is_some()),
            ("x-amz-grant-read", $input.grant_read.is_some()),
            ("x-amz-grant-read-acp", $input.grant_read_acp.is_some()),
            ("x-amz-grant-write-acp", $input.grant_write_acp.is_some()),
            ("x-amz-object-lock-mode", $input.object_lock_mode.is_some()),
            (
                "x-amz-object-lock-retain-until-date",
                $input.object_lock_retain_until_date.is_some(),
            ),
            (
                "x-amz-object-lock-legal-hold",
                beyond(
                    $input.object_lock_legal_hold_status.as_ref().map(|v| v.as_str()),
                    &["OFF"],
                ),
            ),
            (
                "x-amz-server-side-encryption-customer-algorithm",
                $input.sse_customer_algorithm.is_some(),
            ),
            (
                "x-amz-server-side-encryption-aws-kms-key-id",
                $input.ssekms_key_id.is_some(),
            ),
            (
                "x-amz-server-side-encryption",
                beyond(
                    $input.server_side_encryption.as_ref().map(|v| v.as_str()),
                    &["AES256"],
                ),
            ),
            (
                "x-amz-storage-class",
                beyond($input.storage_class.as_ref().map(|v| v.as_str()), &["STANDARD"]),
            ),
            (
                "x-amz-website-redirect-location",
                $input.website_redirect_location.is_some(),
            ),
        ])
    }};
}
pub(super) use refuse_unsupported;

/// Without versioning every object has the one version `null`.
pub(super) fn only_version(version: Option<&str>) -> S3Result {
    match version {
        None | Some("null" | "") => Ok(()),
        Some(_) => Err(s3_error!(NoSuchVersion, "This store keeps no versions.")),
    }
}

/// Bucket and key that a copy reads from.
pub(super) fn copy_source(source: &CopySource) -> S3Result<(String, String)> {
    match source {
        CopySource::Bucket {
            bucket,
            key,
            version_id,
        } => {
            only_version(version_id.as_deref())?;
            Ok((bucket.to_string(), key.to_string()))
        }
        _ => Err(s3_error!(
            NotImplemented,
            "x-amz-copy-source takes only bucket/key here, no access point."
        )),
    }
}
