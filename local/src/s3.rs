//! S3 on one machine: the protocol by `s3s`, the storage our own.

mod api;
mod browser_policy;
mod checksum;
mod condition;
mod cors;
mod error;
mod gate;
mod ingest;
mod notification;
mod object_reader;
mod request_amendment;
mod response;
mod service;
mod store;

use std::{path::Path, sync::Arc};

use axum::Router;

use self::store::Store;

pub use crate::aws_auth::Credentials;
pub use cors::CorsRule;
pub use notification::{Notification, Notify, ObjectEvent};
pub use store::OpenError;

/// One store: buckets and objects below one folder of the disk.
#[derive(Clone)]
pub struct S3 {
    store: Arc<Store>,
}

/// Why a bucket could not be made or changed.
#[derive(Debug, thiserror::Error)]
#[error("bucket {bucket}: {reason}")]
pub struct BucketError {
    pub bucket: String,
    pub reason: String,
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
            .map_err(|error| bucket_error(bucket, &error))
    }

    /// Replaces the bucket's CORS configuration.
    pub async fn set_cors(&self, bucket: &str, rules: &[CorsRule]) -> Result<(), BucketError> {
        api::set_cors(&self.store, bucket, rules.to_vec())
            .await
            .map_err(|error| bucket_error(bucket, &error))
    }
}

fn bucket_error(bucket: &str, error: &s3s::S3Error) -> BucketError {
    let reason = error
        .message()
        .unwrap_or_else(|| error.code().as_str())
        .to_owned();
    BucketError {
        bucket: bucket.to_owned(),
        reason,
    }
}
