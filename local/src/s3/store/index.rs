//! The tables of the index, their keys, and reading them. One set of functions serves both a reader's snapshot
//! and the transaction being written.

use redb::{ReadOnlyTable, ReadTransaction, ReadableTable, StorageError, TableDefinition};
use s3s::{S3Error, S3Result, s3_error};
use serde::{Deserialize, Serialize};

use super::record::{DamagedRecord, ObjectRecord, PartRecord, UploadRecord};
use crate::s3::cors::CorsRule;

type Definition = TableDefinition<'static, &'static [u8], &'static [u8]>;

/// bucket, NUL, key: bucket names hold no NUL, so any key sorts within its bucket, in the order of its UTF-8 bytes,
/// which is the order S3 lists in.
pub(super) const OBJECTS: Definition = TableDefinition::new("objects");
/// The bytes of small objects, under the same keys.
pub(super) const BODIES: Definition = TableDefinition::new("bodies");
pub(super) const BUCKETS: Definition = TableDefinition::new("buckets");
/// bucket, NUL, key, NUL, upload id.
pub(super) const UPLOADS: Definition = TableDefinition::new("uploads");
/// upload id, part number in four bytes.
pub(super) const PARTS: Definition = TableDefinition::new("parts");
/// Single values: `sequence`.
pub(super) const STATE: Definition = TableDefinition::new("state");

/// An upload id is a UUID without dashes.
pub(super) const UPLOAD_ID_LENGTH: usize = 32;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::s3) struct BucketRecord {
    /// Unix seconds.
    pub(in crate::s3) created: i64,
    pub(in crate::s3) cors: Vec<CorsRule>,
}

/// A table that can be read, whether in a snapshot or while it is being changed.
pub(in crate::s3) trait Readable: ReadableTable<&'static [u8], &'static [u8]> {}
impl<T: ReadableTable<&'static [u8], &'static [u8]>> Readable for T {}

/// The index as it was at one moment.
pub(in crate::s3) struct Snapshot {
    pub(in crate::s3) objects: ReadOnlyTable<&'static [u8], &'static [u8]>,
    pub(in crate::s3) bodies: ReadOnlyTable<&'static [u8], &'static [u8]>,
    pub(in crate::s3) buckets: ReadOnlyTable<&'static [u8], &'static [u8]>,
    pub(in crate::s3) uploads: ReadOnlyTable<&'static [u8], &'static [u8]>,
    pub(in crate::s3) parts: ReadOnlyTable<&'static [u8], &'static [u8]>,
}

impl Snapshot {
    pub(super) fn of(read: &ReadTransaction) -> Result<Snapshot, redb::TableError> {
        Ok(Snapshot {
            objects: read.open_table(OBJECTS)?,
            bodies: read.open_table(BODIES)?,
            buckets: read.open_table(BUCKETS)?,
            uploads: read.open_table(UPLOADS)?,
            parts: read.open_table(PARTS)?,
        })
    }
}

pub(in crate::s3) fn object_key(bucket: &str, key: &str) -> Vec<u8> {
    [bucket.as_bytes(), b"\0", key.as_bytes()].concat()
}

pub(in crate::s3) fn upload_key(bucket: &str, key: &str, upload: &str) -> Vec<u8> {
    [bucket.as_bytes(), b"\0", key.as_bytes(), b"\0", upload.as_bytes()].concat()
}

pub(in crate::s3) fn part_key(upload: &str, number: u32) -> Vec<u8> {
    [upload.as_bytes(), &number.to_be_bytes()].concat()
}

/// The first key that no longer starts with `prefix`.
pub(in crate::s3) fn end_of_prefix(prefix: &[u8]) -> Vec<u8> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if last < u8::MAX {
            end.push(last + 1);
            break;
        }
    }
    end
}

pub(in crate::s3) fn bucket(buckets: &impl Readable, name: &str) -> S3Result<BucketRecord> {
    let found = buckets.get(name.as_bytes()).map_err(storage_error)?;
    let found = found.ok_or_else(|| s3_error!(NoSuchBucket, "The specified bucket does not exist"))?;
    json(found.value())
}

pub(in crate::s3) fn buckets(buckets: &impl Readable) -> S3Result<Vec<(String, BucketRecord)>> {
    let mut all = Vec::new();
    for entry in buckets.iter().map_err(storage_error)? {
        let (name, record) = entry.map_err(storage_error)?;
        all.push((text(name.value())?, json(record.value())?));
    }
    Ok(all)
}

pub(in crate::s3) fn object(
    objects: &impl Readable,
    bucket: &str,
    key: &str,
) -> S3Result<Option<ObjectRecord>> {
    let found = objects
        .get(object_key(bucket, key).as_slice())
        .map_err(storage_error)?;
    found
        .map(|record| ObjectRecord::decode(record.value()).map_err(damaged_record))
        .transpose()
}

