//! The transaction being written, as the operations see it: each first decides, then changes.

use jiff::Timestamp;
use redb::{Table, TableError, WriteTransaction};
use s3s::{S3Result, s3_error};
use serde::Serialize;
use uuid::Uuid;

use super::{
    index::{self, BODIES, BUCKETS, BucketRecord, OBJECTS, PARTS, STATE, UPLOADS, storage_error},
    record::{ObjectRecord, PartRecord, UploadRecord},
};
use crate::s3::notification::{Notification, ObjectEvent};

type Rows<'txn> = Table<'txn, &'static [u8], &'static [u8]>;

/// What follows once the transaction is committed.
#[derive(Default)]
pub(super) struct CommitEffects {
    pub(super) retired: Vec<Uuid>,
    pub(super) notifications: Vec<Notification>,
}

pub(in crate::s3) struct Changes<'txn> {
    pub(in crate::s3) objects: Rows<'txn>,
    bodies: Rows<'txn>,
    pub(in crate::s3) buckets: Rows<'txn>,
    pub(in crate::s3) uploads: Rows<'txn>,
    pub(in crate::s3) parts: Rows<'txn>,
    state: Rows<'txn>,
    pub(in crate::s3) now: Timestamp,
    sequence: u64,
    pub(super) effects: CommitEffects,
    /// Bytes put into the index so far.
    pub(super) weight: usize,
}

impl<'txn> Changes<'txn> {
    pub(super) fn begin(transaction: &'txn WriteTransaction, now: Timestamp) -> Result<Self, TableError> {
        let state = transaction.open_table(STATE)?;
        let sequence = {
            use redb::ReadableTable;
            let stored = state.get(&b"sequence"[..])?;
            stored
                .and_then(|value| value.value().try_into().ok().map(u64::from_be_bytes))
                .unwrap_or_default()
        };
        Ok(Changes {
            objects: transaction.open_table(OBJECTS)?,
            bodies: transaction.open_table(BODIES)?,
            buckets: transaction.open_table(BUCKETS)?,
            uploads: transaction.open_table(UPLOADS)?,
            parts: transaction.open_table(PARTS)?,
            state,
            now,
            sequence,
            effects: CommitEffects::default(),
            weight: 0,
        })
    }

    /// The last change: the sequence goes on from here after a restart.
    pub(super) fn finish(mut self) -> Result<CommitEffects, redb::StorageError> {
        if !self.effects.notifications.is_empty() {
            self.state
                .insert(&b"sequence"[..], &self.sequence.to_be_bytes()[..])?;
        }
        Ok(self.effects)
    }

    pub(in crate::s3) fn put_bucket(&mut self, name: &str, record: &BucketRecord) -> S3Result {
        let record = json(record)?;
        self.buckets
            .insert(name.as_bytes(), record.as_slice())
            .map_err(storage_error)?;
        Ok(())
    }

    pub(in crate::s3) fn remove_bucket(&mut self, name: &str) -> S3Result {
        self.buckets.remove(name.as_bytes()).map_err(storage_error)?;
        Ok(())
    }

    /// Stores the object in place of the one it replaces. `inline` are its bytes unless they are in files.
    pub(in crate::s3) fn put_object(
        &mut self,
        place: (&str, &str),
        record: &ObjectRecord,
        inline: Option<&[u8]>,
        event: ObjectEvent,
    ) -> S3Result {
        let (bucket, key) = place;
        let name = index::object_key(bucket, key);
        let replaced = index::object(&self.objects, bucket, key)?;
        let encoded = record.encode().map_err(index::damaged_record)?;
        self.weight += encoded.len() + inline.map_or(0, <[u8]>::len);
        self.objects
            .insert(name.as_slice(), encoded.as_slice())
            .map_err(storage_error)?;
        match inline {
            Some(bytes) => drop(
                self.bodies
                    .insert(name.as_slice(), bytes)
                    .map_err(storage_error)?,
            ),
            None => drop(self.bodies.remove(name.as_slice()).map_err(storage_error)?),
        }
        self.retire(replaced.as_ref());
        let created = (record.head.size, record.head.etag.clone());
        self.notify(event, place, created);
        Ok(())
    }

    /// Stores a record whose bytes stay where they are.
    pub(in crate::s3) fn update_object(
        &mut self,
        bucket: &str,
        key: &str,
        record: &ObjectRecord,
    ) -> S3Result {
        let encoded = record.encode().map_err(index::damaged_record)?;
        self.objects
            .insert(index::object_key(bucket, key).as_slice(), encoded.as_slice())
            .map_err(storage_error)?;
        Ok(())
    }

    /// Removes the object if there is one.
    pub(in crate::s3) fn remove_object(&mut self, bucket: &str, key: &str) -> S3Result {
        let Some(removed) = index::object(&self.objects, bucket, key)? else {
            return Ok(());
        };
        let name = index::object_key(bucket, key);
        self.objects.remove(name.as_slice()).map_err(storage_error)?;
        self.bodies.remove(name.as_slice()).map_err(storage_error)?;
        self.retire(Some(&removed));
        self.notify(ObjectEvent::Delete, (bucket, key), (0, String::new()));
        Ok(())
    }

    pub(in crate::s3) fn put_upload(
        &mut self,
        bucket: &str,
        key: &str,
        id: &str,
        record: &UploadRecord,
    ) -> S3Result {
        let record = json(record)?;
        self.uploads
            .insert(index::upload_key(bucket, key, id).as_slice(), record.as_slice())
            .map_err(storage_error)?;
        Ok(())
    }

    pub(in crate::s3) fn put_part(&mut self, upload: &str, number: u32, record: &PartRecord) -> S3Result {
        let encoded = json(record)?;
        let replaced = index::part(&self.parts, upload, number)?;
        self.parts
            .insert(index::part_key(upload, number).as_slice(), encoded.as_slice())
            .map_err(storage_error)?;
        self.effects
            .retired
            .extend(replaced.map(|part| part.segment.blob));
        Ok(())
    }

    /// Removes the upload and its parts; the files of those in `kept` stay.
    pub(in crate::s3) fn remove_upload(
        &mut self,
        bucket: &str,
        key: &str,
        id: &str,
        kept: &[Uuid],
    ) -> S3Result {
        self.uploads
            .remove(index::upload_key(bucket, key, id).as_slice())
            .map_err(storage_error)?;
        for (number, part) in index::parts(&self.parts, id)? {
            self.parts
                .remove(index::part_key(id, number).as_slice())
                .map_err(storage_error)?;
            if !kept.contains(&part.segment.blob) {
                self.effects.retired.push(part.segment.blob);
            }
        }
        Ok(())
    }

    fn retire(&mut self, record: Option<&ObjectRecord>) {
        let segments = record.map(ObjectRecord::segments).unwrap_or_default();
        self.effects
            .retired
            .extend(segments.iter().map(|segment| segment.blob));
    }

    /// Sequence numbers only grow, across restarts and whatever the clock does.
    fn notify(&mut self, event: ObjectEvent, place: (&str, &str), created: (u64, String)) {
        let clock = u64::try_from(self.now.as_microsecond()).unwrap_or_default();
        self.sequence = clock.max(self.sequence + 1);
        self.effects.notifications.push(Notification {
            event,
            bucket: place.0.to_owned(),
            key: place.1.to_owned(),
            size: created.0,
            etag: created.1,
            sequencer: format!("{:016X}", self.sequence),
            time: self.now,
        });
    }
}

fn json(value: &impl Serialize) -> S3Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(|error| s3_error!(error, InternalError))
}
