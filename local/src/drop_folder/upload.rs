//! One file into the bucket: in one request, or in parts when it is large.

use std::error::Error;
use std::path::Path;

use aws_sdk_s3::Client;
use aws_sdk_s3::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::{ByteStream, Length};
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};

use super::open_file::open_scanned;
use super::scan::ScannedFile;

/// Larger files go up in parts.
const LARGE: u64 = 64 * 1024 * 1024;
/// A multipart upload has at most 10,000 parts: good for 640 GB.
const PART: u64 = 64 * 1024 * 1024;

pub(super) async fn file(
    s3: &Client,
    bucket: &str,
    folder: &Path,
    found: &ScannedFile,
) -> Result<(), String> {
    if found.stamp.size > LARGE {
        return in_parts(s3, bucket, folder, found).await;
    }
    let body = body(folder, found, 0, found.stamp.size).await?;
    let put = s3
        .put_object()
        .bucket(bucket)
        .key(&found.key)
        .content_type(content_type(&found.key))
        .body(body)
        .send()
        .await;
    put.map(drop).map_err(|error| explain(&error))
}

async fn in_parts(s3: &Client, bucket: &str, folder: &Path, found: &ScannedFile) -> Result<(), String> {
    let key = &found.key;
    let begun = s3
        .create_multipart_upload()
        .bucket(bucket)
        .key(key)
        .content_type(content_type(key))
        .send()
        .await;
    let begun = begun.map_err(|error| explain(&error))?;
    let id = begun.upload_id().unwrap_or_default();
    match send_parts(s3, bucket, folder, found, id).await {
        Ok(parts) => {
            let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
            let done = s3
                .complete_multipart_upload()
                .bucket(bucket)
                .key(key)
                .upload_id(id)
                .multipart_upload(parts);
            done.send().await.map(drop).map_err(|error| explain(&error))
        }
        Err(reason) => {
            // An open upload would keep its dataset from settling.
            if let Err(error) = s3
                .abort_multipart_upload()
                .bucket(bucket)
                .key(key)
                .upload_id(id)
                .send()
                .await
            {
                tracing::warn!(key, error = %DisplayErrorContext(error), "failed to abort an upload");
            }
            Err(reason)
        }
    }
}

/// By the name, as the AWS CLI does: a browser shows an SVG only if it is called one.
fn content_type(key: &str) -> String {
    mime_guess::from_path(key).first_or_octet_stream().to_string()
}

/// Without the request's id, so that a failure that stays has the same message each time and is logged once.
fn explain<E>(error: &SdkError<E>) -> String
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    match (error.code(), error.message()) {
        (Some(code), Some(message)) => format!("{message} ({code})"),
        _ => DisplayErrorContext(error).to_string(),
    }
}

/// A range of the file, which is still the one that was scanned.
async fn body(folder: &Path, found: &ScannedFile, offset: u64, length: u64) -> Result<ByteStream, String> {
    let (folder, found) = (folder.to_owned(), found.clone());
    let opened = tokio::task::spawn_blocking(move || open_scanned(&folder, &found)).await;
    let file = opened.map_err(|error| error.to_string())??;
    let body = ByteStream::read_from().file(file.into()).offset(offset);
    let body = body.length(Length::Exact(length)).build().await;
    body.map_err(|error| error.to_string())
}

async fn send_parts(
    s3: &Client,
    bucket: &str,
    folder: &Path,
    found: &ScannedFile,
    id: &str,
) -> Result<Vec<CompletedPart>, String> {
    let mut parts = Vec::new();
    let mut offset = 0;
    while offset < found.stamp.size {
        let length = PART.min(found.stamp.size - offset);
        let body = body(folder, found, offset, length).await?;
        let number = i32::try_from(parts.len() + 1).map_err(|error| error.to_string())?;
        let sent = s3
            .upload_part()
            .bucket(bucket)
            .key(&found.key)
            .upload_id(id)
            .part_number(number)
            .body(body)
            .send()
            .await;
        let sent = sent.map_err(|error| explain(&error))?;
        parts.push(
            CompletedPart::builder()
                .part_number(number)
                .set_e_tag(sent.e_tag)
                .build(),
        );
        offset += length;
    }
    Ok(parts)
}
