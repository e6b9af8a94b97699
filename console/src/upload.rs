//! Files dropped into the page, on their way to the input bucket: where a path may lead, and streaming bodies of
//! any length with bounded memory.

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use axum::body::Body;
use bytes::{Bytes, BytesMut};
use futures::StreamExt as _;
use shared::name::{DatasetName, DatasetNameError};

use crate::reason::reason;

/// Bytes of a part, held in memory until S3 has it. S3 takes 10,000 parts of at least 5 MiB.
const PART: usize = 8 << 20;
/// Largest file taken here; S3's own clients take larger ones.
pub(crate) const MAX_FILE: u64 = 5 << 30;
/// S3's limit for a key, in bytes of UTF-8.
const MAX_KEY: usize = 1_024;

#[derive(Debug, thiserror::Error)]
pub(crate) enum PathError {
    #[error(transparent)]
    Dataset(#[from] DatasetNameError),
    #[error("the file has no name")]
    Empty,
    #[error("`{0}` has an empty part, `.` or `..` in its path: name every folder and the file")]
    Dots(String),
    #[error("`{0}` has a control character in its name: rename the file")]
    Control(String),
    #[error("the path is {0} bytes long with its dataset; S3 takes at most {MAX_KEY}: use shorter names")]
    TooLong(usize),
}

/// The key for a file of a dataset.
pub(crate) fn key(dataset: &str, path: &str) -> Result<String, PathError> {
    let dataset = DatasetName::new(dataset)?;
    if path.is_empty() {
        return Err(PathError::Empty);
    }
    if path.chars().any(char::is_control) {
        return Err(PathError::Control(path.escape_default().to_string()));
    }
    if path.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return Err(PathError::Dots(path.to_owned()));
    }
    let key = format!("{dataset}/{path}");
    if key.len() > MAX_KEY {
        Err(PathError::TooLong(key.len()))
    } else {
        Ok(key)
    }
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum UploadError {
    #[error("the connection broke before the file was complete: {0}")]
    Body(#[source] axum::Error),
    #[error("the file is larger than {} GiB: use an S3 client, such as aws s3 cp", MAX_FILE >> 30)]
    TooLarge,
    #[error("S3 did not take it: {0}")]
    S3(String),
}

/// Streams a body into an object; returns its bytes. Nothing is there to be seen before it is all there.
pub(crate) async fn store(s3: &Client, bucket: &str, key: &str, body: Body) -> Result<u64, UploadError> {
    let mut parts = Parts::new(body);
    let first = parts.next().await?.unwrap_or_default();
    if first.len() < PART {
        let put = s3
            .put_object()
            .bucket(bucket)
            .key(key)
            .content_length(first.len() as i64);
        let size = first.len() as u64;
        put.body(ByteStream::from(first))
            .send()
            .await
            .map_err(|error| refused(&error))?;
        return Ok(size);
    }
    let started = s3.create_multipart_upload().bucket(bucket).key(key).send().await;
    let started = started.map_err(|error| refused(&error))?;
    let upload = Multipart {
        s3,
        bucket,
        key,
        id: started.upload_id().unwrap_or_default(),
    };
    match upload.send(first, parts).await {
        Ok(size) => Ok(size),
        Err(error) => {
            upload.abort().await;
            Err(error)
        }
    }
}

/// A body cut into parts of [`PART`] bytes; the last one is shorter.
struct Parts {
    body: axum::body::BodyDataStream,
    rest: BytesMut,
    seen: u64,
}

impl Parts {
    fn new(body: Body) -> Self {
        Self {
            body: body.into_data_stream(),
            rest: BytesMut::new(),
            seen: 0,
        }
    }

    async fn next(&mut self) -> Result<Option<Bytes>, UploadError> {
        while self.rest.len() < PART {
            let Some(chunk) = self.body.next().await else {
                break;
            };
            let chunk = chunk.map_err(UploadError::Body)?;
            self.seen += chunk.len() as u64;
            if self.seen > MAX_FILE {
                return Err(UploadError::TooLarge);
            }
            self.rest.extend_from_slice(&chunk);
        }
        let length = self.rest.len().min(PART);
        Ok((length > 0).then(|| self.rest.split_to(length).freeze()))
    }
}

struct Multipart<'a> {
    s3: &'a Client,
    bucket: &'a str,
    key: &'a str,
    id: &'a str,
}

impl Multipart<'_> {
    async fn send(&self, first: Bytes, mut parts: Parts) -> Result<u64, UploadError> {
        let mut done = vec![self.part(1, first).await?];
        while let Some(part) = parts.next().await? {
            let number = i32::try_from(done.len() + 1).map_err(|_| UploadError::TooLarge)?;
            done.push(self.part(number, part).await?);
        }
        let all = CompletedMultipartUpload::builder().set_parts(Some(done)).build();
        let complete = self
            .s3
            .complete_multipart_upload()
            .bucket(self.bucket)
            .key(self.key);
        let complete = complete.upload_id(self.id).multipart_upload(all).send().await;
        complete.map_err(|error| refused(&error))?;
        Ok(parts.seen)
    }

