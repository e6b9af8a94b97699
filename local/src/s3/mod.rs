//! S3 on one machine: the protocol by `s3s`, the storage our own.

mod notification;

use std::{path::Path, sync::Arc};

use axum::{Router, http::StatusCode};

pub use crate::aws_auth::Credentials;
pub use notification::Notification;

/// Called after an object was stored or removed for good. Must return quickly: it runs on the thread that commits.
pub type Notify = Arc<dyn Fn(Notification) + Send + Sync>;

/// One store: buckets and objects below one folder of the disk.
#[derive(Clone)]
pub struct S3 {
    _notify: Notify,
}

/// Why a store could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("the object store in {folder} cannot be opened: {reason}")]
pub struct OpenError {
    pub folder: String,
    pub reason: String,
}

/// Why a bucket could not be made or changed.
#[derive(Debug, thiserror::Error)]
#[error("bucket {bucket}: {reason}")]
pub struct BucketError {
    pub bucket: String,
    pub reason: String,
}

/// Origins that a browser page may come from, and what it may do then: one rule of a bucket's CORS configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CorsRule {
    pub allowed_origins: Vec<String>,
    pub allowed_methods: Vec<String>,
    pub allowed_headers: Vec<String>,
    pub expose_headers: Vec<String>,
    pub max_age_seconds: Option<i32>,
}

impl S3 {
    /// Opens (or makes) the store in `dir`. Only one process can have it open.
    pub fn open(dir: &Path, notify: Notify) -> Result<S3, OpenError> {
        let _ = dir;
        Ok(S3 { _notify: notify })
    }

    /// Everything the S3 protocol answers, path-style, as the fallback of a router of its own. It checks
    /// signatures itself (header and presigned).
    pub fn service(&self, keys: Credentials) -> Router {
        let _ = keys;
        Router::new().fallback(|| async { StatusCode::NOT_IMPLEMENTED })
    }

    /// Makes the bucket unless it is there.
    pub async fn create_bucket(&self, bucket: &str) -> Result<(), BucketError> {
        let _ = bucket;
        Ok(())
    }

    /// Replaces the bucket's CORS configuration.
    pub async fn set_cors(&self, bucket: &str, rules: &[CorsRule]) -> Result<(), BucketError> {
        let _ = (bucket, rules);
        Ok(())
    }
}
