//! From waiting files to the bytes of one manifest. Files are read side by side and taken in order; memory holds the
//! manifest being made and what is being read, never all of the files.

use futures::stream::{self, StreamExt};
use shared::item::{self, Items};
use shared::manifest::Line;
use shared::port::{Object, Store, StoreError};
use shared::spec::Spec;
use shared::status::{Rejected, RowsLeftOut};

use crate::batches::{Added, BatchedFile, Resume};

mod read;

pub(crate) use read::Candidate;
use read::{Contents, LargeHeads, read};

/// Bytes of one manifest. Written with one PutObject, held in memory once.
pub(crate) const MAX_MANIFEST: usize = 32 << 20;
/// Files read at once: S3 answers in some 20 ms, and one virtual CPU handles no more than 64 of such a time.
const AT_ONCE: usize = 64;
/// A file up to this size is read beside others; a larger one alone. 64 of them are 16 MiB.
const SMALL: u64 = 256 << 10;
/// Rejected in one go, before it is written down: whoever is killed among millions of bad files goes on behind these.
const MAX_REJECTED: usize = 100_000;
/// Bad rows of one file that are listed one by one, before the one that says how many more there are.
const LISTED_ROWS: usize = 1_000;

/// A batch ready to be written, and what became of the files it was made from.
#[derive(Debug, Default)]
pub(crate) struct Filled {
    pub(crate) manifest: Vec<u8>,
    pub(crate) added: Added,
    pub(crate) rejected: Vec<Rejected>,
    /// In the batch, rejected, or gone.
    pub(crate) done: Vec<Object>,
    /// Did not fit any more. A file whose rows fit in part is in both.
    pub(crate) rest: Vec<Object>,
}

/// What the batch had room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Taken {
    All,
    /// All of it, and the batch ends here.
    Last,
    Part,
    Nothing,
}

/// What a batch is made by.
pub(crate) struct Recipe<'a> {
    pub(crate) spec: &'a Spec,
    pub(crate) input_bucket: &'a str,
    pub(crate) max_items: u64,
}

pub(crate) async fn fill(
    store: &impl Store,
    recipe: &Recipe<'_>,
    candidates: Vec<Candidate>,
) -> Result<Filled, StoreError> {
    let mut filled = Filled::default();
    let large_heads = LargeHeads::default();
    let (mut done, mut part) = (0, false);
    'full: for group in candidates.chunk_by(|a, b| a.cost() <= SMALL && b.cost() <= SMALL) {
        let reads = stream::iter(group).map(|candidate| read(store, candidate, &large_heads));
        let mut reads = std::pin::pin!(reads.buffered(ahead(recipe, group)));
        for candidate in group {
            let Some(contents) = reads.next().await else { break };
            let taken = filled.take(recipe, candidate, contents?);
            done += usize::from(taken != Taken::Nothing);
            part = taken == Taken::Part;
            if taken != Taken::All || filled.rejected.len() >= MAX_REJECTED {
                break 'full;
            }
        }
    }
    let mut objects: Vec<Object> = candidates.into_iter().map(|candidate| candidate.object).collect();
    filled.rest = objects.split_off(done);
    if let Some((last, resume)) = objects.last().filter(|_| part).zip(filled.added.resume.as_ref()) {
        // As it was read, which may be newer than the listing.
        let etag = resume.etag.clone();
        filled.rest.insert(0, Object { etag, ..last.clone() });
    }
    filled.done = objects;
    Ok(filled)
}

/// Files read before it is known whether the batch has room for them: no more than it has items, and of manifests
/// made by hand one, since each is a batch of its own.
fn ahead(recipe: &Recipe<'_>, group: &[Candidate]) -> usize {
    if group.iter().any(Candidate::is_by_hand) {
        return 1;
    }
    usize::try_from(recipe.max_items)
        .unwrap_or(AT_ONCE)
        .clamp(1, AT_ONCE)
}

impl Filled {
    fn take(&mut self, recipe: &Recipe<'_>, candidate: &Candidate, contents: Contents) -> Taken {
        let Object { key, etag, .. } = &candidate.object;
        match contents {
            Contents::Gone => Taken::All,
            Contents::Rejected(reason) => {
                self.reject(key, etag, reason);
                Taken::All
            }
            Contents::Image { etag } => self.take_image(recipe, key, &etag),
            Contents::Text { bytes, etag } | Contents::ByHand { bytes, etag } => {
                if let Some(reason) = candidate.renumbered(recipe.spec, &bytes) {
                    self.reject(key, &etag, reason);
                    return Taken::All;
                }
                if !candidate.is_by_hand() {
                    let items = item::read_text(recipe.spec, key, &etag, &bytes, candidate.after_row);
                    return self.take_rows(recipe, candidate, &etag, items);
                }
                let items = item::read_manifest(recipe.spec, key, &etag, &bytes, candidate.after_row);
                let batch_of_its_own = |taken| if taken == Taken::All { Taken::Last } else { taken };
                batch_of_its_own(self.take_rows(recipe, candidate, &etag, items))
            }
        }
    }

