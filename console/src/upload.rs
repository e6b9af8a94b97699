//! Files dropped onto the page, on their way to the input bucket: which key a path becomes, and streaming a body of any
//! length with bounded memory.

use aws::s3::Buckets;
use aws::s3::admin::WriteCondition;
use axum::body::Body;
use bytes::{Bytes, BytesMut};
use futures::StreamExt as _;
use shared::name::{DatasetName, DatasetNameError};
use shared::port::{Bucket, StoreError};

/// Bytes of a part, held in memory until S3 has it.
const PART_BYTES: usize = 8 << 20;
/// S3's own clients send larger ones.
const MAX_FILE_BYTES: u64 = 5 << 30;
/// S3's limit for a key, in bytes of UTF-8.
const MAX_KEY_BYTES: usize = 1_024;

#[derive(Debug, thiserror::Error)]
pub(crate) enum PathError {
    #[error(transparent)]
    Dataset(#[from] DatasetNameError),
    #[error("the file has no name")]
    NoFileName,
    #[error("`{0}` has an empty part, `.` or `..` in its path: name every folder and the file")]
    EmptyOrDotPart(String),
    #[error("`{0}` has a control character in its name: rename the file")]
    ControlCharacter(String),
    #[error(
        "the path is {0} bytes long with its dataset; S3 takes at most {MAX_KEY_BYTES}: use shorter names"
    )]
    TooLong(usize),
}

/// The key for a file of a dataset.
pub(crate) fn upload_key(dataset: &str, path: &str) -> Result<String, PathError> {
    let dataset = DatasetName::new(dataset)?;
    if path.is_empty() {
        return Err(PathError::NoFileName);
    }
    if path.chars().any(char::is_control) {
        return Err(PathError::ControlCharacter(path.escape_default().to_string()));
    }
    if path.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return Err(PathError::EmptyOrDotPart(path.to_owned()));
    }
    let key = format!("{dataset}/{path}");
    if key.len() > MAX_KEY_BYTES {
        Err(PathError::TooLong(key.len()))
    } else {
        Ok(key)
    }
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum UploadError {
    #[error("the connection broke before the file was complete: {0}")]
    Body(#[source] axum::Error),
    #[error("the file is larger than {} GiB: use an S3 client, such as aws s3 cp", MAX_FILE_BYTES >> 30)]
    TooLarge,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Streams a body into an object of the input bucket; returns its size. Nothing of it can be seen before it is
/// complete.
pub(crate) async fn store(store: &Buckets, key: &str, body: Body) -> Result<u64, UploadError> {
    let mut parts = BodyParts::new(body);
    let first = parts.next().await?.unwrap_or_default();
    if first.len() < PART_BYTES {
        let size = first.len() as u64;
        store
            .write(Bucket::Input, key, first, WriteCondition::None)
            .await?;
        return Ok(size);
    }
    let mut upload = store.begin_upload(key).await?;
    let sent = async {
        upload.add_part(first).await?;
        while let Some(part) = parts.next().await? {
            upload.add_part(part).await?;
        }
        Ok::<_, UploadError>(upload.complete().await?)
    };
    if let Err(error) = sent.await {
        if let Err(error) = upload.abort().await {
            tracing::warn!(%error, "failed to abort an unfinished upload");
        }
        return Err(error);
    }
    Ok(parts.received)
}

/// A body cut into parts of [`PART_BYTES`]; the last one is shorter.
struct BodyParts {
    body: axum::body::BodyDataStream,
    buffer: BytesMut,
    received: u64,
}

impl BodyParts {
    fn new(body: Body) -> Self {
        Self {
            body: body.into_data_stream(),
            buffer: BytesMut::new(),
            received: 0,
        }
    }

    async fn next(&mut self) -> Result<Option<Bytes>, UploadError> {
        while self.buffer.len() < PART_BYTES {
            let Some(chunk) = self.body.next().await else {
                break;
            };
            let chunk = chunk.map_err(UploadError::Body)?;
            self.received += chunk.len() as u64;
            if self.received > MAX_FILE_BYTES {
                return Err(UploadError::TooLarge);
            }
            self.buffer.extend_from_slice(&chunk);
        }
        let length = self.buffer.len().min(PART_BYTES);
        Ok((length > 0).then(|| self.buffer.split_to(length).freeze()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_within_its_dataset() {
        assert_eq!(upload_key("cats", "a b/кот.jpg").unwrap(), "cats/a b/кот.jpg");
        assert_eq!(upload_key("cats", "labeling.yaml").unwrap(), "cats/labeling.yaml");
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
            let error = upload_key(dataset, path).unwrap_err().to_string();
            assert!(error.contains(part), "{dataset}/{path}: {error}");
        }
        assert_eq!(upload_key("cats", &"x".repeat(1_019)).unwrap().len(), 1_024);
    }

    #[tokio::test]
    async fn a_body_is_cut_into_full_parts_and_a_rest() {
        let chunks = (0..6).map(|_| Ok::<_, std::io::Error>(Bytes::from(vec![7u8; 3 << 20])));
        let mut parts = BodyParts::new(Body::from_stream(futures::stream::iter(chunks)));
        let mut sizes = Vec::new();
        while let Some(part) = parts.next().await.unwrap() {
            sizes.push(part.len());
        }
        assert_eq!(sizes, [PART_BYTES, PART_BYTES, 2 << 20]);
        assert_eq!(parts.received, 18 << 20);
    }
}
