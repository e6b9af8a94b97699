//! The stack's two buckets, through the AWS SDK.

use std::collections::BTreeMap;
use std::ops::Range;

use aws_config::SdkConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
use aws_sdk_s3::primitives::{ByteStream, DateTime};
use aws_sdk_s3::types::EncodingType;
use jiff::Timestamp;
use shared::port::{
    Bucket, CreateOutcome, Object, OpenUpload, Page, ReplaceOutcome, Store, StoreError, StoredObject,
};

use crate::failure::Failure;
use crate::lazy_client::LazyClient;
use crate::sdk::Sdk;

pub mod admin;
mod date;
#[cfg(test)]
mod skewed_clock;

/// [`Store`] over S3.
#[derive(Debug)]
pub struct Buckets {
    pub input: String,
    pub output: String,
    client: LazyClient<Client>,
}

impl Buckets {
    pub fn new(input: String, output: String, env: &dyn Fn(&str) -> Option<String>, sdk: Sdk) -> Self {
        let is_aws = env("AWS_ENDPOINT_URL_S3")
            .or_else(|| env("AWS_ENDPOINT_URL"))
            .is_none();
        let make = if is_aws { client } else { path_style_client };
        Self {
            input,
            output,
            client: LazyClient::new(sdk, make),
        }
    }

    fn name(&self, bucket: Bucket) -> &str {
        match bucket {
            Bucket::Input => &self.input,
            Bucket::Output => &self.output,
        }
    }

    fn uri(&self, bucket: Bucket, key: &str) -> String {
        format!("s3://{}/{key}", self.name(bucket))
    }

    async fn get_object(
        &self,
        bucket: &str,
        key: &str,
        range: Option<Range<u64>>,
    ) -> Result<GetResult, StoreError> {
        let range = range.map(|r| format!("bytes={}-{}", r.start, r.end.saturating_sub(1)));
        let what = || format!("s3://{bucket}/{key}");
        let request = self
            .client
            .get()
            .await
            .get_object()
            .bucket(bucket)
            .key(key)
            .set_range(range);
        let output = match request.send().await {
            Ok(output) => output,
            Err(error) => {
                let failure = Failure::of("GetObject", &error);
                return match (failure.code(), failure.status()) {
                    ("NoSuchKey", _) => Ok(GetResult::Object(None)),
                    (_, Some(416)) => Ok(GetResult::EmptyRange),
                    _ => Err(failure.into_store_error(what())),
                };
            }
        };
        let object = read_object(output)
            .await
            .map_err(|reason| StoreError::Transient {
                operation: "GetObject",
                what: what(),
                reason,
            })?;
        Ok(GetResult::Object(Some(object)))
    }

    /// A range that starts at or beyond the end is refused with 416; the port gives what there is: nothing.
    async fn head_object(&self, bucket: Bucket, key: &str) -> Result<Option<StoredObject>, StoreError> {
        let head = self
            .client
            .get()
            .await
            .head_object()
            .bucket(self.name(bucket))
            .key(key)
            .send()
            .await;
        let head = match head {
            Ok(head) => head,
            Err(error) => {
                let failure = Failure::of("HeadObject", &error);
                return match failure.status() {
                    Some(404) => Ok(None),
                    _ => Err(failure.into_store_error(self.uri(bucket, key))),
                };
            }
        };
        Ok(Some(StoredObject {
            bytes: Vec::new(),
            etag: without_quotes(head.e_tag()),
            size: size(head.content_length()),
            last_modified: timestamp(head.last_modified()),
            metadata: head.metadata.unwrap_or_default().into_iter().collect(),
        }))
    }

    async fn put(
        &self,
        key: &str,
        body: Vec<u8>,
        metadata: Option<&BTreeMap<String, String>>,
        etag: Option<&str>,
    ) -> Result<PutResult, StoreError> {
        let request = self
            .client
            .get()
            .await
            .put_object()
            .bucket(&self.output)
            .key(key)
            .content_type(content_type(key));
        let request = request.set_metadata(metadata.map(|m| m.clone().into_iter().collect()));
        let request = match etag {
            Some(etag) => request.if_match(format!("\"{etag}\"")),
            None => request.if_none_match("*"),
        };
        match request.body(ByteStream::from(body)).send().await {
            Ok(output) => Ok(PutResult::Done(without_quotes(output.e_tag()))),
            Err(error) => {
                let failure = Failure::of("PutObject", &error);
                match (failure.status(), failure.code()) {
                    (Some(412), _) => Ok(PutResult::Conflict),
                    // If-Match on a key that is not there any more.
                    (_, "NoSuchKey") if etag.is_some() => Ok(PutResult::Conflict),
                    _ => Err(failure.into_store_error(self.uri(Bucket::Output, key))),
                }
            }
        }
    }
}

