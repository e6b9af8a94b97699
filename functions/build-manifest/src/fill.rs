//! From waiting files to the bytes of one manifest. Files are read side by side and taken in order; memory holds the
//! manifest being made and what is being read, never all of the files.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use futures::stream::{self, StreamExt};
use shared::item::{self, Items, Rules};
use shared::layout::InputKey;
use shared::manifest::Line;
use shared::port::{Object, Store, StoreError};
use shared::status::{Reject, RowsLeftOut};

use crate::batches::{BatchContent, BatchedFile, Resume};

mod links;
mod read;
pub(crate) mod recipe;

use links::LinkCheck;
pub(crate) use read::{Candidate, FileRole};
use read::{Contents, LargeHeads, read};
use recipe::Recipe;

/// Bytes of one manifest. Written with one PutObject, held in memory once.
pub(crate) const MAX_MANIFEST: usize = 32 << 20;
/// Files read at once: S3 answers in some 20 ms, and one virtual CPU handles no more than 64 of such a time.
const AT_ONCE: usize = 64;
/// A file up to this size is read beside others; a larger one alone. 64 of them are 16 MiB.
const SMALL: u64 = 256 << 10;
/// Rejected in one go, before it is recorded: a process that is killed among millions of bad files goes on behind these.
const MAX_REJECTED: usize = 100_000;
/// Bad rows of one file that are listed one by one, before the one that says how many more there are.
const LISTED_ROWS: usize = 1_000;

/// A batch ready to be written, and what became of the files it was made from.
#[derive(Debug, Default)]
pub(crate) struct BatchDraft {
    pub(crate) manifest: Vec<u8>,
    pub(crate) added: BatchContent,
    pub(crate) rejected: Vec<Reject>,
    /// In the batch, rejected, or gone.
    pub(crate) done: Vec<Object>,
    /// Did not fit any more. A file whose rows fit in part is in both.
    pub(crate) rest: Vec<Object>,
    /// Manifests made by hand that are held, since something they point to is not there yet. Not in `done`.
    pub(crate) incomplete: Vec<Object>,
    /// Reject, and to be looked at again: nothing of what they point to is there.
    pub(crate) unreached: Vec<Object>,
}

/// How much of a file went into the batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum BatchFit {
    All,
    /// All of it, and the batch ends here.
    Last,
    Part,
    Nothing,
    /// Not now: something it points to is missing.
    Held,
}

pub(crate) async fn fill(
    store: &impl Store,
    recipe: &Recipe<'_>,
    candidates: Vec<Candidate>,
) -> Result<BatchDraft, StoreError> {
    let mut draft = BatchDraft::default();
    let large_heads = LargeHeads::default();
    let (mut done, mut part) = (0, false);
    'full: for group in candidates.chunk_by(|a, b| a.cost() <= SMALL && b.cost() <= SMALL) {
        let reads = stream::iter(group).map(|candidate| read(store, candidate, &large_heads));
        let mut reads = std::pin::pin!(reads.buffered(ahead(recipe, group)));
        for candidate in group {
            let Some(contents) = reads.next().await else { break };
            let fit = match BatchDraft::check_numbering(recipe, candidate, contents?) {
                Contents::ByHand { bytes, etag } => {
                    let links = LinkCheck::new(store, recipe, &large_heads);
                    draft.take_by_hand(&links, candidate, &bytes, &etag).await?
                }
                contents => draft.take(recipe, candidate, contents),
            };
            done += usize::from(fit != BatchFit::Nothing);
            part = fit == BatchFit::Part;
            if !matches!(fit, BatchFit::All | BatchFit::Held) || draft.rejected.len() >= MAX_REJECTED {
                break 'full;
            }
        }
    }
    let mut objects: Vec<Object> = candidates.into_iter().map(|candidate| candidate.object).collect();
    draft.rest = objects.split_off(done);
    if let Some((last, resume)) = objects.last().filter(|_| part).zip(draft.added.resume.as_ref()) {
        // As it was read, which may be newer than the listing.
        let etag = resume.etag.clone();
        draft.rest.insert(0, Object { etag, ..last.clone() });
    }
    objects.retain(|object| !draft.incomplete.contains(object));
    draft.done = objects;
    Ok(draft)
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

impl BatchDraft {
    /// The same, or rejected where its rows have other numbers than before.
    fn check_numbering(recipe: &Recipe<'_>, candidate: &Candidate, contents: Contents) -> Contents {
        match &contents {
            Contents::Text { bytes, .. } | Contents::ByHand { bytes, .. } => {
                let reason = candidate.numbering_problem(recipe.spec, bytes);
                reason.map_or(contents, Contents::Rejected)
            }
            _ => contents,
        }
    }

