//! The object store as S3 is.

use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;

use super::Address;
use super::objects::{Listed, Object, Objects, StoreError, When};

/// How long a worker's browser may fetch an object; longer than it takes to open a page, shorter than a working day.
const PRESIGNED: Duration = Duration::from_secs(3600);

pub(crate) struct S3(pub(crate) Client);

impl Objects for S3 {
    fn get<'a>(&'a self, at: &'a Address) -> BoxFuture<'a, Result<Option<Object>, StoreError>> {
        get(&self.0, at).boxed()
    }

    fn put<'a>(
        &'a self,
        at: &'a Address,
        body: Bytes,
        when: When,
    ) -> BoxFuture<'a, Result<String, StoreError>> {
        put(&self.0, at, body, when).boxed()
    }

    fn list<'a>(
        &'a self,
        bucket: &'a str,
        prefix: &'a str,
    ) -> BoxFuture<'a, Result<Vec<Listed>, StoreError>> {
        list(&self.0, bucket, prefix).boxed()
    }

    fn delete<'a>(&'a self, at: &'a Address) -> BoxFuture<'a, Result<(), StoreError>> {
        async move {
            let sent = self
                .0
                .delete_object()
                .bucket(&at.bucket)
                .key(&at.key)
                .send()
                .await;
            sent.map(drop).map_err(|error| explain(&error, at))
        }
        .boxed()
    }

    fn presign<'a>(&'a self, at: &'a Address) -> BoxFuture<'a, Result<String, StoreError>> {
        async move {
            let config =
                PresigningConfig::expires_in(PRESIGNED).map_err(|e| StoreError::Refused(e.to_string()))?;
            let request = self
                .0
                .get_object()
                .bucket(&at.bucket)
                .key(&at.key)
                .presigned(config)
                .await;
            Ok(request.map_err(|error| explain(&error, at))?.uri().to_owned())
        }
        .boxed()
    }
}

async fn get(client: &Client, at: &Address) -> Result<Option<Object>, StoreError> {
    let answer = match client.get_object().bucket(&at.bucket).key(&at.key).send().await {
        Ok(answer) => answer,
        Err(error) if error.code() == Some("NoSuchKey") => return Ok(None),
        Err(error) => return Err(explain(&error, at)),
    };
    let etag = answer.e_tag.unwrap_or_default();
    let body = answer
        .body
        .collect()
        .await
        .map_err(|error| StoreError::Failed(format!("{at}: {error}")))?;
    Ok(Some(Object {
        body: body.into_bytes(),
        etag,
    }))
}

async fn put(client: &Client, at: &Address, body: Bytes, when: When) -> Result<String, StoreError> {
    let request = client
        .put_object()
        .bucket(&at.bucket)
        .key(&at.key)
        .body(ByteStream::from(body));
    let request = match when {
        When::Always => request,
        When::Absent => request.if_none_match("*"),
        When::Unchanged(etag) => request.if_match(etag),
    };
    let request = match at.key.ends_with(".json") {
        true => request.content_type("application/json"),
        false => request,
    };
    match request.send().await {
        Ok(answer) => Ok(answer.e_tag.unwrap_or_default()),
        Err(error) => Err(explain(&error, at)),
    }
}

async fn list(client: &Client, bucket: &str, prefix: &str) -> Result<Vec<Listed>, StoreError> {
    let mut pages = client
        .list_objects_v2()
        .bucket(bucket)
        .prefix(prefix)
        .into_paginator()
        .send();
    let mut found = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| explain(&error, &Address::new(bucket, prefix)))?;
        found.extend(
            page.contents
                .unwrap_or_default()
                .into_iter()
                .map(|object| Listed {
                    key: object.key.unwrap_or_default(),
                    etag: object.e_tag.unwrap_or_default(),
                }),
        );
    }
    Ok(found)
}

/// S3 says 412 when a condition fails, 409 when two conditional writes met, and 404 when `If-Match` finds nothing.
fn explain<E>(error: &SdkError<E>, at: &Address) -> StoreError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    SdkError<E>: ProvideErrorMetadata,
{
    match error.code() {
        Some("PreconditionFailed" | "ConditionalRequestConflict" | "NoSuchKey") => StoreError::Changed,
        Some("NoSuchBucket") => StoreError::Refused(format!("there is no bucket {:?}", at.bucket)),
        Some("AccessDenied") => StoreError::Refused(format!("access to {at} is denied")),
        _ => StoreError::Failed(format!("{at}: {}", DisplayErrorContext(error))),
    }
}