/// What GetObject gave.
enum GetResult {
    Object(Option<StoredObject>),
    EmptyRange,
}

/// What PutObject with a condition gave.
enum PutResult {
    /// With the ETag.
    Done(String),
    Conflict,
}

impl Store for Buckets {
    /// Keys are asked for URL-encoded: XML 1.0 cannot hold the control characters that a key may have.
    async fn open_uploads(&self, prefix: &str) -> Result<Vec<OpenUpload>, StoreError> {
        let mut uploads = Vec::new();
        let (mut key_marker, mut id_marker) = (None, None);
        loop {
            let request = self
                .client
                .get()
                .await
                .list_multipart_uploads()
                .bucket(&self.input)
                .prefix(prefix);
            let request = request.encoding_type(EncodingType::Url);
            let request = request.set_key_marker(key_marker).set_upload_id_marker(id_marker);
            let page = request.send().await;
            let page = page.map_err(|error| {
                Failure::of("ListMultipartUploads", &error).into_store_error(self.uri(Bucket::Input, prefix))
            })?;
            let encoded = page.encoding_type() == Some(&EncodingType::Url);
            uploads.extend(page.uploads().iter().map(|upload| OpenUpload {
                key: key(upload.key(), encoded),
                initiated: timestamp(upload.initiated()),
            }));
            if page.is_truncated() != Some(true) {
                return Ok(uploads);
            }
            key_marker = page.next_key_marker().map(|marker| key(Some(marker), encoded));
            id_marker = page.next_upload_id_marker;
        }
    }

    async fn list(
        &self,
        bucket: Bucket,
        prefix: &str,
        folders: bool,
        token: Option<&str>,
    ) -> Result<Page, StoreError> {
        let date = date::DateHeader::default();
        let request = self
            .client
            .get()
            .await
            .list_objects_v2()
            .bucket(self.name(bucket))
            .prefix(prefix);
        let request = request
            .encoding_type(EncodingType::Url)
            .set_delimiter(folders.then(|| "/".to_owned()));
        let request = request.set_continuation_token(token.map(str::to_owned));
        let output = request.customize().interceptor(date.clone()).send().await;
        let output = output.map_err(|error| {
            Failure::of("ListObjectsV2", &error).into_store_error(self.uri(bucket, prefix))
        })?;
        let date = date.get().ok_or_else(|| StoreError::Transient {
            operation: "ListObjectsV2",
            what: self.uri(bucket, prefix),
            reason: "the response has no Date header that could be read".to_owned(),
        })?;
        Ok(page(output, date))
    }

    async fn get(
        &self,
        bucket: Bucket,
        key: &str,
        range: Option<Range<u64>>,
    ) -> Result<Option<StoredObject>, StoreError> {
        match self.get_object(self.name(bucket), key, range).await? {
            GetResult::Object(object) => Ok(object),
            GetResult::EmptyRange => self.head_object(bucket, key).await,
        }
    }

    async fn get_linked(
        &self,
        bucket: &str,
        key: &str,
        range: Range<u64>,
    ) -> Result<Option<StoredObject>, StoreError> {
        match self.get_object(bucket, key, Some(range)).await? {
            GetResult::Object(object) => Ok(object),
            // Nothing but an empty object has no first byte.
            GetResult::EmptyRange => Ok(Some(StoredObject {
                bytes: Vec::new(),
                etag: String::new(),
                size: 0,
                last_modified: Timestamp::UNIX_EPOCH,
                metadata: BTreeMap::new(),
            })),
        }
    }

