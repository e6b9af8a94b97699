//! What is in a dataset's folder of the input bucket at one moment, and S3's time of that moment.

use std::collections::BTreeSet;

use futures::stream::{self, StreamExt};
use jiff::{SignedDuration, Timestamp};
use shared::change::Change;
use shared::documents;
use shared::item::{MANIFEST_HEAD, is_manifest, may_be_manifest};
use shared::layout::{self, InputKey};
use shared::name::DatasetName;
use shared::port::{Bucket, Object, OpenUpload, RefusalScope, Store, StoreError};
use shared::spec::Spec;

use crate::batches::Batches;
use crate::fill::FileRole;

/// When the event of a dropped file must have arrived and led to a reconcile: the longest delay that the template allows for
/// its queue (480 s), the window in which messages are gathered (60 s), and a minute.
const EVENT_ARRIVES_WITHIN: SignedDuration = SignedDuration::from_mins(10);

/// A listing of everything that no batch has.
#[derive(Debug)]
pub(crate) struct FolderListing {
    /// The `Date` of the last page: the only clock. Lambda's own may be minutes off, and both sides of every
    /// comparison are S3's this way.
    pub(crate) date: Timestamp,
    pub(crate) uploads: Vec<OpenUpload>,
    /// When `_READY` was put there.
    pub(crate) ready: Option<Timestamp>,
    pub(crate) spec_there: bool,
    /// The dataset holds manifests made by hand, and is labelled from those alone.
    pub(crate) by_hand: bool,
    /// Those of them that are not called `*.manifest`.
    json_manifests: BTreeSet<String>,
    /// The time of the newest file beside these manifests: what they point to may still be arriving.
    pub(crate) newest_beside: Option<Timestamp>,
    /// In no batch yet, or not with all rows; in UTF-8 order of the keys.
    pub(crate) files: Vec<Object>,
    pub(crate) changed: ChangedFiles,
    /// Changed while only a part of their rows is in a batch: the rest may go on or be rejected by this very reconcile.
    unsettled: Vec<(Object, Change)>,
}

/// Files in a batch that are not what the batch has of them.
#[derive(Debug, Default)]
pub(crate) struct ChangedFiles {
    pub(crate) count: u64,
    /// Of these, files that may hold the same bytes.
    pub(crate) unclear: u64,
    /// The first by key of those that surely changed, and of the others.
    sure_first: Vec<String>,
    unclear_first: Vec<String>,
}

/// Changed files that are named.
const NAMED: usize = 20;

impl ChangedFiles {
    /// The first of them, those that surely changed before the others.
    pub(crate) fn first(&self) -> Vec<String> {
        let all = self.sure_first.iter().chain(&self.unclear_first);
        all.take(NAMED).cloned().collect()
    }

    fn add(&mut self, key: String, change: Change) {
        let first = match change {
            Change::Same => return,
            Change::Changed => &mut self.sure_first,
            Change::Unclear => {
                self.unclear += 1;
                &mut self.unclear_first
            }
        };
        // Sorted: the same files are the same status.
        let place = first.partition_point(|known| *known < key);
        first.insert(place, key);
        first.truncate(NAMED);
        self.count += 1;
    }
}

/// Uploads are listed before objects: one that finishes in between is seen in the second listing, and perhaps in
/// both, but never in neither. A page that fails is an error: nothing is decided from a
/// part of a listing.
pub(crate) async fn list_folder(
    store: &impl Store,
    dataset: &DatasetName,
    batches: &Batches,
) -> Result<FolderListing, StoreError> {
    let prefix = layout::dataset_prefix(dataset);
    let uploads = store.open_uploads(&prefix).await?;
    let date = Timestamp::UNIX_EPOCH;
    let mut listing = FolderListing {
        date,
        uploads,
        ready: None,
        spec_there: false,
        by_hand: false,
        json_manifests: BTreeSet::new(),
        newest_beside: None,
        files: Vec::new(),
        changed: ChangedFiles::default(),
        unsettled: Vec::new(),
    };
    let mut pages = documents::list(store, Bucket::Input, &prefix);
    while let Some(page) = pages.next_page().await? {
        for object in page.objects {
            listing.add(object, batches);
        }
        listing.date = page.date;
    }
    Ok(listing)
}

