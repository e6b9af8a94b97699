//! What an admin's program does with the two buckets, and no function may: write into the input bucket, delete from
//! it, and move files of any size.

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use shared::port::{Bucket, ReplaceOutcome, StoreError};

use super::{Buckets, content_type, without_quotes};
use crate::failure::Failure;

/// What has to be so for a write to go through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteCondition<'a> {
    None,
    /// There is no such object.
    Absent,
    /// The object still has this ETag, without its quotes.
    Unchanged(&'a str),
}

impl Buckets {
    /// Writes the whole object, or nothing where the condition does not hold.
    pub async fn write(
        &self,
        bucket: Bucket,
        key: &str,
        body: impl Into<ByteStream>,
        condition: WriteCondition<'_>,
    ) -> Result<ReplaceOutcome, StoreError> {
        let call = self.client.get().await.put_object().bucket(self.name(bucket));
        let call = call.key(key).content_type(content_type(key));
        let call = match condition {
            WriteCondition::None => call,
            WriteCondition::Absent => call.if_none_match("*"),
            WriteCondition::Unchanged(etag) => call.if_match(format!("\"{etag}\"")),
        };
        match call.body(body.into()).send().await {
            Ok(output) => Ok(ReplaceOutcome::Done {
                etag: without_quotes(output.e_tag()),
            }),
            Err(error) => {
                let failure = Failure::of("PutObject", &error);
                match condition {
                    WriteCondition::Absent | WriteCondition::Unchanged(_) if is_conflict(&failure) => {
                        Ok(ReplaceOutcome::Changed)
                    }
                    _ => Err(failure.into_store_error(self.uri(bucket, key))),
                }
            }
        }
    }

    /// Deletes the object; it is no error if there is none.
    pub async fn delete(&self, bucket: Bucket, key: &str) -> Result<(), StoreError> {
        let call = self.client.get().await.delete_object().bucket(self.name(bucket));
        let deleted = call.key(key).send().await;
        let deleted = deleted
            .map_err(|error| Failure::of("DeleteObject", &error).into_store_error(self.uri(bucket, key)));
        deleted.map(|_| ())
    }

    /// The object's bytes as they arrive, or `None` where there is no such object.
    pub async fn stream(&self, bucket: Bucket, key: &str) -> Result<Option<ByteStream>, StoreError> {
        let call = self.client.get().await.get_object().bucket(self.name(bucket));
        match call.key(key).send().await {
            Ok(output) => Ok(Some(output.body)),
            Err(error) => {
                let failure = Failure::of("GetObject", &error);
                match failure.code() {
                    "NoSuchKey" => Ok(None),
                    _ => Err(failure.into_store_error(self.uri(bucket, key))),
                }
            }
        }
    }

    /// Begins to send a file into the input bucket in parts.
    pub async fn begin_upload(&self, key: &str) -> Result<Upload<'_>, StoreError> {
        let call = self.client.get().await.create_multipart_upload();
        let call = call.bucket(&self.input).key(key).content_type(content_type(key));
        let started = call.send().await;
        let started = started.map_err(|error| {
            Failure::of("CreateMultipartUpload", &error).into_store_error(self.uri(Bucket::Input, key))
        })?;
        Ok(Upload {
            buckets: self,
            key: key.to_owned(),
            id: started.upload_id.unwrap_or_default(),
            parts: Vec::new(),
        })
    }
}

/// The object is another one by now, or none; or two writers came at the same moment.
fn is_conflict(failure: &Failure) -> bool {
    failure.status() == Some(412) || matches!(failure.code(), "NoSuchKey" | "ConditionalRequestConflict")
}

/// A file on its way into the input bucket. Nothing of it can be seen before it is completed.
#[derive(Debug)]
pub struct Upload<'a> {
    buckets: &'a Buckets,
    key: String,
    id: String,
    parts: Vec<CompletedPart>,
}

impl Upload<'_> {
    /// Sends the next part. S3 takes 10,000 parts of at least 5 MiB; only the last may be smaller.
    pub async fn add_part(&mut self, bytes: impl Into<ByteStream>) -> Result<(), StoreError> {
        let number = i32::try_from(self.parts.len() + 1).unwrap_or(i32::MAX);
        let call = self.buckets.client.get().await.upload_part();
        let call = call.bucket(&self.buckets.input).key(&self.key);
        let call = call.upload_id(&self.id).part_number(number).body(bytes.into());
        let sent = call
            .send()
            .await
            .map_err(|error| self.upload_error("UploadPart", &error))?;
        let part = CompletedPart::builder().part_number(number);
        self.parts.push(part.set_e_tag(sent.e_tag).build());
        Ok(())
    }

    pub async fn complete(&mut self) -> Result<(), StoreError> {
        let parts = CompletedMultipartUpload::builder().set_parts(Some(self.parts.clone()));
        let call = self.buckets.client.get().await.complete_multipart_upload();
        let call = call.bucket(&self.buckets.input).key(&self.key);
        let completed = call
            .upload_id(&self.id)
            .multipart_upload(parts.build())
            .send()
            .await;
        let completed = completed.map_err(|error| self.upload_error("CompleteMultipartUpload", &error));
        completed.map(|_| ())
    }

    /// An upload left open would hold back its dataset's batches, and cost storage.
    pub async fn abort(&self) -> Result<(), StoreError> {
        let call = self.buckets.client.get().await.abort_multipart_upload();
        let call = call.bucket(&self.buckets.input).key(&self.key);
        let aborted = call.upload_id(&self.id).send().await;
        let aborted = aborted.map_err(|error| self.upload_error("AbortMultipartUpload", &error));
        aborted.map(|_| ())
    }

    fn upload_error<E>(&self, operation: &'static str, error: &SdkError<E, HttpResponse>) -> StoreError
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let uri = self.buckets.uri(Bucket::Input, &self.key);
        Failure::of(operation, error).into_store_error(uri)
    }
}