    async fn create(
        &self,
        key: &str,
        body: Vec<u8>,
        metadata: &BTreeMap<String, String>,
    ) -> Result<CreateOutcome, StoreError> {
        match self.put(key, body, Some(metadata), None).await? {
            PutResult::Done(_) => Ok(CreateOutcome::New),
            PutResult::Conflict => Ok(CreateOutcome::AlreadyThere),
        }
    }

    async fn replace(
        &self,
        key: &str,
        body: Vec<u8>,
        etag: Option<&str>,
    ) -> Result<ReplaceOutcome, StoreError> {
        match self.put(key, body, None, etag).await? {
            PutResult::Done(etag) => Ok(ReplaceOutcome::Done { etag }),
            PutResult::Conflict => Ok(ReplaceOutcome::Changed),
        }
    }
}

fn client(config: &SdkConfig) -> Client {
    match config.endpoint_url() {
        Some(_) => path_style_client(config),
        None => Client::new(config),
    }
}

/// At an endpoint that is not AWS's, a bucket is a path and not a host name.
fn path_style_client(config: &SdkConfig) -> Client {
    let config = aws_sdk_s3::config::Builder::from(config).force_path_style(true);
    Client::from_conf(config.build())
}

fn page(output: ListObjectsV2Output, date: Timestamp) -> Page {
    let encoded = output.encoding_type() == Some(&EncodingType::Url);
    let objects = output.contents().iter().map(|object| Object {
        key: key(object.key(), encoded),
        etag: without_quotes(object.e_tag()),
        size: size(object.size()),
        last_modified: timestamp(object.last_modified()),
    });
    let folders = output
        .common_prefixes()
        .iter()
        .map(|folder| key(folder.prefix(), encoded));
    Page {
        objects: objects.collect(),
        folders: folders.collect(),
        next: output.next_continuation_token,
        date,
    }
}

async fn read_object(output: GetObjectOutput) -> Result<StoredObject, String> {
    // `bytes 0-99/1234`: the size of the whole object is behind the slash.
    let whole = output
        .content_range()
        .and_then(|range| range.rsplit_once('/')?.1.parse().ok());
    let size = whole.unwrap_or_else(|| size(output.content_length()));
    let (etag, last_modified) = (without_quotes(output.e_tag()), timestamp(output.last_modified()));
    let metadata = output.metadata.unwrap_or_default().into_iter().collect();
    let length = usize::try_from(output.content_length.unwrap_or_default()).unwrap_or_default();
    let bytes = in_one_buffer(output.body, length).await?;
    Ok(StoredObject {
        bytes,
        etag,
        size,
        last_modified,
        metadata,
    })
}

/// One buffer of the length announced: `collect().to_vec()` holds the bytes twice and copies them one by one. A longer
/// announcement than a function reads at once is not believed.
async fn in_one_buffer(mut body: ByteStream, length: usize) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::with_capacity(length.min(64 << 20));
    while let Some(part) = body.try_next().await.map_err(|error| error.to_string())? {
        bytes.extend_from_slice(&part);
    }
    Ok(bytes)
}

fn key(text: Option<&str>, encoded: bool) -> String {
    let text = text.unwrap_or_default();
    if encoded {
        shared::key::decode(text)
    } else {
        text.to_owned()
    }
}

fn without_quotes(etag: Option<&str>) -> String {
    etag.unwrap_or_default().trim_matches('"').to_owned()
}

fn size(bytes: Option<i64>) -> u64 {
    bytes
        .and_then(|bytes| u64::try_from(bytes).ok())
        .unwrap_or_default()
}

fn timestamp(time: Option<&DateTime>) -> Timestamp {
    time.and_then(|t| Timestamp::from_second(t.secs()).ok())
        .unwrap_or(Timestamp::UNIX_EPOCH)
}

fn content_type(key: &str) -> &'static str {
    match key.rsplit_once('.').map(|(_, extension)| extension) {
        Some("json") => "application/json",
        Some("manifest" | "jsonl") => "application/jsonl",
        Some("md") => "text/markdown; charset=utf-8",
        Some("html") => "text/html; charset=utf-8",
        Some("csv") => "text/csv; charset=utf-8",
        Some("yaml") => "application/yaml",
        // What an admin uploads and a worker sees in instructions: a browser shows an SVG only if it is called one.
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("gif") => "image/gif",
        Some("webp") => "image/webp",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
