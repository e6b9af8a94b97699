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

/// The engine reads documents and a job's inputs, never items. The largest is a manifest: 100,000 lines, which are of some
/// hundred bytes, though each may be of 100,000 characters.
const MAX_READ: i64 = 512 * 1024 * 1024;

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
    refuse_oversize(answer.content_length, at)?;
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

/// A manifest's address may be that of a film by mistake: reading it would end the process, and the next one too.
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
        code if is_final(code, error.raw_response().map(|answer| answer.status().as_u16())) => {
            let said = error.message().or(code).unwrap_or("no reason given");
            StoreError::Refused(format!("{at} cannot be used: {said}"))
        }
        _ => StoreError::Failed(format!("{at}: {}", DisplayErrorContext(error))),
    }
}

/// Whether the same request will get the same answer: what S3 says no to is about the object, unless it is about time or
/// about who is asking (the engine's own credentials, which somebody will mend).
fn is_final(code: Option<&str>, status: Option<u16>) -> bool {
    const PASSING: [&str; 9] = [
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
    is_about_object && code.is_some_and(|code| !PASSING.contains(&code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_s3_refuses_for_good_is_told_from_what_may_pass() {
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