pub(in crate::s3) fn body(bodies: &impl Readable, bucket: &str, key: &str) -> S3Result<Vec<u8>> {
    let found = bodies
        .get(object_key(bucket, key).as_slice())
        .map_err(storage_error)?;
    let found = found.ok_or_else(|| damaged_record(DamagedRecord("an object has no bytes".into())))?;
    Ok(found.value().to_vec())
}

/// Whether any object lies in the bucket.
pub(in crate::s3) fn has_objects(objects: &impl Readable, bucket: &str) -> S3Result<bool> {
    let start = object_key(bucket, "");
    let mut range = objects
        .range::<&[u8]>(start.as_slice()..end_of_prefix(&start).as_slice())
        .map_err(storage_error)?;
    Ok(range.next().transpose().map_err(storage_error)?.is_some())
}

pub(in crate::s3) fn upload(
    uploads: &impl Readable,
    bucket: &str,
    key: &str,
    id: &str,
) -> S3Result<UploadRecord> {
    let found = uploads
        .get(upload_key(bucket, key, id).as_slice())
        .map_err(storage_error)?;
    let found = found.ok_or_else(no_such_upload)?;
    json(found.value())
}

pub(in crate::s3) fn no_such_upload() -> S3Error {
    s3_error!(
        NoSuchUpload,
        "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed."
    )
}

/// The uploads of a bucket whose keys start with `prefix`: key, upload id, record; in order.
pub(in crate::s3) fn uploads(
    uploads: &impl Readable,
    bucket: &str,
    prefix: &str,
) -> S3Result<Vec<(String, String, UploadRecord)>> {
    let (start, skip) = (object_key(bucket, prefix), bucket.len() + 1);
    let mut all: Vec<(String, String, UploadRecord)> = Vec::new();
    for entry in uploads
        .range::<&[u8]>(start.as_slice()..end_of_prefix(&start).as_slice())
        .map_err(storage_error)?
    {
        let (name, record) = entry.map_err(storage_error)?;
        let name = name.value();
        let Some(end) = name
            .len()
            .checked_sub(UPLOAD_ID_LENGTH + 1)
            .filter(|end| *end >= skip)
        else {
            return Err(damaged_record(DamagedRecord(
                "an upload's name is too short".into(),
            )));
        };
        all.push((
            text(&name[skip..end])?,
            text(&name[end + 1..])?,
            json(record.value())?,
        ));
    }
    // NUL in a key can put its uploads out of the order of keys.
    all.sort_by(|a, b| (&a.0, a.2.initiated, &a.1).cmp(&(&b.0, b.2.initiated, &b.1)));
    Ok(all
        .into_iter()
        .filter(|(key, ..)| key.starts_with(prefix))
        .collect())
}

pub(in crate::s3) fn part(parts: &impl Readable, upload: &str, number: u32) -> S3Result<Option<PartRecord>> {
    let found = parts
        .get(part_key(upload, number).as_slice())
        .map_err(storage_error)?;
    found.map(|record| json(record.value())).transpose()
}

/// The parts of an upload by number.
pub(in crate::s3) fn parts(parts: &impl Readable, upload: &str) -> S3Result<Vec<(u32, PartRecord)>> {
    let end = end_of_prefix(upload.as_bytes());
    let mut all = Vec::new();
    for entry in parts
        .range::<&[u8]>(upload.as_bytes()..end.as_slice())
        .map_err(storage_error)?
    {
        let (name, record) = entry.map_err(storage_error)?;
        let number = name
            .value()
            .last_chunk::<4>()
            .ok_or_else(|| damaged_record(DamagedRecord("a part has no number".into())))?;
        all.push((u32::from_be_bytes(*number), json(record.value())?));
    }
    Ok(all)
}

fn json<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> S3Result<T> {
    serde_json::from_slice(bytes).map_err(|error| damaged_record(DamagedRecord(error.to_string())))
}

pub(super) fn text(bytes: &[u8]) -> S3Result<String> {
    String::from_utf8(bytes.to_vec()).map_err(|error| damaged_record(DamagedRecord(error.to_string())))
}

pub(in crate::s3) fn damaged_record(error: DamagedRecord) -> S3Error {
    S3Error::internal_error(error)
}

pub(in crate::s3) fn storage_error(error: StorageError) -> S3Error {
    S3Error::internal_error(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_with_the_prefix_lies_past_it() {
        for (prefix, first) in [(&b"a"[..], &b"b"[..]), (b"a\xff", b"b"), (b"in\0", b"in\x01")] {
            assert_eq!(end_of_prefix(prefix), first);
        }
    }

    #[test]
    fn a_bucket_named_like_the_start_of_another_keeps_its_keys_apart() {
        let end = end_of_prefix(&object_key("in", ""));
        assert!(object_key("in", "\u{10ffff}") < end);
        assert!(object_key("in-2", "a") > end);
    }
}
