//! Storing one object and giving it out.

use std::{ops::Range as Bytes, sync::Arc};

use http::{HeaderMap, HeaderValue, StatusCode, header};
use s3s::{S3Error, S3Result, TrailingHeaders, dto::*, s3_error};

use super::{
    description::{conditions, describe, description_of},
    version::check_version,
};
use crate::s3::{
    checksum::{Algorithm, checksums_of, set_checksums},
    condition::{WriteCondition, no_such_key},
    error::custom_error,
    ingest::{self, BodyClaims},
    notification::ObjectEvent,
    object_reader,
    store::{
        Store, index,
        record::{ObjectDetails, ObjectHead, ObjectRecord},
    },
};

pub(super) async fn put(
    store: &Arc<Store>,
    mut input: PutObjectInput,
    trailers: Option<TrailingHeaders>,
    announced: Vec<String>,
) -> S3Result<PutObjectOutput> {
    let condition = WriteCondition {
        if_match: input.if_match.take(),
        if_none_match: input.if_none_match.take(),
    };
    condition.check_form()?;
    check_before_body(store, &condition, (&input.bucket, &input.key))?;
    let description = description_of!(input)?;
    let claims = BodyClaims {
        length: input.content_length,
        md5: input.content_md5.take(),
        checksum: checksums_of!(input),
        algorithm: Algorithm::from_request(input.checksum_algorithm.as_ref())?,
        keep: None,
        trailers,
        announced,
    };
    let body = input.body.take().unwrap_or_else(|| s3s::Body::empty().into());
    let taken = ingest::receive(&store.blobs, body, claims, false).await?;
    let (etag, checksum, size) = (hex::encode(taken.md5), taken.checksum, taken.size);
    let mut output = PutObjectOutput {
        e_tag: Some(ETag::Strong(etag.clone())),
        ..Default::default()
    };
    set_checksums!(output, Some(&checksum));
    output.checksum_type = Some(checksum.kind.to_dto());
    output.server_side_encryption = Some(super::description::encryption());
    let (bucket, key, held) = (input.bucket, input.key, taken.held);
    store
        .write(move |changes| {
            index::bucket(&changes.buckets, &bucket)?;
            let existing = index::object(&changes.objects, &bucket, &key)?;
            condition.check(existing.as_ref().map(|existing| &existing.head))?;
            let (bytes, inline) = held.place();
            let head = ObjectHead {
                size,
                modified: changes.now.as_second(),
                etag,
            };
            let record = ObjectRecord {
                head,
                details: ObjectDetails {
                    bytes,
                    description,
                    checksum: Some(checksum),
                    upload: None,
                },
            };
            changes.put_object((&bucket, &key), &record, inline.as_deref(), ObjectEvent::Put)
        })
        .await?;
    Ok(output)
}

/// Refuses before the body is read what the transaction would refuse anyway, so that no large body travels in vain.
pub(super) fn check_before_body(store: &Store, condition: &WriteCondition, place: (&str, &str)) -> S3Result {
    let snapshot = store.snapshot()?;
    index::bucket(&snapshot.buckets, place.0)?;
    let existing = index::object(&snapshot.objects, place.0, place.1)?;
    condition.check(existing.as_ref().map(|existing| &existing.head))
}

pub(super) async fn get(store: &Store, mut input: GetObjectInput) -> S3Result<GetObjectOutput> {
    check_version(input.version_id.as_deref())?;
    let found = object_reader::open(store, &input.bucket, &input.key)?.ok_or_else(no_such_key)?;
    conditions!(input).check(&found.record.head)?;
    let selection = ByteSelection::of(&found.record, input.range, input.part_number)?;
    let mut output = GetObjectOutput::default();
    describe!(output, found.record, selection, input.checksum_mode);
    output.tag_count = i32::try_from(found.record.details.description.tags.len())
        .ok()
        .filter(|tags| *tags > 0);
    output.body = Some(found.stream(selection.range).await?);
    Ok(output)
}

pub(super) fn head(store: &Store, mut input: HeadObjectInput) -> S3Result<HeadObjectOutput> {
    check_version(input.version_id.as_deref())?;
    let found = object_reader::open(store, &input.bucket, &input.key)?.ok_or_else(no_such_key)?;
    conditions!(input).check(&found.record.head)?;
    let selection = ByteSelection::of(&found.record, input.range, input.part_number)?;
    let mut output = HeadObjectOutput::default();
    describe!(output, found.record, selection, input.checksum_mode);
    Ok(output)
}

/// Which bytes of the object a request is about.
struct ByteSelection {
    range: Bytes<u64>,
    /// `Content-Range`, unless all bytes were asked for.
    content_range: Option<String>,
    /// How many parts the object came in, when one was asked for.
    parts: Option<i32>,
}

impl ByteSelection {
    fn of(record: &ObjectRecord, range: Option<Range>, part: Option<i32>) -> S3Result<ByteSelection> {
        let size = record.head.size;
        let (range, parts) = match (range, part) {
            (None, None) => {
                return Ok(ByteSelection {
                    range: 0..size,
                    content_range: None,
                    parts: None,
                });
            }
            (Some(_), Some(_)) => {
                return Err(s3_error!(
                    InvalidRequest,
                    "Cannot specify both Range header and partNumber query parameter."
                ));
            }
            // Not even the last bytes of nothing.
            (Some(_), None) if size == 0 => return Err(unsatisfiable(size)),
            (Some(range), None) => (range.check(size).map_err(|_| unsatisfiable(size))?, None),
            (None, Some(part)) => one_part(record, part)?,
        };
        let last = range.end.saturating_sub(1);
        let content_range = (size > 0).then(|| format!("bytes {}-{last}/{size}", range.start));
        Ok(ByteSelection {
            range,
            content_range,
            parts,
        })
    }

    fn length(&self) -> Option<i64> {
        i64::try_from(self.range.end - self.range.start).ok()
    }
}

/// Part `number` of an object that came in parts; part 1 of any other is all of it.
fn one_part(record: &ObjectRecord, number: i32) -> S3Result<(Bytes<u64>, Option<i32>)> {
    let missing = || {
        let message = format!("The requested partnumber is not satisfiable: {number}");
        custom_error("InvalidPartNumber", StatusCode::RANGE_NOT_SATISFIABLE, message)
    };
    let at = usize::try_from(number)
        .ok()
        .and_then(|number| number.checked_sub(1))
        .ok_or_else(missing)?;
    if !record.is_multipart() {
        return if at == 0 {
            Ok((0..record.head.size, None))
        } else {
            Err(missing())
        };
    }
    let segments = record.segments();
    let segment = segments.get(at).ok_or_else(missing)?;
    let start: u64 = segments[..at].iter().map(|segment| segment.size).sum();
    Ok((start..start + segment.size, i32::try_from(segments.len()).ok()))
}

fn unsatisfiable(size: u64) -> S3Error {
    let mut error = s3_error!(
        InvalidRange,
        "The requested range is not satisfiable: the object has {size} bytes."
    );
    let mut headers = HeaderMap::new();
    if let Ok(all) = HeaderValue::try_from(format!("bytes */{size}")) {
        headers.insert(header::CONTENT_RANGE, all);
    }
    error.set_headers(headers);
    error
}
