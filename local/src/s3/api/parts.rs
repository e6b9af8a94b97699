//! The parts of a multipart upload.

use std::{ops::Range as Bytes, sync::Arc};

use s3s::{S3Result, TrailingHeaders, dto::*, s3_error};

use super::{
    buckets::{initiator, owner},
    copy::{copy_source, source_conditions},
};
use crate::s3::{
    checksum::{Algorithm, checksums_of, set_checksums},
    condition::{no_such_key, timestamp},
    ingest::{self, BodyClaims, ReceivedBody},
    object_reader,
    store::{
        Store, index,
        record::{PartRecord, UploadRecord},
    },
};

const MOST_PARTS: i32 = 10_000;
const PAGE: i32 = 1000;

/// Which part of which upload.
struct PartPlace {
    bucket: String,
    key: String,
    upload: String,
    number: u32,
}

impl PartPlace {
    fn new(bucket: String, key: String, upload: String, number: i32) -> S3Result<PartPlace> {
        match u32::try_from(number) {
            Ok(number) if (1..=MOST_PARTS.unsigned_abs()).contains(&number) => Ok(PartPlace {
                bucket,
                key,
                upload,
                number,
            }),
            _ => Err(s3_error!(
                InvalidArgument,
                "Part number must be an integer between 1 and {MOST_PARTS}, inclusive"
            )),
        }
    }

    fn upload(&self, store: &Store) -> S3Result<UploadRecord> {
        let snapshot = store.snapshot()?;
        index::bucket(&snapshot.buckets, &self.bucket)?;
        index::upload(&snapshot.uploads, &self.bucket, &self.key, &self.upload)
    }

    /// Stores the part unless the upload was completed or aborted meanwhile; the time it was stored at.
    async fn store(self, store: &Store, taken: ReceivedBody) -> S3Result<i64> {
        store
            .write(move |changes| {
                index::upload(&changes.uploads, &self.bucket, &self.key, &self.upload)?;
                let segment = taken
                    .held
                    .file()
                    .ok_or_else(|| s3_error!(InternalError, "A part is in no file."))?;
                let (etag, modified) = (hex::encode(taken.md5), changes.now.as_second());
                let record = PartRecord {
                    segment,
                    etag,
                    modified,
                    checksum: taken.checksum,
                    client_checksum: taken.client_checksum,
                };
                changes.put_part(&self.upload, self.number, &record)?;
                Ok(modified)
            })
            .await
    }
}

pub(super) async fn upload(
    store: &Arc<Store>,
    mut input: UploadPartInput,
    trailers: Option<TrailingHeaders>,
    announced: Vec<String>,
) -> S3Result<UploadPartOutput> {
    let place = PartPlace::new(input.bucket, input.key, input.upload_id, input.part_number)?;
    let upload = place.upload(store)?;
    let claims = BodyClaims {
        length: input.content_length,
        md5: input.content_md5.take(),
        checksum: checksums_of!(input),
        algorithm: Algorithm::from_request(input.checksum_algorithm.as_ref())?,
        keep: Some(upload.plan.algorithm),
        trailers,
        announced,
    };
    let body = input.body.take().unwrap_or_else(|| s3s::Body::empty().into());
    let taken = ingest::receive(&store.blobs, body, claims, true).await?;
    if upload.plan.is_requested && taken.client_checksum.algorithm != upload.plan.algorithm {
        let (expected, actual) = (
            upload.plan.algorithm.name(),
            taken.client_checksum.algorithm.name(),
        );
        return Err(s3_error!(
            InvalidRequest,
            "Checksum Type mismatch occurred, expected checksum Type: {expected}, actual checksum Type: {actual}"
        ));
    }
    let mut output = UploadPartOutput {
        e_tag: Some(ETag::Strong(hex::encode(taken.md5))),
        ..Default::default()
    };
    set_checksums!(output, Some(&taken.client_checksum));
    place.store(store, taken).await?;
    Ok(output)
}

pub(super) async fn copy(
    store: &Arc<Store>,
    mut input: UploadPartCopyInput,
) -> S3Result<UploadPartCopyOutput> {
    let conditions = source_conditions!(input);
    let from = copy_source(&input.copy_source)?;
    let place = PartPlace::new(input.bucket, input.key, input.upload_id, input.part_number)?;
    let upload = place.upload(store)?;
    let found = object_reader::open(store, &from.0, &from.1)?.ok_or_else(no_such_key)?;
    conditions.check_source(&found.record.head)?;
    let range = source_range(input.copy_source_range.as_deref(), found.record.head.size)?;
    let claims = BodyClaims::none(Some(upload.plan.algorithm));
    let taken = ingest::receive(&store.blobs, found.stream(range).await?, claims, true).await?;
    let mut result = CopyPartResult {
        e_tag: Some(ETag::Strong(hex::encode(taken.md5))),
        ..Default::default()
    };
    set_checksums!(result, Some(&taken.checksum));
    result.last_modified = Some(timestamp(place.store(store, taken).await?));
    Ok(UploadPartCopyOutput {
        copy_part_result: Some(result),
        ..Default::default()
    })
}

/// `bytes=first-last`, both given, both within the source.
fn source_range(range: Option<&str>, size: u64) -> S3Result<Bytes<u64>> {
    let Some(text) = range else { return Ok(0..size) };
    let malformed = || {
        s3_error!(
            InvalidArgument,
            "x-amz-copy-source-range must be bytes=first-last within the source of {size} bytes."
        )
    };
    match Range::parse(text).map_err(|_| malformed())? {
        Range::Int {
            first,
            last: Some(last),
        } if last < size => Ok(first..last + 1),
        _ => Err(malformed()),
    }
}

pub(super) fn list(store: &Store, input: ListPartsInput) -> S3Result<ListPartsOutput> {
    let snapshot = store.snapshot()?;
    index::bucket(&snapshot.buckets, &input.bucket)?;
    let upload = index::upload(&snapshot.uploads, &input.bucket, &input.key, &input.upload_id)?;
    let after = input.part_number_marker.unwrap_or_default();
    let most = input.max_parts.unwrap_or(PAGE).clamp(0, PAGE);
    let mut parts = index::parts(&snapshot.parts, &input.upload_id)?;
    parts.retain(|(number, _)| i64::from(*number) > i64::from(after));
    let most_parts = usize::try_from(most).unwrap_or_default();
    let more = parts.len() > most_parts;
    parts.truncate(most_parts);
    let last = parts.last().and_then(|(number, _)| i32::try_from(*number).ok());
    Ok(ListPartsOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(input.upload_id),
        checksum_algorithm: Some(ChecksumAlgorithm::from_static(upload.plan.algorithm.name())),
        checksum_type: Some(upload.plan.kind.to_dto()),
        initiator: Some(initiator()),
        owner: Some(owner()),
        is_truncated: Some(more),
        max_parts: Some(most),
        part_number_marker: Some(after),
        next_part_number_marker: last,
        parts: Some(parts.into_iter().map(part_entry).collect()),
        storage_class: Some(StorageClass::from_static(StorageClass::STANDARD)),
        ..Default::default()
    })
}

fn part_entry((number, record): (u32, PartRecord)) -> Part {
    let mut part = Part {
        part_number: i32::try_from(number).ok(),
        e_tag: Some(ETag::Strong(record.etag)),
        last_modified: Some(timestamp(record.modified)),
        size: i64::try_from(record.segment.size).ok(),
        ..Default::default()
    };
    set_checksums!(part, Some(&record.client_checksum));
    part
}