impl FolderListing {
    /// Finds the manifests made by hand among `.jsonl` files. Only their first lines show it, so these are read of
    /// each one that waits; for those in a batch, the batch says it.
    pub(crate) async fn find_json_manifests(
        &mut self,
        store: &impl Store,
        spec: &Spec,
        batches: &Batches,
    ) -> Result<(), StoreError> {
        const AT_ONCE: usize = 64;
        let path = |key: &str| key.split_once('/').map_or("", |(_, path)| path).to_owned();
        let unknown = |file: &&Object| {
            let is_possible = file.size > 0 && may_be_manifest(spec, &path(&file.key));
            is_possible && !batches.goes_on(&file.key) && !self.json_manifests.contains(&file.key)
        };
        let unknown: Vec<String> = self
            .files
            .iter()
            .filter(unknown)
            .map(|file| file.key.clone())
            .collect();
        let checks = unknown.into_iter().map(|key| async move {
            match store.get(Bucket::Input, &key, Some(0..MANIFEST_HEAD)).await {
                Ok(head) => Ok(head.filter(|head| is_manifest(&head.bytes)).map(|_| key)),
                // It is rejected when it is read as what its name says.
                Err(StoreError::Refused {
                    scope: RefusalScope::Object,
                    ..
                }) => Ok(None),
                Err(error) => Err(error),
            }
        });
        let mut checks = stream::iter(checks).buffered(AT_ONCE);
        while let Some(manifest) = checks.next().await {
            self.json_manifests.extend(manifest?);
        }
        self.by_hand |= !self.json_manifests.is_empty();
        Ok(())
    }

    /// With manifests made by hand, only these are batched; and the rest of a file that is in a batch in part.
    pub(crate) fn leave_data_out(&mut self, batches: &Batches) {
        if !self.by_hand {
            return;
        }
        let (mut newest, files) = (None, std::mem::take(&mut self.files));
        for file in files {
            if batches.goes_on(&file.key) || self.role(&file.key) == FileRole::Manifest {
                self.files.push(file);
            } else {
                newest = newest.max(Some(file.last_modified));
            }
        }
        self.newest_beside = newest;
    }

    pub(crate) fn role(&self, key: &str) -> FileRole {
        let is_manifest =
            matches!(InputKey::parse(key), InputKey::Manifest(_)) || self.json_manifests.contains(key);
        match (self.by_hand, is_manifest) {
            (false, _) => FileRole::Dropped,
            (true, true) => FileRole::Manifest,
            (true, false) => FileRole::Data,
        }
    }

    /// After the batches were cut: what does not go on any more is in a batch as it was then.
    pub(crate) fn settle(&mut self, batches: &Batches) {
        for (object, change) in std::mem::take(&mut self.unsettled) {
            if !batches.goes_on(&object.key) {
                self.changed.add(object.key, change);
            }
        }
    }

    /// The file arrived after the last reconcile that found anything, and no event has led to one since. An object uploaded
    /// in parts is as old as the start of its upload, so that its time says nothing; its ETag shows it (`<md5>-<parts>`).
    pub(crate) fn is_without_event(&self, file: &Object, looked_at: Option<Timestamp>) -> bool {
        let since = self.date.duration_since(file.last_modified);
        since > EVENT_ARRIVES_WITHIN
            && looked_at.is_none_or(|looked_at| file.last_modified > looked_at)
            && !file.etag.contains('-')
    }

    fn add(&mut self, object: Object, batches: &Batches) {
        match InputKey::parse(&object.key) {
            InputKey::Spec(_) => self.spec_there = true,
            InputKey::Ready(_) => self.ready = Some(object.last_modified),
            kind @ (InputKey::File(_) | InputKey::Manifest(_)) => {
                if batches.is_json_manifest(&object.key) {
                    self.json_manifests.insert(object.key.clone());
                }
                self.by_hand |= matches!(kind, InputKey::Manifest(_)) || !self.json_manifests.is_empty();
                match batches.change(&object) {
                    Some(change) if !batches.goes_on(&object.key) => self.changed.add(object.key, change),
                    change => {
                        self.unsettled
                            .extend(change.map(|change| (object.clone(), change)));
                        self.files.push(object);
                    }
                }
            }
            InputKey::Team(_)
            | InputKey::BadTeam(_)
            | InputKey::TeamsFolder
            | InputKey::Loose
            | InputKey::BadDataset(_) => {}
        }
    }
}
