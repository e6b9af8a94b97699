//! What is true of a schedule, kept apart from what the functions believe, and what must hold after every step.

mod batch;
pub(crate) mod crew;
mod final_state;
mod listings;
mod notices;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::content::Content;
use crate::time::Ms;
use crate::world::objects::{StoredVersion, etag};
use batch::{Batch, BatchedRows};
use listings::Look;

/// What is promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Promise {
    /// An item is in one batch at most.
    ItemOnce,
    /// A batch holds what was dropped, and only what may be in it.
    ItemTrue,
    /// A batch is never changed, and its number never given again.
    BatchFixed,
    /// A batch names the spec that lay there, and that spec is pinned.
    SpecPinned,
    /// A batch is cut when the cut rule says so, and no earlier.
    CutInTime,
    /// A batch has one job at most, and no job has no batch.
    JobOnce,
    /// A job is what the pinned spec says.
    JobTrue,
    /// `started` stands for a job of this very batch.
    StartedTrue,
    /// A notice is repeated only by an invocation that looked before its marker was there.
    NoticeOnce,
    /// A marker stands for a notice that went out.
    NoticeTrue,
    /// What can be labeled is in a batch in the end.
    NothingLost,
    /// What cannot be labeled is listed with its reason, and announced.
    RejectsListed,
    /// Every batch has its job in the end.
    BatchHasJob,
    /// Every end of a job is announced in the end.
    EndAnnounced,
    /// The status says what is true.
    StatusTrue,
    /// A reply counts what was done.
    CountsTrue,
    /// A person with a good invitation gets no other, and no one gets more than are allowed.
    InvitedOnce,
    /// No more mails a day than are set aside for it.
    MailWithinBudget,
    /// A person's document names the teams whose files ask for it, and no others.
    ListTrue,
    /// Who comes and who goes is written down before anything is done for them.
    ListedFirst,
    /// A person is put into, kept in or taken out of a group only if a team's file asks for it.
    MemberTrue,
    /// A group or a work team that others made is never changed.
    OthersUntouched,
    /// A sign-in brings the teams with its very token.
    MemberAtOnce,
    /// A sign-in is never stopped, and never loses a group.
    SignInPasses,
    /// A marker or a notice of joining stands for a person who has joined.
    JoinedTrue,
    /// Everyone who joins is announced, and gets notices of work.
    JoinedAnnounced,
    /// The roster says what is true, and forgets no one.
    RosterTrue,
    /// Everyone is served, whatever is wrong with others, and what is wrong is announced.
    EveryoneServed,
    /// When nothing goes wrong any more, a round succeeds, and the next one changes nothing.
    Settles,
}

/// A promise that was not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    pub promise: Promise,
    pub detail: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.promise, self.detail)
    }
}

pub(crate) type CheckResult = Result<(), Violation>;

fn violation(promise: Promise, detail: impl Into<String>) -> CheckResult {
    Err(Violation {
        promise,
        detail: detail.into(),
    })
}

fn hold(kept: bool, promise: Promise, detail: impl FnOnce() -> String) -> CheckResult {
    if kept {
        Ok(())
    } else {
        violation(promise, detail())
    }
}

/// What a spec says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SpecTruth {
    pub(crate) title: String,
    pub(crate) quiet: Ms,
    pub(crate) max_wait: Ms,
    pub(crate) max_items: usize,
    pub(crate) limit: Option<u64>,
    pub(crate) valid: bool,
}

#[derive(Default)]
pub(crate) struct Truth {
    /// Everything that ever lay in the input bucket, by key and ETag.
    contents: BTreeMap<(String, String), Content>,
    /// ETag of what lies there now.
    current: BTreeMap<String, String>,
    /// Keys that something came to more than once.
    came_again: BTreeSet<String>,
    /// Keys that were deleted at some time, whatever came there later.
    removed: BTreeSet<String>,
    specs: BTreeMap<String, SpecTruth>,
    /// Which spec lay in the dataset from when on.
    spec_history: BTreeMap<String, Vec<(Ms, String)>>,
    pub(crate) begun: BTreeMap<u32, Ms>,
    looks: BTreeMap<(u32, String), Look>,
    /// Everything ever created, also what was deleted since.
    batches: BTreeMap<String, Vec<Batch>>,
    files: BTreeMap<String, BatchedRows>,
    /// Batches made by each invocation.
    made: BTreeMap<u32, u64>,
    /// Job by manifest.
    jobs: BTreeMap<String, String>,
    pub(crate) foreign: BTreeSet<String>,
    /// Notices by id: how often they went out.
    pub(crate) announced: BTreeMap<String, u32>,
    /// Who has looked for a marker and found none.
    absent: BTreeSet<(u32, String)>,
    pub(crate) crew: crew::CrewTruth,
    /// A batch that was deleted and will be restored.
    pub(crate) deleted: Option<(String, StoredVersion)>,
}

impl Truth {
    pub(crate) fn record_drop(&mut self, key: &str, bytes: &[u8], content: Content) {
        let etag = etag(bytes);
        if self.contents.keys().any(|(there, _)| there == key) {
            self.came_again.insert(key.to_owned());
        }
        self.current.insert(key.to_owned(), etag.clone());
        self.contents.insert((key.to_owned(), etag), content);
    }

    pub(crate) fn record_removal(&mut self, key: &str) {
        self.removed.insert(key.to_owned());
        self.current.remove(key);
    }

    pub(crate) fn spec_dropped(&mut self, dataset: &str, sha256: &str, spec: SpecTruth, at: Ms) {
        self.specs.insert(sha256.to_owned(), spec);
        let history = self.spec_history.entry(dataset.to_owned()).or_default();
        history.push((at, sha256.to_owned()));
    }

    /// Whether the dataset has a spec that can be used.
    pub(crate) fn has_valid_spec(&self, dataset: &str) -> bool {
        self.current_spec(dataset).is_some_and(|spec| spec.valid)
    }

    fn current_spec(&self, dataset: &str) -> Option<&SpecTruth> {
        let (_, sha256) = self.spec_history.get(dataset)?.last()?;
        self.specs.get(sha256)
    }

    /// Batches and items, all datasets together.
    pub(crate) fn counts(&self) -> (u64, u64) {
        let all = self.batches.values().flatten();
        all.fold((0, 0), |(batches, items), batch| {
            (batches + 1, items + batch.items)
        })
    }
}