    fn take(&mut self, recipe: &Recipe<'_>, candidate: &Candidate, contents: Contents) -> BatchFit {
        let Object { key, etag, .. } = &candidate.object;
        match contents {
            Contents::Gone => BatchFit::All,
            Contents::Rejected(reason) => {
                self.reject(key, etag, reason);
                BatchFit::All
            }
            Contents::Image { etag } => self.take_image(recipe, key, &etag),
            Contents::Text { bytes, etag } => {
                let items = item::read_text(recipe.spec, key, &etag, &bytes, candidate.after_row);
                self.take_rows(recipe, candidate, &etag, items)
            }
            // Asks the store for more, and so is taken elsewhere.
            Contents::ByHand { .. } => BatchFit::Nothing,
        }
    }

    /// Rows of a manifest made by hand: what each points to is looked at, many side by side, before it is taken. Each such
    /// manifest is a batch of its own.
    async fn take_by_hand(
        &mut self,
        links: &LinkCheck<'_, impl Store>,
        candidate: &Candidate,
        bytes: &[u8],
        etag: &str,
    ) -> Result<BatchFit, StoreError> {
        let (recipe, key) = (links.recipe, &candidate.object.key);
        let rules = Rules {
            sources: recipe.links,
            dataset: recipe.dataset,
        };
        let begin = (self.manifest.len(), self.added.items);
        let mut rows = Rows::new(candidate, etag);
        let mut items = item::read_manifest(recipe.spec, rules, key, etag, bytes, candidate.after_row);
        let with_blank = std::iter::from_fn(|| items.next().map(|item| (item, items.blank_rows())));
        let checks = stream::iter(with_blank).map(|(item, blank)| async move {
            links.check(item, etag, key).await.map(|checked| (checked, blank))
        });
        let mut checks = Box::pin(checks.buffered(AT_ONCE));
        let mut all = true;
        while let Some(checked) = checks.next().await {
            let ((item, missing), blank) = checked?;
            rows.blank = blank;
            let added = match item {
                Err(reject) if missing => rows.add_missing(reject),
                item => rows.add(self, recipe, item),
            };
            if added.is_break() || rows.is_unreached() {
                all = false;
                break;
            }
        }
        drop(checks);
        if all {
            rows.blank = items.blank_rows();
        }
        let missing = rows.missing > 0 && candidate.after_row == 0 && rows.fit != BatchFit::Nothing;
        if missing && recipe.holds {
            self.manifest.truncate(begin.0);
            self.added.items = begin.1;
            self.added.resume = None;
            self.incomplete.push(candidate.object.clone());
            return Ok(BatchFit::Held);
        }
        if missing && rows.lines == 0 {
            let etag = etag.to_owned();
            self.unreached.push(Object {
                etag,
                ..candidate.object.clone()
            });
        }
        if rows.lines > 0 && !matches!(InputKey::parse(key), InputKey::Manifest(_)) {
            self.added.json_manifest = Some(key.clone());
        }
        Ok(match rows.end(self) {
            BatchFit::All => BatchFit::Last,
            fit => fit,
        })
    }

    fn take_image(&mut self, recipe: &Recipe<'_>, key: &str, etag: &str) -> BatchFit {
        let line = item::image_line(recipe.input_bucket, key, etag);
        if !self.has_room(recipe, &line) {
            return BatchFit::Nothing;
        }
        self.push(&line);
        self.added.files.push(BatchedFile::of(key, etag));
        BatchFit::All
    }

    fn take_rows(
        &mut self,
        recipe: &Recipe<'_>,
        candidate: &Candidate,
        etag: &str,
        mut items: Items<'_>,
    ) -> BatchFit {
        let mut rows = Rows::new(candidate, etag);
        while let Some(item) = items.next() {
            rows.blank = items.blank_rows();
            if rows.add(self, recipe, item).is_break() {
                return rows.end(self);
            }
        }
        rows.blank = items.blank_rows();
        rows.end(self)
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
        self.rejected.push(Reject {
            key: key.to_owned(),
            etag: etag.to_owned(),
            row: None,
            reason,
        });
    }
}

/// The rows of one file, as far as the batch has room for them.
struct Rows<'a> {
    candidate: &'a Candidate,
    etag: &'a str,
    bad: BadRows,
    /// As the bad ones were at the last row taken: what comes behind it is read again for the next batch.
    settled: ((usize, u64), u64),
    /// Blank rows so far.
    blank: u64,
    lines: u64,
    last_row: u64,
    /// Rows that point to what is not there.
    missing: u64,
    fit: BatchFit,
}

