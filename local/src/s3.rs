//! S3 on one machine: the protocol by `s3s`, the storage our own.

mod amended;
mod api;
mod checksum;
mod condition;
mod cors;
mod error;
mod gate;
mod ingest;
mod notification;
mod outflow;
mod reader;
mod service;
mod store;

use std::{path::Path, sync::Arc};

use axum::Router;
use serde::{Deserialize, Serialize};

use self::store::Store;

pub use crate::aws_auth::Credentials;
pub use notification::Notification;

/// Called after an object was stored or removed for good. Must return quickly: it runs on the thread that commits.
pub type Notify = Arc<dyn Fn(Notification) + Send + Sync>;

/// One store: buckets and objects below one folder of the disk.
#[derive(Clone)]
pub struct S3 {
    store: Arc<Store>,
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
        Ok(S3 {
            store: Arc::new(Store::open(dir, notify)?),
        })
    }

    /// Everything the S3 protocol answers, path-style, as the fallback of a router of its own. It checks
    /// signatures itself (header and presigned).
    pub fn service(&self, keys: Credentials) -> Router {
        service::router(&self.store, keys)
    }

    /// Makes the bucket unless it is there.
    pub async fn create_bucket(&self, bucket: &str) -> Result<(), BucketError> {
        api::create_bucket(&self.store, bucket)
            .await
            .map_err(|error| failed(bucket, &error))
    }

    /// Replaces the bucket's CORS configuration.
    pub async fn set_cors(&self, bucket: &str, rules: &[CorsRule]) -> Result<(), BucketError> {
        api::set_cors(&self.store, bucket, rules.to_vec())
            .await
            .map_err(|error| failed(bucket, &error))
    }
}

fn failed(bucket: &str, error: &s3s::S3Error) -> BucketError {
    let reason = error
        .message()
        .unwrap_or_else(|| error.code().as_str())
        .to_owned();
    BucketError {
        bucket: bucket.to_owned(),
        reason,
    }
}