    async fn part(&self, number: i32, bytes: Bytes) -> Result<CompletedPart, UploadError> {
        let request = self
            .s3
            .upload_part()
            .bucket(self.bucket)
            .key(self.key)
            .upload_id(self.id);
        let request = request.part_number(number).content_length(bytes.len() as i64);
        let sent = request
            .body(ByteStream::from(bytes))
            .send()
            .await
            .map_err(|error| refused(&error))?;
        Ok(CompletedPart::builder()
            .part_number(number)
            .set_e_tag(sent.e_tag)
            .build())
    }

    /// An upload left open would hold back its dataset's batches and cost storage.
    async fn abort(&self) {
        let abort = self
            .s3
            .abort_multipart_upload()
            .bucket(self.bucket)
            .key(self.key)
            .upload_id(self.id);
        if let Err(error) = abort.send().await {
            tracing::warn!(
                error = reason(&error),
                "an unfinished upload could not be taken back"
            );
        }
    }
}

fn refused(error: &(impl std::error::Error + 'static)) -> UploadError {
    UploadError::S3(reason(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_within_its_dataset() {
        assert_eq!(key("cats", "a b/кот.jpg").unwrap(), "cats/a b/кот.jpg");
        assert_eq!(key("cats", "labeling.yaml").unwrap(), "cats/labeling.yaml");
        for (dataset, path, part) in [
            ("teams", "x", "team files"),
            ("..", "x", "folder name"),
            ("a/b", "x", "folder name"),
            ("", "x", "needs a name"),
            ("cats", "", "no name"),
            ("cats", "../teams/x.yaml", ".."),
            ("cats", "a/./b", "empty part"),
            ("cats", "/etc/passwd", "empty part"),
            ("cats", "a//b", "empty part"),
            ("cats", "a/", "empty part"),
            ("cats", "a\nb", "control"),
            ("cats", "a\0b", "control"),
            ("cats", &"x".repeat(1_020), "1025 bytes"),
        ] {
            let error = key(dataset, path).unwrap_err().to_string();
            assert!(error.contains(part), "{dataset}/{path}: {error}");
        }
        assert_eq!(key("cats", &"x".repeat(1_019)).unwrap().len(), 1_024);
    }

    #[tokio::test]
    async fn a_body_is_cut_into_full_parts_and_a_rest() {
        let chunks = (0..6).map(|_| Ok::<_, std::io::Error>(Bytes::from(vec![7u8; 3 << 20])));
        let mut parts = Parts::new(Body::from_stream(futures::stream::iter(chunks)));
        let mut sizes = Vec::new();
        while let Some(part) = parts.next().await.unwrap() {
            sizes.push(part.len());
        }
        assert_eq!(sizes, [PART, PART, 2 << 20]);
        assert_eq!(parts.seen, 18 << 20);
    }
}
