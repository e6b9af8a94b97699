//! What is in no batch and never will be as it is, and whether it has been announced. Written to
//! `results/<dataset>/rejected.jsonl`.
//!
//! Written before the batch that leaves them out: a bad row of a file whose good rows are batched is seen only once,
//! since that file is not read again. Read before the batches and the files are listed: what is listed here and is
//! neither in a batch nor there any more was gone when it was read, and not only not seen yet.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};
use shared::layout;
use shared::manifest::without_line_breaks;
use shared::name::{BatchNumber, DatasetName};
use shared::port::{Bucket, Object, RefusalScope, ReplaceOutcome, Store, StoreError};
use shared::status::Reject;

use crate::batches::{BatchedFile, Batches, KeyHash};

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Entry {
    #[serde(flatten)]
    rejected: Reject,
    /// SHA-256 of the spec it was judged by: another spec may take it.
    #[serde(default)]
    spec: String,
    #[serde(default)]
    announced: bool,
    /// The batch that was about to be cut without this row.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    batch: Option<BatchNumber>,
    /// Nothing of the file is in a batch because what it points to is missing, and may arrive: it is looked at again.
    #[serde(skip_serializing_if = "is_false", default)]
    again: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it a reference")]
fn is_false(value: &bool) -> bool {
    !*value
}

#[derive(Debug)]
pub(crate) struct Rejects {
    key: String,
    spec: String,
    entries: Vec<Entry>,
    /// Where the entry of a file or row is, by key, ETag and row.
    known: HashMap<KeyHash, usize>,
    etag: Option<String>,
    changed: bool,
    /// Files in no batch as they were listed, by key and ETag.
    there: HashSet<KeyHash>,
}

impl Rejects {
    pub(crate) async fn load(store: &impl Store, dataset: &DatasetName) -> Result<Self, StoreError> {
        let key = layout::rejects(dataset);
        let (entries, etag) = read(store, &key).await?;
        let known = places(&entries);
        Ok(Self {
            key,
            spec: String::new(),
            entries,
            known,
            etag,
            changed: false,
            there: HashSet::new(),
        })
    }

    /// Forgets what has another chance (a new spec) and what is gone or overwritten. Rows stay while their file is in
    /// a batch or there as it was, whatever the spec: another process may be batching it by the spec it was judged by,
    /// and nothing reads it again after that. Nor is a row forgotten that a batch was about to be cut without, while it
    /// is not known what became of that batch: its file may have been overwritten since then.
    pub(crate) fn forget(&mut self, spec: &str, files: &[Object], batches: &Batches) {
        spec.clone_into(&mut self.spec);
        if self.entries.is_empty() {
            return;
        }
        let there = files.iter().map(|file| KeyHash::of(&[&file.key, &file.etag]));
        self.there = there.collect();
        let there = &self.there;
        let before = self.entries.len();
        self.entries.retain(
            |Entry {
                 rejected,
                 spec,
                 batch,
                 ..
             }| {
                if batch.is_some_and(|batch| !batches.reach(batch)) {
                    return true;
                }
                let again = *spec == self.spec || rejected.row.is_some();
                let same = again && there.contains(&KeyHash::of(&[&rejected.key, &rejected.etag]));
                same || batches.has(&rejected.key)
                    && (rejected.row.is_some() || !there_at_all(files, &rejected.key))
            },
        );
        self.changed |= self.entries.len() != before;
        self.known = places(&self.entries);
    }

    /// What became of the batches that were about to be cut is known now: where they hold other files, and the row's is
    /// gone, it is forgotten.
    pub(crate) fn settle(&mut self, batches: &Batches) {
        let there = &self.there;
        let before = self.entries.len();
        self.entries.retain(|Entry { rejected, batch, .. }| {
            batch.is_none_or(|batch| !batches.reach(batch))
                || batches.has(&rejected.key)
                || there.contains(&KeyHash::of(&[&rejected.key, &rejected.etag]))
        });
        if self.entries.len() != before {
            self.changed = true;
            self.known = places(&self.entries);
        }
    }

    /// These files are in a batch now as this spec takes them: what another spec said of their rows is over.
    pub(crate) fn overrule(&mut self, files: &[Object], batches: &Batches) {
        if self.entries.iter().all(|entry| entry.spec == self.spec) {
            return;
        }
        let judged = files.iter().map(|file| &file.key);
        let judged: HashSet<&String> = judged.filter(|key| !batches.has(key)).collect();
        let before = self.entries.len();
        self.entries
            .retain(|entry| entry.spec == self.spec || !judged.contains(&entry.rejected.key));
        self.changed |= self.entries.len() != before;
        self.known = places(&self.entries);
    }

    /// Whether the file as a whole, unchanged, was rejected.
    pub(crate) fn has(&self, file: &Object) -> bool {
        let place = match self.known.is_empty() {
            true => None,
            false => self.known.get(&KeyHash::of(&[&file.key, &file.etag, ""])),
        };
        let entry = place.and_then(|place| self.entries.get(*place));
        entry.is_some_and(|entry| !entry.again)
    }

    /// What was said of files that were to be looked at again, where that has happened now and said something else. Not
    /// what another process may be cutting a batch by.
    pub(crate) fn forget_looked_at_again(&mut self, files: &[Object], said: &[Reject], batches: &Batches) {
        let again = self.entries.iter().filter(|entry| entry.again);
        let again: HashSet<String> = again.map(|entry| entry.rejected.key.clone()).collect();
        let judged = files.iter().map(|file| &file.key);
        let judged: HashSet<&String> = judged.filter(|key| again.contains(*key)).collect();
        if judged.is_empty() {
            return;
        }
        let said: HashSet<KeyHash> = said.iter().map(hash).collect();
        self.entries.retain(|entry| {
            let open = entry.batch.is_some_and(|batch| !batches.reach(batch));
            open || !judged.contains(&entry.rejected.key) || said.contains(&hash(&entry.rejected))
        });
        self.changed = true;
        self.known = places(&self.entries);
    }

    /// These were judged now, and nothing of them could be taken only because what they point to is not there.
    pub(crate) fn look_again(&mut self, files: &[Object]) {
        for file in files {
            let place = self.known.get(&KeyHash::of(&[&file.key, &file.etag, ""]));
            if let Some(entry) = place.and_then(|place| self.entries.get_mut(*place)) {
                self.changed |= !entry.again;
                entry.again = true;
            }
        }
    }

    pub(crate) fn count(&self) -> u64 {
        self.entries.len() as u64
    }

    pub(crate) fn first(&self, number: usize) -> Vec<Reject> {
        self.entries
            .iter()
            .take(number)
            .map(|entry| entry.rejected.clone())
            .collect()
    }

    pub(crate) fn record(&mut self, rejected: Vec<Reject>) {
        for rejected in rejected {
            let entry = Entry {
                rejected,
                spec: self.spec.clone(),
                announced: false,
                batch: None,
                again: false,
            };
            match self.known.get(&hash(&entry.rejected)) {
                Some(&place) => self.judge_again(place, entry),
                None => {
                    self.add(entry);
                    self.changed = true;
                }
            }
        }
    }

    /// These files are about to be batched without their bad rows: recorded before it is cut, so that a
    /// process that knows neither the batch nor the files as they were keeps the rows.
    pub(crate) fn leave_out(&mut self, files: &[BatchedFile], number: BatchNumber) {
        if self.entries.is_empty() {
            return;
        }
        let files: HashSet<KeyHash> = files.iter().map(|file| file.key).collect();
        for entry in &mut self.entries {
            let is_row = entry.rejected.row.is_some() && entry.batch != Some(number);
            if is_row && files.contains(&KeyHash::of(&[&entry.rejected.key])) {
                entry.batch = Some(number);
                self.changed = true;
            }
        }
    }

    fn add(&mut self, entry: Entry) {
        self.known.insert(hash(&entry.rejected), self.entries.len());
        self.entries.push(entry);
    }

    /// What another spec rejected is rejected by this one too, perhaps for another reason. What was to be looked at again
    /// may be final now: its reason says so, and is not announced a second time for that.
    fn judge_again(&mut self, place: usize, entry: Entry) {
        let Some(other) = self.entries.get_mut(place) else {
            return;
        };
        if other.spec == entry.spec && other.rejected != entry.rejected {
            other.rejected = entry.rejected;
            self.changed = true;
        } else if other.spec != entry.spec {
            *other = Entry {
                announced: other.announced && other.rejected.reason == entry.rejected.reason,
                ..entry
            };
            self.changed = true;
        }
    }

    pub(crate) fn to_announce(&self) -> Vec<&Reject> {
        let new = self.entries.iter().filter(|entry| !entry.announced);
        new.map(|entry| &entry.rejected).collect()
    }

    pub(crate) fn mark_announced(&mut self) {
        self.changed |= self.entries.iter().any(|entry| !entry.announced);
        self.entries.iter_mut().for_each(|entry| entry.announced = true);
    }

    /// Two processes may add at once: the second one adds to what the first wrote.
    pub(crate) async fn save(&mut self, store: &impl Store) -> Result<(), StoreError> {
        const TRIES: usize = 5;
        for _ in 0..TRIES {
            if !self.changed {
                return Ok(());
            }
            match store
                .replace(&self.key, self.body()?, self.etag.as_deref())
                .await?
            {
                ReplaceOutcome::Done { etag } => {
                    self.etag = Some(etag);
                    self.changed = false;
                }
                ReplaceOutcome::Changed => self.merge(store).await?,
            }
        }
        if !self.changed {
            return Ok(());
        }
        let reason = format!("it changed during each of {TRIES} attempts to write it");
        Err(StoreError::Transient {
            operation: "PutObject",
            what: self.key.clone(),
            reason,
        })
    }

    async fn merge(&mut self, store: &impl Store) -> Result<(), StoreError> {
        let (theirs, etag) = read(store, &self.key).await?;
        self.etag = etag;
        // Of another spec, only rows are still true: those of a file that is in a batch, which is not read again.
        for entry in theirs {
            let still_true = entry.spec == self.spec || entry.rejected.row.is_some();
            match self.known.get(&hash(&entry.rejected)) {
                Some(&place) => {
                    if let Some(mine) = self.entries.get_mut(place) {
                        mine.batch = mine.batch.max(entry.batch);
                    }
                }
                None if still_true => self.add(entry),
                None => {}
            }
        }
        Ok(())
    }

    fn body(&self) -> Result<Vec<u8>, StoreError> {
        let mut body = Vec::new();
        for entry in &self.entries {
            let json = serde_json::to_string(entry).map_err(|error| self.unwritable(&error))?;
            body.extend(without_line_breaks(json).into_bytes());
            body.push(b'\n');
        }
        Ok(body)
    }

    fn unwritable(&self, error: &serde_json::Error) -> StoreError {
        StoreError::Refused {
            operation: "PutObject",
            what: self.key.clone(),
            scope: RefusalScope::Other,
            reason: error.to_string(),
        }
    }
}

fn places(entries: &[Entry]) -> HashMap<KeyHash, usize> {
    let hashes = entries.iter().map(|entry| hash(&entry.rejected));
    hashes.zip(0..).collect()
}

fn there_at_all(files: &[Object], key: &str) -> bool {
    files.iter().any(|file| file.key == key)
}

fn hash(rejected: &Reject) -> KeyHash {
    let row = rejected.row.map(|row| row.to_string()).unwrap_or_default();
    KeyHash::of(&[&rejected.key, &rejected.etag, &row])
}

/// An unreadable line (the file was edited by hand) is dropped: what it says is found out again.
async fn read(store: &impl Store, key: &str) -> Result<(Vec<Entry>, Option<String>), StoreError> {
    let Some(file) = store.get(Bucket::Output, key, None).await? else {
        return Ok((Vec::new(), None));
    };
    let lines = file.bytes.split(|&byte| byte == b'\n');
    let entries = lines
        .filter_map(|line| serde_json::from_slice(line).ok())
        .collect();
    Ok((entries, Some(file.etag)))
}
