//! The object store on S3.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;

use super::address::Address;
use super::objects::{ListedObject, ObjectStore, StoreError, StoredObject, WriteCondition};

/// How long a worker's browser may fetch an object; longer than it takes to open a page, shorter than a working day.
const PRESIGNED: Duration = Duration::from_secs(3600);

/// The engine reads documents and a job's inputs, never items. The largest is a manifest: 100,000 lines of some hundred
/// bytes each, although a line may have 100,000 characters.
const MAX_READ: i64 = 512 * 1024 * 1024;

pub(crate) struct S3Store(pub(crate) Client);

#[async_trait]
impl ObjectStore for S3Store {
    async fn get(&self, at: &Address) -> Result<Option<StoredObject>, StoreError> {
        get(&self.0, at).await
    }

    async fn put(&self, at: &Address, body: Bytes, when: WriteCondition) -> Result<String, StoreError> {
        put(&self.0, at, body, when).await
    }

    async fn list(&self, bucket: &str, prefix: &str) -> Result<Vec<ListedObject>, StoreError> {
        list(&self.0, bucket, prefix).await
    }

    async fn delete(&self, at: &Address) -> Result<(), StoreError> {
        let request = self.0.delete_object().bucket(&at.bucket).key(&at.key);
        let sent = request.send().await;
        sent.map(drop).map_err(|error| explain(&error, at))
    }

    async fn presign(&self, at: &Address) -> Result<String, StoreError> {
        let config = PresigningConfig::expires_in(PRESIGNED);
        let config = config.map_err(|error| StoreError::Refused(error.to_string()))?;
        let request = self.0.get_object().bucket(&at.bucket).key(&at.key);
        let presigned = request.presigned(config).await;
        Ok(presigned.map_err(|error| explain(&error, at))?.uri().to_owned())
    }
}

async fn get(client: &Client, at: &Address) -> Result<Option<StoredObject>, StoreError> {
    let reply = match client.get_object().bucket(&at.bucket).key(&at.key).send().await {
        Ok(reply) => reply,
        Err(error) if error.code() == Some("NoSuchKey") => return Ok(None),
        Err(error) => return Err(explain(&error, at)),
    };
    refuse_oversize(reply.content_length, at)?;
    let etag = reply.e_tag.unwrap_or_default();
    let body = reply
        .body
        .collect()
        .await
        .map_err(|error| StoreError::Failed(format!("{at}: {error}")))?;
    Ok(Some(StoredObject {
        body: body.into_bytes(),
        etag,
    }))
}

async fn put(client: &Client, at: &Address, body: Bytes, when: WriteCondition) -> Result<String, StoreError> {
    let request = client
        .put_object()
        .bucket(&at.bucket)
        .key(&at.key)
        .body(ByteStream::from(body));
    let request = match when {
        WriteCondition::Always => request,
        WriteCondition::IfAbsent => request.if_none_match("*"),
        WriteCondition::IfMatch(etag) => request.if_match(etag),
    };
    let request = match at.key.ends_with(".json") {
        true => request.content_type("application/json"),
        false => request,
    };
    match request.send().await {
        Ok(reply) => Ok(reply.e_tag.unwrap_or_default()),
        Err(error) => Err(explain(&error, at)),
    }
}

async fn list(client: &Client, bucket: &str, prefix: &str) -> Result<Vec<ListedObject>, StoreError> {
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
                .map(|object| ListedObject {
                    key: object.key.unwrap_or_default(),
                    etag: object.e_tag.unwrap_or_default(),
                }),
        );
    }
    Ok(found)
}

/// A manifest's address may name a film by mistake. Reading it would end this process, and then the next one.
fn refuse_oversize(length: Option<i64>, at: &Address) -> Result<(), StoreError> {
    match length {
        Some(length) if length > MAX_READ => Err(StoreError::Refused(format!(
            "{at} has {length} bytes; the engine reads at most {MAX_READ}"
        ))),
        _ => Ok(()),
    }
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
        code if is_final(code, error.raw_response().map(|reply| reply.status().as_u16())) => {
            let said = error.message().or(code).unwrap_or("no reason given");
            StoreError::Refused(format!("{at} cannot be used: {said}"))
        }
        _ => StoreError::Failed(format!("{at}: {}", DisplayErrorContext(error))),
    }
}

/// Whether a retry would get the same reply. S3 refuses a request because of the object, unless the error is about time
/// or about the engine's own credentials, which an admin will fix.
fn is_final(code: Option<&str>, status: Option<u16>) -> bool {
    const RETRYABLE: [&str; 9] = [
        "ExpiredToken",
        "InvalidAccessKeyId",
        "InvalidToken",
        "OperationAborted",
        "RequestExpired",
        "RequestTimeout",
        "RequestTimeTooSkewed",
        "SignatureDoesNotMatch",
        "TokenRefreshRequired",
    ];
    let is_about_object =
        status.is_some_and(|status| matches!(status, 301 | 400..=499) && !matches!(status, 408 | 409 | 429));
    is_about_object && code.is_some_and(|code| !RETRYABLE.contains(&code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_final_refusal_of_s3_differs_from_one_to_retry() {
        for (code, status) in [
            ("InvalidBucketName", 400),
            ("KeyTooLongError", 400),
            ("InvalidObjectState", 403),
            ("MethodNotAllowed", 405),
            ("PermanentRedirect", 301),
        ] {
            assert!(is_final(Some(code), Some(status)), "{code}");
        }
        for (code, status) in [
            (Some("SlowDown"), Some(503)),
            (Some("InternalError"), Some(500)),
            (Some("RequestTimeout"), Some(400)),
            (Some("ExpiredToken"), Some(400)),
            (Some("SignatureDoesNotMatch"), Some(403)),
            (Some("TooManyRequests"), Some(429)),
            (None, Some(403)),
            (None, None),
        ] {
            assert!(!is_final(code, status), "{code:?}");
        }
    }

    #[test]
    fn an_object_of_absurd_size_is_refused_before_it_is_read() {
        let at = Address::new("in", "film.mp4");
        assert_eq!(refuse_oversize(Some(32 * 1024 * 1024), &at), Ok(()));
        let refused = refuse_oversize(Some(5_000_000_000), &at).unwrap_err();
        assert!(matches!(refused, StoreError::Refused(why) if why.contains("s3://in/film.mp4")));
    }
}
