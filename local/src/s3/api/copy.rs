//! Copying an object within the store.

use std::sync::Arc;

use http::{HeaderMap, header};
use s3s::{S3Result, dto::*, s3_error};

use super::{description::description_of, version::check_version};
use crate::s3::{
    checksum::{Algorithm, StoredChecksum, set_checksums},
    condition::{ReadCondition, WriteCondition, no_such_key, timestamp},
    error::disk_error,
    ingest::{self, BodyClaims, ReceivedBytes},
    notification::ObjectEvent,
    object_reader::{self, OpenObject},
    store::{
        Store, index,
        record::{ObjectDescription, ObjectDetails, ObjectHead, ObjectRecord},
    },
};

/// The condition members of CopyObject and UploadPartCopy.
macro_rules! source_conditions {
    ($input:expr) => {
        $crate::s3::condition::ReadCondition {
            if_match: $input.copy_source_if_match.take(),
            if_none_match: $input.copy_source_if_none_match.take(),
            if_modified_since: $input.copy_source_if_modified_since.take(),
            if_unmodified_since: $input.copy_source_if_unmodified_since.take(),
        }
    };
}
pub(super) use source_conditions;

/// Bucket and key that a copy reads from.
pub(super) fn copy_source(source: &CopySource) -> S3Result<(String, String)> {
    match source {
        CopySource::Bucket {
            bucket,
            key,
            version_id,
        } => {
            check_version(version_id.as_deref())?;
            Ok((bucket.to_string(), key.to_string()))
        }
        _ => Err(s3_error!(
            NotImplemented,
            "x-amz-copy-source takes only bucket/key here, no access point."
        )),
    }
}

/// The bytes of the copy, and what is known of them.
struct CopiedBytes {
    held: ReceivedBytes,
    etag: String,
    checksum: Option<StoredChecksum>,
}

pub(super) async fn copy(
    store: &Arc<Store>,
    mut input: CopyObjectInput,
    headers: &HeaderMap,
) -> S3Result<CopyObjectOutput> {
    let condition = write_condition(headers)?;
    let from = copy_source(&input.copy_source)?;
    let source_conditions: ReadCondition = source_conditions!(input);
    let found = object_reader::open(store, &from.0, &from.1)?.ok_or_else(no_such_key)?;
    source_conditions.check_source(&found.record.head)?;
    let description = description_of_copy(&mut input, &from, &found.record.details.description)?;
    let size = found.record.head.size;
    let copied = copy_bytes(
        store,
        found,
        Algorithm::from_request(input.checksum_algorithm.as_ref())?,
    )
    .await?;
    let mut result = CopyObjectResult {
        e_tag: Some(ETag::Strong(copied.etag.clone())),
        ..Default::default()
    };
    set_checksums!(result, copied.checksum.as_ref());
    let (bucket, key) = (input.bucket, input.key);
    let modified = store
        .write(move |changes| {
            index::bucket(&changes.buckets, &bucket)?;
            let existing = index::object(&changes.objects, &bucket, &key)?;
            condition.check(existing.as_ref().map(|existing| &existing.head))?;
            let (bytes, inline) = copied.held.place();
            let modified = changes.now.as_second();
            let head = ObjectHead {
                size,
                modified,
                etag: copied.etag,
            };
            let record = ObjectRecord {
                head,
                details: ObjectDetails {
                    bytes,
                    description,
                    checksum: copied.checksum,
                    upload: None,
                },
            };
            changes.put_object((&bucket, &key), &record, inline.as_deref(), ObjectEvent::Copy)?;
            Ok(modified)
        })
        .await?;
    result.last_modified = Some(timestamp(modified));
    Ok(CopyObjectOutput {
        copy_object_result: Some(result),
        ..Default::default()
    })
}

/// The protocol library's CopyObject predates conditional copies.
fn write_condition(headers: &HeaderMap) -> S3Result<WriteCondition> {
    let parse = |name| {
        let value = headers
            .get(name)
            .map(|value: &http::HeaderValue| ETagCondition::parse_http_header(value.as_bytes()));
        value
            .transpose()
            .map_err(|error| s3_error!(error, InvalidArgument, "A condition of the copy is no ETag."))
    };
    let condition = WriteCondition {
        if_match: parse(header::IF_MATCH)?,
        if_none_match: parse(header::IF_NONE_MATCH)?,
    };
    condition.check_form()?;
    Ok(condition)
}

/// The source's description, or the request's when it says REPLACE; tags likewise, on their own.
fn description_of_copy(
    input: &mut CopyObjectInput,
    from: &(String, String),
    source: &ObjectDescription,
) -> S3Result<ObjectDescription> {
    let replace = input
        .metadata_directive
        .as_ref()
        .is_some_and(|d| d.as_str() == MetadataDirective::REPLACE);
    let retag = input
        .tagging_directive
        .as_ref()
        .is_some_and(|d| d.as_str() == TaggingDirective::REPLACE);
    if !replace && !retag && *from == (input.bucket.clone(), input.key.clone()) {
        return Err(s3_error!(
            InvalidRequest,
            "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata."
        ));
    }
    let said = description_of!(input)?;
    let tags = if retag {
        said.tags.clone()
    } else {
        source.tags.clone()
    };
    let kept = if replace { said } else { source.clone() };
    Ok(ObjectDescription { tags, ..kept })
}

/// Small ones as they are, a single file by a second name. What came in parts becomes one file with the plain MD5
/// as its ETag, as on AWS.
async fn copy_bytes(
    store: &Arc<Store>,
    found: OpenObject,
    asked: Option<Algorithm>,
) -> S3Result<CopiedBytes> {
    let (etag, checksum) = (
        found.record.head.etag.clone(),
        found.record.details.checksum.clone(),
    );
    let same_checksum = asked.is_none() || asked == checksum.as_ref().map(|stored| stored.algorithm);
    if same_checksum && !etag.contains('-') {
        if let Some(bytes) = found.inline() {
            return Ok(CopiedBytes {
                held: ReceivedBytes::Memory(bytes.to_vec()),
                etag,
                checksum,
            });
        }
        if let [segment] = *found.segments() {
            let blobs = store.blobs.clone();
            let linked = tokio::task::spawn_blocking(move || blobs.duplicate(segment)).await;
            let linked = linked
                .map_err(std::io::Error::other)
                .and_then(|linked| linked)
                .map_err(disk_error)?;
            drop(found);
            return Ok(CopiedBytes {
                held: ReceivedBytes::Files(vec![linked]),
                etag,
                checksum,
            });
        }
    }
    let algorithm = asked.or(checksum.map(|stored| stored.algorithm));
    let size = found.record.head.size;
    let taken = ingest::receive(
        &store.blobs,
        found.stream(0..size).await?,
        BodyClaims::none(algorithm),
        false,
    )
    .await?;
    Ok(CopiedBytes {
        held: taken.held,
        etag: hex::encode(taken.md5),
        checksum: Some(taken.checksum),
    })
}
