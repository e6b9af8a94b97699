//! Multipart uploads from creation to completion.

use std::sync::Arc;

use md5::{Digest as _, Md5};
use s3s::{S3Result, dto::*, s3_error};
use uuid::Uuid;

use super::{description::description_of, object::check_before_body};
use crate::s3::{
    checksum::{self, Algorithm, ChecksumPlan, StoredChecksum, checksums_of, set_checksums},
    condition::WriteCondition,
    notification::ObjectEvent,
    store::{
        Store,
        changes::Changes,
        index,
        record::{BytesLocation, ObjectDetails, ObjectHead, ObjectRecord, PartRecord, Segment, UploadRecord},
    },
};

/// Every part but the last.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>
const SMALLEST_PART: u64 = 5 << 20;

pub(super) async fn create(
    store: &Store,
    mut input: CreateMultipartUploadInput,
) -> S3Result<CreateMultipartUploadOutput> {
    let description = description_of!(input)?;
    let plan = ChecksumPlan::new(
        Algorithm::from_request(input.checksum_algorithm.as_ref())?,
        input.checksum_type.as_ref(),
    )?;
    let upload = Uuid::new_v4().simple().to_string();
    let output = CreateMultipartUploadOutput {
        bucket: Some(input.bucket.clone()),
        key: Some(input.key.clone()),
        upload_id: Some(upload.clone()),
        checksum_algorithm: input
            .checksum_algorithm
            .is_some()
            .then(|| ChecksumAlgorithm::from_static(plan.algorithm.name())),
        checksum_type: input.checksum_algorithm.is_some().then(|| plan.kind.to_dto()),
        ..Default::default()
    };
    store
        .write(move |changes| {
            index::bucket(&changes.buckets, &input.bucket)?;
            let record = UploadRecord {
                initiated: changes.now.as_second(),
                description,
                plan,
            };
            changes.put_upload(&input.bucket, &input.key, &upload, &record)
        })
        .await?;
    Ok(output)
}

pub(super) async fn abort(store: &Store, input: AbortMultipartUploadInput) -> S3Result {
    store
        .write(move |changes| {
            index::bucket(&changes.buckets, &input.bucket)?;
            index::upload(&changes.uploads, &input.bucket, &input.key, &input.upload_id)?;
            changes.remove_upload(&input.bucket, &input.key, &input.upload_id, &[])
        })
        .await
}

pub(super) async fn complete(
    store: &Arc<Store>,
    mut input: CompleteMultipartUploadInput,
) -> S3Result<CompleteMultipartUploadOutput> {
    let condition = WriteCondition {
        if_match: input.if_match.take(),
        if_none_match: input.if_none_match.take(),
    };
    condition.check_form()?;
    check_before_body(store, &condition, (&input.bucket, &input.key))?;
    let completion = Completion {
        upload: input.upload_id,
        parts: input
            .multipart_upload
            .take()
            .and_then(|list| list.parts)
            .unwrap_or_default(),
        checksum: checksum::single(&checksums_of!(input)),
        size: input.mpu_object_size,
        condition,
    };
    let (bucket, key) = (input.bucket.clone(), input.key.clone());
    let record = store
        .write(move |changes| completion.apply(changes, &bucket, &key))
        .await?;
    let mut output = CompleteMultipartUploadOutput {
        location: Some(format!("/{}/{}", input.bucket, input.key)),
        bucket: Some(input.bucket),
        key: Some(input.key),
        e_tag: Some(ETag::Strong(record.head.etag)),
        ..Default::default()
    };
    set_checksums!(output, record.details.checksum.as_ref());
    output.checksum_type = record.details.checksum.map(|stored| stored.kind.to_dto());
    Ok(output)
}

/// What the client wants made of the parts it sent.
struct Completion {
    upload: String,
    parts: Vec<CompletedPart>,
    checksum: Option<(Algorithm, String)>,
    size: Option<i64>,
    condition: WriteCondition,
}

impl Completion {
    fn apply(mut self, changes: &mut Changes<'_>, bucket: &str, key: &str) -> S3Result<ObjectRecord> {
        index::bucket(&changes.buckets, bucket)?;
        let existing = index::object(&changes.objects, bucket, key)?;
        let upload = match index::upload(&changes.uploads, bucket, key, &self.upload) {
            Ok(upload) => upload,
            Err(gone) => return existing.filter(|object| self.has_made(object)).ok_or(gone),
        };
        self.condition
            .check(existing.as_ref().map(|existing| &existing.head))?;
        let parts = self.choose_parts(&index::parts(&changes.parts, &self.upload)?)?;
        let record = self.assemble(upload, &parts)?;
        let kept: Vec<Uuid> = parts.iter().map(|part| part.segment.blob).collect();
        changes.remove_upload(bucket, key, &self.upload, &kept)?;
        changes.put_object((bucket, key), &record, None, ObjectEvent::CompleteMultipartUpload)?;
        Ok(record)
    }

