//! Which worker can get which item: the item documents of a job in memory, arranged so that the next item is found at once.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use jiff::Timestamp;

use super::answers::{Interner, WorkerAnswer};
use super::finished_items::FinishedItem;
use super::item::{ItemProgress, ItemRecord};
use crate::answer::AnswerReader;
use crate::state::Counters;

pub(crate) struct Index {
    rules: HandOutRules,
    slots: Vec<Slot>,
    /// Items that were handed out and are not finished.
    active: HashMap<u32, ActiveItem>,
    /// Those of them that one more worker can get.
    open: BTreeSet<u32>,
    /// No item before this one is fresh.
    fresh_from: u32,
    /// Which items each worker has a lease on.
    held: HashMap<String, BTreeSet<u32>>,
    expiries: BTreeSet<(Timestamp, u32)>,
    answered: HashMap<String, u32>,
    done: u32,
    failed: u32,
    passed_through: u32,
    /// No more tasks are handed out.
    handing_out_ended: bool,
    interner: Interner,
    reader: Arc<AnswerReader>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct HandOutRules {
    /// Different people for each item.
    pub(crate) workers: u32,
    /// Items in work at once.
    pub(crate) window: u32,
    /// The most items to label.
    pub(crate) limit: u32,
}

enum Slot {
    Fresh,
    /// Had the label before the job.
    PassedThrough,
    Active,
    Done(FinalAnswers),
    Failed(FinalAnswers),
    /// Its document cannot be read. This process leaves it alone.
    Damaged,
}

/// The answers to an item that needs no more, and the ETag of the document they are in.
struct FinalAnswers {
    answers: Box<[WorkerAnswer]>,
    etag: Box<str>,
}

struct ActiveItem {
    record: ItemRecord,
    /// `None` until the document is written.
    etag: Option<String>,
    /// Workers whose lease is being written.
    reserved: Vec<String>,
    /// The number of checks of the job (see `open_watch`) when the document was known to exist.
    since: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pick {
    /// The worker holds this item already.
    Held(u32),
    /// This item is reserved for the worker: write the lease, [`Index::update`] the item, then [`Index::unreserve`] it.
    Reserved(u32),
    Nothing,
}

/// The state of an item.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ItemState<'a> {
    PassedThrough,
    Done(&'a [WorkerAnswer]),
    Failed(&'a [WorkerAnswer]),
    Damaged,
    /// Not enough answers (yet).
    Open(Vec<WorkerAnswer>),
}

impl Index {
    pub(crate) fn new(
        rules: HandOutRules,
        reader: Arc<AnswerReader>,
        total: u32,
        is_labeled: impl Fn(u32) -> bool,
    ) -> Index {
        let slot = |index| match is_labeled(index) {
            true => Slot::PassedThrough,
            false => Slot::Fresh,
        };
        let slots: Vec<Slot> = (0..total).map(slot).collect();
        let passed_through = slots
            .iter()
            .filter(|slot| matches!(slot, Slot::PassedThrough))
            .count() as u32;
        Index {
            rules,
            slots,
            passed_through,
            active: HashMap::new(),
            open: BTreeSet::new(),
            fresh_from: 0,
            held: HashMap::new(),
            expiries: BTreeSet::new(),
            answered: HashMap::new(),
            done: 0,
            failed: 0,
            handing_out_ended: false,
            interner: Interner::default(),
            reader,
        }
    }

    /// The next item for this worker. Items in work come first, so that they get finished; the window bounds how many of
    /// them are looked at.
    pub(crate) fn pick(&mut self, worker: &str, now: Timestamp) -> Pick {
        self.expire(now);
        if let Some(index) = self.held_by(worker, now) {
            return Pick::Held(index);
        }
        if self.handing_out_ended {
            return Pick::Nothing;
        }
        let next = self
            .open
            .iter()
            .copied()
            .find(|index| self.is_for(*index, worker, now));
        let Some(index) = next.or_else(|| self.take_fresh()) else {
            return Pick::Nothing;
        };
        if let Some(active) = self.active.get_mut(&index) {
            active.reserved.push(worker.to_owned());
        }
        self.update_open(index, now);
        Pick::Reserved(index)
    }

    /// The lease was written and the index updated, or the lease was not written.
    pub(crate) fn unreserve(&mut self, index: u32, worker: &str, now: Timestamp) {
        let Some(active) = self.active.get_mut(&index) else {
            return;
        };
        active.reserved.retain(|reserved| reserved != worker);
        if active.etag.is_none() && active.reserved.is_empty() {
            self.active.remove(&index);
            self.open.remove(&index);
            self.slots[index as usize] = Slot::Fresh;
            self.fresh_from = self.fresh_from.min(index);
        } else {
            self.update_open(index, now);
        }
    }

    /// Takes the stored version of an item. `true` if that finished the item.
    pub(crate) fn update(
        &mut self,
        index: u32,
        record: ItemRecord,
        etag: String,
        now: Timestamp,
        checks: u64,
    ) -> bool {
        let Some(slot) = self.slots.get(index as usize) else {
            return false;
        };
        if !matches!(slot, Slot::Fresh | Slot::Active) {
            return false;
        }
        let before = self.active.remove(&index);
        if let Some(before) = &before {
            self.remove_counts(index, &before.record);
        }
        self.add_counts(index, &record);
        let progress = record.progress(self.rules.workers, now);
        if matches!(progress, ItemProgress::Done | ItemProgress::Failed) {
            self.finish(index, &record, progress, etag);
            return true;
        }
        let (reserved, since) = match before {
            Some(before) if before.etag.is_some() => (before.reserved, before.since),
            Some(before) => (before.reserved, checks),
            None => (Vec::new(), checks),
        };
        let active = ActiveItem {
            record,
            etag: Some(etag),
            reserved,
            since,
        };
        self.slots[index as usize] = Slot::Active;
        self.active.insert(index, active);
        self.update_open(index, now);
        false
    }

    /// The newest known version of an item in work, its ETag if it was written, and since which check of the job.
    pub(crate) fn record(&self, index: u32) -> Option<(&ItemRecord, Option<&str>, u64)> {
        self.active
            .get(&index)
            .map(|active| (&active.record, active.etag.as_deref(), active.since))
    }

    pub(crate) fn etag(&self, index: u32) -> Option<&str> {
        self.active.get(&index)?.etag.as_deref()
    }

    /// The document of an item cannot be read: the item has failed, and the others go on.
    pub(crate) fn mark_damaged(&mut self, index: u32) {
        let is_open = matches!(self.slots.get(index as usize), Some(Slot::Fresh | Slot::Active));
        if !is_open {
            return;
        }
        if let Some(before) = self.active.remove(&index) {
            self.remove_counts(index, &before.record);
        }
        self.open.remove(&index);
        self.failed += 1;
        self.slots[index as usize] = Slot::Damaged;
    }

    /// Takes an item that was finished before this start. `false` if the item is known already.
    pub(crate) fn restore(&mut self, item: FinishedItem) -> bool {
        if !matches!(self.slots.get(item.index as usize), Some(Slot::Fresh)) {
            return false;
        }
        for answer in &item.answers {
            *self.answered.entry(answer.person.id.clone()).or_default() += 1;
        }
        self.keep(item);
        true
    }

    pub(crate) fn finished_items(&self) -> Vec<FinishedItem> {
        let finished = |(index, slot): (usize, &Slot)| {
            let (last, failed) = match slot {
                Slot::Done(last) => (last, false),
                Slot::Failed(last) => (last, true),
                Slot::Fresh | Slot::PassedThrough | Slot::Active | Slot::Damaged => return None,
            };
            Some(FinishedItem {
                index: index as u32,
                etag: last.etag.clone(),
                failed,
                answers: last.answers.clone(),
            })
        };
        self.slots.iter().enumerate().filter_map(finished).collect()
    }

    pub(crate) fn finished_count(&self) -> u32 {
        self.done + self.failed
    }

    pub(crate) fn is_finished_item(&self, index: u32) -> bool {
        !matches!(self.slots.get(index as usize), Some(Slot::Fresh | Slot::Active))
    }

    pub(crate) fn has_answered(&self, index: u32, worker: &str) -> bool {
        match self.slots.get(index as usize) {
            Some(Slot::Done(last) | Slot::Failed(last)) => {
                last.answers.iter().any(|answer| answer.person.id == worker)
            }
            _ => false,
        }
    }

    /// Frees the items whose leases have expired.
    pub(crate) fn expire(&mut self, now: Timestamp) {
        while let Some(&(until, index)) = self.expiries.first().filter(|(until, _)| *until <= now) {
            self.expiries.remove(&(until, index));
            self.update_open(index, now);
        }
    }

    /// Hands out no more tasks. Answers to tasks that were handed out are still taken.
    pub(crate) fn end_handing_out(&mut self) {
        self.handing_out_ended = true;
    }

    /// Whether the job is finished: every item is done or failed, the limit is reached, or no more tasks are handed out and
    /// no worker holds one.
    pub(crate) fn is_finished(&self, now: Timestamp) -> bool {
        self.remaining_count() == 0
            || self.done >= self.rules.limit
            || (self.handing_out_ended && !self.is_any_task_held(now))
    }

    /// Items that are neither done nor failed.
    pub(crate) fn remaining_count(&self) -> u32 {
        self.slots.len() as u32 - self.passed_through - self.done - self.failed
    }

    pub(crate) fn counters(&self) -> Counters {
        Counters {
            total_labeled: self.done + self.passed_through,
            human_labeled: self.done,
            failed: self.failed,
            unlabeled: self.remaining_count(),
        }
    }

    /// Items to label in this job.
    pub(crate) fn total(&self) -> u32 {
        self.slots.len() as u32 - self.passed_through
    }

    pub(crate) fn answered_by(&self, worker: &str) -> u32 {
        self.answered.get(worker).copied().unwrap_or_default()
    }

    pub(crate) fn held_by(&self, worker: &str, now: Timestamp) -> Option<u32> {
        let held = self.held.get(worker)?;
        held.iter().copied().find(|index| {
            self.active
                .get(index)
                .is_some_and(|active| !active.record.closed && active.record.lease_of(worker, now).is_some())
        })
    }

    /// Items the worker could be given now.
    pub(crate) fn available_to(&self, worker: &str, now: Timestamp) -> u32 {
        if self.handing_out_ended {
            return 0;
        }
        let open = self
            .open
            .iter()
            .filter(|index| self.is_for(**index, worker, now))
            .count() as u32;
        let fresh = self.remaining_count() - self.active.len() as u32;
        open + fresh.min(self.room())
    }

    pub(crate) fn active(&self) -> Vec<u32> {
        self.active.keys().copied().collect()
    }

    pub(crate) fn states(&self) -> impl Iterator<Item = ItemState<'_>> {
        self.slots.iter().enumerate().map(|(index, slot)| match slot {
            Slot::PassedThrough => ItemState::PassedThrough,
            Slot::Done(last) => ItemState::Done(&last.answers),
            Slot::Failed(last) => ItemState::Failed(&last.answers),
            Slot::Damaged => ItemState::Damaged,
            Slot::Fresh => ItemState::Open(Vec::new()),
            Slot::Active => ItemState::Open(self.answers_of_active(index as u32)),
        })
    }

    /// The answers to one item so far.
    pub(crate) fn answers(&self, index: u32) -> Vec<WorkerAnswer> {
        match self.slots.get(index as usize) {
            Some(Slot::Done(last) | Slot::Failed(last)) => last.answers.to_vec(),
            _ => self.answers_of_active(index),
        }
    }

    fn answers_of_active(&self, index: u32) -> Vec<WorkerAnswer> {
        let Some(active) = self.active.get(&index) else {
            return Vec::new();
        };
        let answers = active.record.answers.iter();
        answers
            .map(|answer| WorkerAnswer::from_record(answer, &self.reader))
            .collect()
    }

    fn is_for(&self, index: u32, worker: &str, now: Timestamp) -> bool {
        self.active.get(&index).is_some_and(|active| {
            !active.record.was_given_to(worker, now)
                && !active.reserved.iter().any(|reserved| reserved == worker)
        })
    }

    /// How many more items may be taken into work: by the window, and by the limit, which is never exceeded.
    fn room(&self) -> u32 {
        let active = self.active.len() as u32;
        let window = self.rules.window.saturating_sub(active);
        window.min(self.rules.limit.saturating_sub(self.done + active))
    }

    fn take_fresh(&mut self) -> Option<u32> {
        if self.room() == 0 {
            return None;
        }
        let rest = self.slots.get(self.fresh_from as usize..)?;
        let Some(step) = rest.iter().position(|slot| matches!(slot, Slot::Fresh)) else {
            self.fresh_from = self.slots.len() as u32;
            return None;
        };
        let index = self.fresh_from + step as u32;
        self.fresh_from = index + 1;
        self.slots[index as usize] = Slot::Active;
        let active = ActiveItem {
            record: ItemRecord::default(),
            etag: None,
            reserved: Vec::new(),
            since: 0,
        };
        self.active.insert(index, active);
        Some(index)
    }

    /// Puts an item among the open ones, or removes it from them.
    fn update_open(&mut self, index: u32, now: Timestamp) {
        let free = self.active.get(&index).is_some_and(|active| {
            let reserved = active.reserved.len() as u32;
            matches!(active.record.progress(self.rules.workers, now), ItemProgress::Open { free } if free > reserved)
        });
        match free {
            true => self.open.insert(index),
            false => self.open.remove(&index),
        };
    }

    fn add_counts(&mut self, index: u32, record: &ItemRecord) {
        for lease in &record.leases {
            self.held.entry(lease.worker.clone()).or_default().insert(index);
            self.expiries.insert((lease.until, index));
        }
        for answer in &record.answers {
            *self.answered.entry(answer.worker.clone()).or_default() += 1;
        }
    }

    fn remove_counts(&mut self, index: u32, record: &ItemRecord) {
        self.remove_leases(index, record);
        for answer in &record.answers {
            if let Some(count) = self.answered.get_mut(&answer.worker) {
                *count -= 1;
            }
        }
    }

    fn remove_leases(&mut self, index: u32, record: &ItemRecord) {
        for lease in &record.leases {
            if let Some(held) = self.held.get_mut(&lease.worker) {
                held.remove(&index);
            }
            self.expiries.remove(&(lease.until, index));
        }
    }

    fn finish(&mut self, index: u32, record: &ItemRecord, progress: ItemProgress, etag: String) {
        self.remove_leases(index, record);
        self.open.remove(&index);
        self.keep(FinishedItem {
            index,
            etag: etag.into(),
            failed: progress != ItemProgress::Done,
            answers: record
                .answers
                .iter()
                .map(|answer| WorkerAnswer::from_record(answer, &self.reader))
                .collect(),
        });
    }

    fn keep(&mut self, item: FinishedItem) {
        let answers = item.answers.into_iter();
        let last = FinalAnswers {
            answers: answers.map(|answer| self.interner.intern(answer)).collect(),
            etag: item.etag,
        };
        self.slots[item.index as usize] = if item.failed {
            self.failed += 1;
            Slot::Failed(last)
        } else {
            self.done += 1;
            Slot::Done(last)
        };
    }

    fn is_any_task_held(&self, now: Timestamp) -> bool {
        self.active.values().any(|active| {
            !active.reserved.is_empty()
                || (!active.record.closed && active.record.leases.iter().any(|lease| lease.until > now))
        })
    }
}