impl<'a> Rows<'a> {
    fn new(candidate: &'a Candidate, etag: &'a str) -> Self {
        Self {
            candidate,
            etag,
            bad: BadRows::default(),
            settled: ((0, 0), 0),
            blank: 0,
            lines: 0,
            last_row: 0,
            missing: 0,
            fit: BatchFit::All,
        }
    }

    fn add(
        &mut self,
        draft: &mut BatchDraft,
        recipe: &Recipe<'_>,
        item: Result<Line, Reject>,
    ) -> ControlFlow<()> {
        match item {
            Ok(line) if draft.has_room(recipe, &line) => {
                draft.push(&line);
                self.lines += 1;
                self.last_row = line.row.unwrap_or(self.last_row);
                self.settled = (self.bad.mark(), self.blank);
            }
            Ok(_) if self.lines == 0 => {
                self.fit = BatchFit::Nothing;
                return ControlFlow::Break(());
            }
            Ok(_) => {
                draft.added.resume = Some(Resume {
                    key: self.candidate.object.key.clone(),
                    etag: self.etag.to_owned(),
                    after_row: self.last_row,
                    numbering: item::ROW_NUMBERING,
                });
                self.bad.back_to(self.settled.0);
                self.blank = self.settled.1;
                self.fit = BatchFit::Part;
                return ControlFlow::Break(());
            }
            Err(reject) => self.bad.add(reject),
        }
        ControlFlow::Continue(())
    }

    /// The line points to what is not there.
    fn add_missing(&mut self, reject: Reject) -> ControlFlow<()> {
        self.missing += 1;
        self.bad.missing.extend(reject.row);
        self.bad.add(reject);
        ControlFlow::Continue(())
    }

    /// So many of the first point to nothing, and none to something: the rest is not asked for.
    fn is_unreached(&self) -> bool {
        self.lines == 0 && self.missing >= LISTED_ROWS as u64
    }

    fn end(self, draft: &mut BatchDraft) -> BatchFit {
        if self.fit == BatchFit::Nothing {
            return self.fit;
        }
        let key = &self.candidate.object.key;
        let left_out = RowsLeftOut {
            rejected: self.bad.count(),
            blank: self.blank,
        };
        let bad = self.bad.into_listed(self.lines > 0);
        let whole = bad.iter().any(|reject| reject.row.is_none());
        draft.rejected.extend(bad);
        if self.lines > 0 {
            draft.added.files.push(BatchedFile::of(key, self.etag));
            draft.added.left_out += left_out;
        } else if !whole {
            draft.reject(key, self.etag, no_item_reason(self.candidate.after_row));
        }
        self.fit
    }
}

/// Bad rows of one file: the first of them one by one, the others as a number, so that a broken file of a million
/// rows fills neither memory nor a page.
#[derive(Debug, Default)]
struct BadRows {
    first: Vec<Reject>,
    more: u64,
    /// Rows of those that point to what is not there.
    missing: BTreeSet<u64>,
}

impl BadRows {
    fn add(&mut self, reject: Reject) {
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

    /// Each missing object with what to do, which depends on whether a part of the manifest is in a batch; and the last
    /// one listed says how many follow.
    fn into_listed(mut self, batched: bool) -> Vec<Reject> {
        for reject in &mut self.first {
            if reject.row.is_some_and(|row| self.missing.contains(&row)) {
                reject.reason.push_str(links::advice(batched));
            }
        }
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

fn no_item_reason(after_row: u64) -> String {
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
    use testkit::FakeStore;

    use shared::link::LinkSources;
    use shared::name::DatasetName;
    use shared::spec::Spec;

    use super::read::ReadMode;
    use super::*;

    #[tokio::test]
    async fn of_very_many_bad_files_some_are_recorded_before_the_next_are_read() {
        let text = b"task: text-classification\nlabels: [a, b]\nteam: t\ntitle: t\n";
        let spec = Spec::parse(text).unwrap();
        let recipe = Recipe {
            spec: &spec,
            dataset: &DatasetName::new("d").unwrap(),
            links: &LinkSources::own_folder("in", "out"),
            input_bucket: "in",
            max_items: 5,
            holds: true,
        };
        let bad = |n: usize| Candidate {
            object: Object {
                key: format!("d/{n:06}.txt"),
                etag: String::new(),
                size: 0,
                last_modified: Timestamp::UNIX_EPOCH,
            },
            mode: ReadMode::Rejected("it is empty".to_owned()),
            after_row: 0,
            numbering: item::ROW_NUMBERING,
        };
        let candidates = (0..=MAX_REJECTED).map(bad).collect();
        let draft = fill(&FakeStore::default(), &recipe, candidates).await.unwrap();
        assert_eq!(draft.rejected.len(), MAX_REJECTED);
        assert_eq!((draft.done.len(), draft.rest.len()), (MAX_REJECTED, 1));
    }
}