    /// Whether `object` is what an earlier completion of this upload with these parts made: a client whose answer was lost
    /// asks again, and is answered as it would have been.
    fn has_made(&self, object: &ObjectRecord) -> bool {
        let named = self.parts.iter().map(|part| part.e_tag.as_ref().map(ETag::value));
        let etag = named
            .collect::<Option<Vec<_>>>()
            .and_then(|etags| joined_etag(&etags).ok());
        object.details.upload.as_ref() == Some(&self.upload) && etag.as_ref() == Some(&object.head.etag)
    }

    /// The parts the client names, which must be those it sent, in ascending order, none but the last small.
    fn choose_parts(&mut self, sent: &[(u32, PartRecord)]) -> S3Result<Vec<PartRecord>> {
        if self.parts.is_empty() {
            return Err(s3_error!(MalformedXML, "You must specify at least one part"));
        }
        let mut chosen: Vec<(u32, PartRecord)> = Vec::new();
        for mut named in std::mem::take(&mut self.parts) {
            let number = named
                .part_number
                .and_then(|number| u32::try_from(number).ok())
                .unwrap_or_default();
            if chosen.last().is_some_and(|(before, _)| number <= *before) {
                return Err(s3_error!(
                    InvalidPartOrder,
                    "The list of parts was not in ascending order."
                ));
            }
            let found = sent
                .binary_search_by_key(&number, |(number, _)| *number)
                .ok()
                .map(|at| &sent[at].1);
            let part = found
                .filter(|part| is_named_by(part, &mut named))
                .ok_or_else(|| invalid_part(number))?;
            chosen.push((number, part.clone()));
        }
        let but_last = &chosen[..chosen.len() - 1];
        if let Some((number, part)) = but_last
            .iter()
            .find(|(_, part)| part.segment.size < SMALLEST_PART)
        {
            let size = part.segment.size;
            return Err(s3_error!(
                EntityTooSmall,
                "Part {number} has {size} bytes; all but the last need {SMALLEST_PART}."
            ));
        }
        Ok(chosen.into_iter().map(|(_, part)| part).collect())
    }

    fn assemble(&self, upload: UploadRecord, parts: &[PartRecord]) -> S3Result<ObjectRecord> {
        let size = parts.iter().map(|part| part.segment.size).sum();
        if self.size.is_some_and(|said| u64::try_from(said) != Ok(size)) {
            return Err(s3_error!(
                InvalidRequest,
                "The parts have {size} bytes, not what x-amz-mp-object-size says."
            ));
        }
        let checksum = upload
            .plan
            .join(parts.iter().map(|part| (&part.checksum, part.segment.size)))?;
        check_checksum(self.checksum.as_ref(), &checksum)?;
        let head = ObjectHead {
            size,
            modified: upload.initiated,
            etag: etag_of(parts)?,
        };
        let segments: Vec<Segment> = parts.iter().map(|part| part.segment).collect();
        let bytes = BytesLocation::Files(segments);
        Ok(ObjectRecord {
            head,
            details: ObjectDetails {
                bytes,
                description: upload.description,
                checksum: Some(checksum),
                upload: Some(self.upload.clone()),
            },
        })
    }
}

fn is_named_by(part: &PartRecord, named: &mut CompletedPart) -> bool {
    let etag = named.e_tag.as_ref().is_some_and(|etag| etag.value() == part.etag);
    let same = |(algorithm, value): (Algorithm, String)| {
        [&part.checksum, &part.client_checksum]
            .iter()
            .any(|known| known.algorithm == algorithm && known.value == value)
    };
    etag && checksum::single(&checksums_of!(named)).is_none_or(same)
}

fn invalid_part(number: u32) -> s3s::S3Error {
    s3_error!(
        InvalidPart,
        "Part {number} could not be found. It may not have been uploaded, or its entity tag or checksum may not match."
    )
}

/// Clients may leave out the number of parts of a composite checksum.
fn check_checksum(said: Option<&(Algorithm, String)>, checksum: &StoredChecksum) -> S3Result {
    let same = |value: &str| value == checksum.value || checksum.value.split('-').next() == Some(value);
    match said {
        Some((algorithm, value)) if *algorithm != checksum.algorithm || !same(value) => Err(s3_error!(
            BadDigest,
            "The {} you specified did not match the calculated checksum.",
            algorithm.name()
        )),
        _ => Ok(()),
    }
}

fn etag_of(parts: &[PartRecord]) -> S3Result<String> {
    joined_etag(&parts.iter().map(|part| part.etag.as_str()).collect::<Vec<_>>())
}

/// The MD5 of the parts' MD5s, and how many they are.
fn joined_etag(etags: &[&str]) -> S3Result<String> {
    let mut md5 = Md5::new();
    for etag in etags {
        md5.update(hex::decode(etag).map_err(s3s::S3Error::internal_error)?);
    }
    Ok(format!("{}-{}", hex::encode(md5.finalize()), etags.len()))
}