    fn take_image(&mut self, recipe: &Recipe<'_>, key: &str, etag: &str) -> Taken {
        let line = item::image_line(recipe.input_bucket, key, etag);
        if !self.has_room(recipe, &line) {
            return Taken::Nothing;
        }
        self.push(&line);
        self.added.files.push(BatchedFile::of(key, etag));
        Taken::All
    }

    fn take_rows(
        &mut self,
        recipe: &Recipe<'_>,
        candidate: &Candidate,
        etag: &str,
        mut items: Items<'_>,
    ) -> Taken {
        let key = &candidate.object.key;
        let mut bad = BadRows::default();
        // As it was at the last row taken: what comes behind it is read again for the next batch.
        let mut settled = (bad.mark(), 0);
        let (mut lines, mut last_row) = (0_u64, 0);
        let mut taken = Taken::All;
        while let Some(item) = items.next() {
            match item {
                Ok(line) if self.has_room(recipe, &line) => {
                    self.push(&line);
                    lines += 1;
                    last_row = line.row.unwrap_or(last_row);
                    settled = (bad.mark(), items.blank());
                }
                Ok(_) if lines == 0 => return Taken::Nothing,
                Ok(_) => {
                    let etag = etag.to_owned();
                    self.added.resume = Some(Resume {
                        key: key.clone(),
                        etag,
                        after_row: last_row,
                        numbering: item::ROW_NUMBERING,
                    });
                    bad.back_to(settled.0);
                    taken = Taken::Part;
                    break;
                }
                Err(reject) => bad.add(reject),
            }
        }
        let blank = match taken {
            Taken::Part => settled.1,
            _ => items.blank(),
        };
        let left_out = RowsLeftOut {
            rejected: bad.count(),
            blank,
        };
        let bad = bad.listed();
        let whole = bad.iter().any(|reject| reject.row.is_none());
        self.rejected.extend(bad);
        if lines > 0 {
            self.added.files.push(BatchedFile::of(key, etag));
            self.added.left_out += left_out;
        } else if !whole {
            self.reject(key, etag, nothing_left(candidate.after_row));
        }
        taken
    }

    fn has_room(&self, recipe: &Recipe<'_>, line: &Line) -> bool {
        self.added.items < recipe.max_items && self.manifest.len() + line.json.len() < MAX_MANIFEST
    }

    fn push(&mut self, line: &Line) {
        self.manifest.extend_from_slice(line.json.as_bytes());
        self.manifest.push(b'\n');
        self.added.items += 1;
    }

    fn reject(&mut self, key: &str, etag: &str, reason: String) {
        self.rejected.push(Rejected {
            key: key.to_owned(),
            etag: etag.to_owned(),
            row: None,
            reason,
        });
    }
}

/// Bad rows of one file: the first of them one by one, the others as a number, so that a broken file of a million
/// rows fills neither memory nor a page.
#[derive(Debug, Default)]
struct BadRows {
    first: Vec<Rejected>,
    more: u64,
}

impl BadRows {
    fn add(&mut self, reject: Rejected) {
        if self.first.len() <= LISTED_ROWS {
            self.first.push(reject);
        } else {
            self.more += 1;
        }
    }

    fn count(&self) -> u64 {
        self.first.len() as u64 + self.more
    }

    fn mark(&self) -> (usize, u64) {
        (self.first.len(), self.more)
    }

    fn back_to(&mut self, (listed, more): (usize, u64)) {
        self.first.truncate(listed);
        self.more = more;
    }

    /// The last one listed says how many follow.
    fn listed(mut self) -> Vec<Rejected> {
        if let (Some(last), 1..) = (self.first.last_mut(), self.more) {
            let more = self.more;
            last.reason = format!(
                "{}. Behind it {more} more rows cannot be labeled and are not listed one by one",
                last.reason
            );
        }
        self.first
    }
}

fn nothing_left(after_row: u64) -> String {
    match after_row {
        0 => "no row of the file can be labeled; the rows are listed with their reasons".to_owned(),
        row => format!(
            "nothing after row {row} of the file can be labeled; the rows before are in a batch, so put fixed rows alone into \
             a file of another name"
        ),
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use platform::fake::FakeStore;

    use super::read::How;
    use super::*;

    #[tokio::test]
    async fn of_very_many_bad_files_some_are_written_down_before_the_next_are_read() {
        let text = b"task: text-classification\nlabels: [a, b]\nteam: t\ntitle: t\n";
        let spec = Spec::parse(text).unwrap();
        let recipe = Recipe {
            spec: &spec,
            input_bucket: "in",
            max_items: 5,
        };
        let bad = |n: usize| Candidate {
            object: Object {
                key: format!("d/{n:06}.txt"),
                etag: String::new(),
                size: 0,
                last_modified: Timestamp::UNIX_EPOCH,
            },
            how: How::Rejected("it is empty".to_owned()),
            after_row: 0,
            numbering: item::ROW_NUMBERING,
        };
        let candidates = (0..=MAX_REJECTED).map(bad).collect();
        let filled = fill(&FakeStore::default(), &recipe, candidates).await.unwrap();
        assert_eq!(filled.rejected.len(), MAX_REJECTED);
        assert_eq!((filled.done.len(), filled.rest.len()), (MAX_REJECTED, 1));
    }
}
