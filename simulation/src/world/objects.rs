//! One bucket, as S3 keeps it: keys in byte order, times in whole seconds, ETags made from the bytes.

use std::collections::BTreeMap;
use std::hash::Hasher;
use std::ops::{Bound, Range};

use shared::port::{Object, StoredObject};

use crate::time::{Ms, timestamp, whole_second};

#[derive(Clone, Debug)]
pub(crate) struct StoredVersion {
    pub(crate) bytes: Vec<u8>,
    pub(crate) etag: String,
    pub(crate) last_modified: Ms,
    pub(crate) metadata: BTreeMap<String, String>,
}

#[derive(Default)]
pub(crate) struct Objects(BTreeMap<String, StoredVersion>);

/// What one request of a LIST gives.
pub(crate) struct Part {
    pub(crate) objects: Vec<Object>,
    pub(crate) folders: Vec<String>,
    pub(crate) next: Option<String>,
}

/// The same bytes have the same ETag, as with S3's own. FNV-1a: collisions do not matter here.
pub(crate) fn etag(bytes: &[u8]) -> String {
    struct Fnv(u64);
    impl Hasher for Fnv {
        fn finish(&self) -> u64 {
            self.0
        }
        fn write(&mut self, bytes: &[u8]) {
            for byte in bytes {
                self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
            }
        }
    }
    let mut hash = Fnv(0xcbf2_9ce4_8422_2325);
    hash.write(bytes);
    format!("{:016x}", hash.finish())
}

impl Objects {
    pub(crate) fn get(&self, key: &str) -> Option<&StoredVersion> {
        self.0.get(key)
    }

    pub(crate) fn put(
        &mut self,
        key: &str,
        bytes: Vec<u8>,
        metadata: BTreeMap<String, String>,
        at: Ms,
    ) -> String {
        let etag = etag(&bytes);
        let stored = StoredVersion {
            bytes,
            etag: etag.clone(),
            last_modified: whole_second(at),
            metadata,
        };
        self.0.insert(key.to_owned(), stored);
        etag
    }

    pub(crate) fn insert(&mut self, key: &str, stored: StoredVersion) {
        self.0.insert(key.to_owned(), stored);
    }

    pub(crate) fn remove(&mut self, key: &str) -> Option<StoredVersion> {
        self.0.remove(key)
    }

    pub(crate) fn under<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a StoredVersion)> {
        let from = (Bound::Included(prefix), Bound::Unbounded);
        let keys = self.0.range::<str, _>(from);
        keys.take_while(move |(key, _)| key.starts_with(prefix))
            .map(|(key, stored)| (key.as_str(), stored))
    }

    pub(crate) fn list(&self, prefix: &str, folders: bool, after: Option<&str>, size: usize) -> Part {
        let mut part = Part {
            objects: Vec::new(),
            folders: Vec::new(),
            next: None,
        };
        for (key, stored) in self.under(prefix) {
            let rest = key.get(prefix.len()..).unwrap_or_default();
            let folder = folders.then(|| rest.split_once('/')).flatten();
            let folder = folder.map(|(folder, _)| format!("{prefix}{folder}/"));
            let entry = folder.as_deref().unwrap_or(key);
            if after.is_some_and(|after| entry <= after)
                || part.folders.last().map(String::as_str) == Some(entry)
            {
                continue;
            }
            if part.objects.len() + part.folders.len() == size {
                let last = part.objects.last().map(|object| &object.key);
                part.next = last.max(part.folders.last()).cloned();
                break;
            }
            match folder {
                Some(folder) => part.folders.push(folder),
                None => part.objects.push(stored.listing_entry(key)),
            }
        }
        part
    }
}

impl StoredVersion {
    fn listing_entry(&self, key: &str) -> Object {
        Object {
            key: key.to_owned(),
            etag: self.etag.clone(),
            size: self.bytes.len() as u64,
            last_modified: timestamp(self.last_modified),
        }
    }

    pub(crate) fn read_range(&self, range: Option<Range<u64>>) -> StoredObject {
        let size = self.bytes.len() as u64;
        let (from, to) = range.map_or((0, size), |r| (r.start.min(size), r.end.min(size)));
        let at = |place: u64| usize::try_from(place).unwrap_or(usize::MAX);
        StoredObject {
            bytes: self.bytes.get(at(from)..at(to)).unwrap_or_default().to_vec(),
            etag: self.etag.clone(),
            size,
            last_modified: timestamp(self.last_modified),
            metadata: self.metadata.clone(),
        }
    }
}
