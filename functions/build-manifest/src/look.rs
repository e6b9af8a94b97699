//! What lies in a dataset's folder of the input bucket at one moment, and S3's time of that moment.

use jiff::{SignedDuration, Timestamp};
use shared::change::Change;
use shared::layout::{self, InputKey};
use shared::name::DatasetName;
use shared::port::{Bucket, Object, OpenUpload, Store, StoreError};

use crate::batches::Batches;

/// When the event of a dropped file has surely come and led to a look: the longest delay the template takes for its queue
/// (480 s), the window in which messages are gathered (60 s), and a minute.
const TOLD_WITHIN: SignedDuration = SignedDuration::from_mins(10);

/// A listing of everything that no batch has.
#[derive(Debug)]
pub(crate) struct Look {
    /// The `Date` of the last page: the only clock. Lambda's own may be minutes off, and both sides of every
    /// comparison are S3's this way.
    pub(crate) date: Timestamp,
    pub(crate) uploads: Vec<OpenUpload>,
    /// When `_READY` was put there.
    pub(crate) ready: Option<Timestamp>,
    pub(crate) spec_there: bool,
    /// The dataset holds manifests made by hand, and is labelled from those alone.
    pub(crate) by_hand: bool,
    /// When the newest of the files beside these manifests came: what they point to may still be arriving.
    pub(crate) newest_beside: Option<Timestamp>,
    /// In no batch yet, or not with all rows; in UTF-8 order of the keys.
    pub(crate) files: Vec<Object>,
    pub(crate) changed: Changed,
    /// Changed while only a part of their rows is in a batch: the rest may go on or be rejected by this very look.
    unsettled: Vec<(Object, Change)>,
}

/// Files in a batch that are not what the batch has of them.
#[derive(Debug, Default)]
pub(crate) struct Changed {
    pub(crate) count: u64,
    /// Of these, files that may hold the same bytes.
    pub(crate) unclear: u64,
    /// The first by key of those that surely changed, and of the others.
    sure_first: Vec<String>,
    unclear_first: Vec<String>,
}

/// Changed files that are named.
const NAMED: usize = 20;

impl Changed {
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
        // In order whatever the order they are found in: the same files are the same status.
        let place = first.partition_point(|known| *known < key);
        first.insert(place, key);
        first.truncate(NAMED);
        self.count += 1;
    }
}

/// Uploads are listed before objects: one that finishes in between is seen in the second listing, and perhaps in
/// both, but never in neither. A page that fails ends it all: a part of a listing decides nothing.
pub(crate) async fn look(
    store: &impl Store,
    dataset: &DatasetName,
    batches: &Batches,
) -> Result<Look, StoreError> {
    let prefix = layout::dataset_prefix(dataset);
    let uploads = store.open_uploads(&prefix).await?;
    let date = Timestamp::UNIX_EPOCH;
    let mut look = Look {
        date,
        uploads,
        ready: None,
        spec_there: false,
        by_hand: false,
        newest_beside: None,
        files: Vec::new(),
        changed: Changed::default(),
        unsettled: Vec::new(),
    };
    let mut token: Option<String> = None;
    loop {
        let page = store
            .list(Bucket::Input, &prefix, false, token.as_deref())
            .await?;
        page.objects
            .into_iter()
            .for_each(|object| look.add(object, batches));
        look.date = page.date;
        token = page.next;
        if token.is_none() {
            break;
        }
    }
    if look.by_hand {
        let mut newest = None;
        look.files.retain(|file| {
            let taken =
                batches.goes_on(&file.key) || matches!(InputKey::parse(&file.key), InputKey::Manifest(_));
            if !taken {
                newest = newest.max(Some(file.last_modified));
            }
            taken
        });
        look.newest_beside = newest;
    }
    Ok(look)
}

impl Look {
    /// After the batches were cut: what does not go on any more is in a batch as it was then.
    pub(crate) fn settle(&mut self, batches: &Batches) {
        for (object, change) in std::mem::take(&mut self.unsettled) {
            if !batches.goes_on(&object.key) {
                self.changed.add(object.key, change);
            }
        }
    }

    /// It came after the last look that found anything, and no event has led to one since. An object uploaded in parts
    /// is as old as the beginning of its upload, so that its time says nothing; its ETag tells it (`<md5>-<parts>`).
    pub(crate) fn is_untold(&self, file: &Object, looked_at: Option<Timestamp>) -> bool {
        let since = self.date.duration_since(file.last_modified);
        since > TOLD_WITHIN
            && looked_at.is_none_or(|looked| file.last_modified > looked)
            && !file.etag.contains('-')
    }

    fn add(&mut self, object: Object, batches: &Batches) {
        match InputKey::parse(&object.key) {
            InputKey::Spec(_) => self.spec_there = true,
            InputKey::Ready(_) => self.ready = Some(object.last_modified),
            kind @ (InputKey::File(_) | InputKey::Manifest(_)) => {
                self.by_hand |= matches!(kind, InputKey::Manifest(_));
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
