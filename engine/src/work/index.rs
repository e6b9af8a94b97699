//! Who can be given what, in memory: a cache of a job's item documents, built for handing out the next object at once.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use jiff::Timestamp;

use super::answers::{Answer, Interner, compact};
use super::item::{ItemRecord, Standing};
use super::settled::Settled;
use crate::job::Answers;
use crate::state::Counters;

pub(crate) struct Index {
    rules: Rules,
    slots: Vec<Slot>,
    /// Objects somebody was given and that are not done.
    active: HashMap<u32, Active>,
    /// Those of them with a free place.
    open: BTreeSet<u32>,
    /// No object before this one is fresh.
    fresh_from: u32,
    /// Which objects each worker has a lease on.
    held: HashMap<String, BTreeSet<u32>>,
    expiries: BTreeSet<(Timestamp, u32)>,
    answered: HashMap<String, u32>,
    done: u32,
    failed: u32,
    passed_through: u32,
    /// Tasks are no longer handed out.
    shut: bool,
    memory: Interner,
    reading: Arc<Answers>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    /// Different people for each object.
    pub(crate) workers: u32,
    /// Objects in work at once.
    pub(crate) window: u32,
    /// Objects to be labelled at most.
    pub(crate) limit: u32,
}

enum Slot {
    Fresh,
    /// Had the label before the job.
    PassedThrough,
    Active,
    Done(Given),
    Failed(Given),
    /// Its document cannot be read; nothing more comes of it in this process.
    Damaged,
}

/// The answers to an object that needs no more, and the ETag of the document they are in.
struct Given {
    answers: Box<[Answer]>,
    etag: Box<str>,
}

struct Active {
    record: ItemRecord,
    /// `None` until the document is written.
    etag: Option<String>,
    /// Workers whose lease is being written.
    reserved: Vec<String>,
    /// [`Observed`](super::running) number at which the document was known to exist.
    since: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pick {
    /// The worker has this one open already.
    Held(u32),
    /// A place on this one is reserved for the worker: write the lease, [`Index::absorb`] it, then [`Index::unreserve`].
    Take(u32),
    Nothing,
}

/// What became of an object.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Outcome<'a> {
    PassedThrough,
    Done(&'a [Answer]),
    Failed(&'a [Answer]),
    Damaged,
    /// Not enough answers (yet).
    Open(Vec<Answer>),
}

impl Index {
    pub(crate) fn new(
        rules: Rules,
        reading: Arc<Answers>,
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
            shut: false,
            memory: Interner::default(),
            reading,
        }
    }

    /// The next object for this worker. Objects in work come first, so that they get done; among them the scan is bounded
    /// by the window.
    pub(crate) fn pick(&mut self, worker: &str, now: Timestamp) -> Pick {
        self.expire(now);
        if let Some(index) = self.held_by(worker, now) {
            return Pick::Held(index);
        }
        if self.shut {
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
        self.sort(index, now);
        Pick::Take(index)
    }

    /// The lease was written and taken in, or was not written.
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
            self.sort(index, now);
        }
    }

    /// Takes in what the store has for an object. `true` if the object got done or failed by that.
    pub(crate) fn absorb(
        &mut self,
        index: u32,
        record: ItemRecord,
        etag: String,
        now: Timestamp,
        observed: u64,
    ) -> bool {
        let Some(slot) = self.slots.get(index as usize) else {
            return false;
        };
        if !matches!(slot, Slot::Fresh | Slot::Active) {
            return false;
        }
        let before = self.active.remove(&index);
        if let Some(before) = &before {
            self.uncount(index, &before.record);
        }
        self.count(index, &record);
        let standing = record.standing(self.rules.workers, now);
        if matches!(standing, Standing::Done | Standing::Failed) {
            self.settle(index, &record, standing, etag);
            return true;
        }
        let (reserved, since) = before
            .map(|before| {
                (
                    before.reserved,
                    if before.etag.is_some() {
                        before.since
                    } else {
                        observed
                    },
                )
            })
            .unwrap_or((Vec::new(), observed));
        self.slots[index as usize] = Slot::Active;
        self.active.insert(
            index,
            Active {
                record,
                etag: Some(etag),
                reserved,
                since,
            },
        );
        self.sort(index, now);
        false
    }

    /// The newest known version of an object in work, with its ETag if it has been written, and since when it is known.
    pub(crate) fn record(&self, index: u32) -> Option<(&ItemRecord, Option<&str>, u64)> {
        self.active
            .get(&index)
            .map(|active| (&active.record, active.etag.as_deref(), active.since))
    }

    pub(crate) fn etag(&self, index: u32) -> Option<&str> {
        self.active.get(&index)?.etag.as_deref()
    }

    /// The document of an object cannot be read: the object has failed, and the others go on.
    pub(crate) fn damage(&mut self, index: u32) {
        let is_open = matches!(self.slots.get(index as usize), Some(Slot::Fresh | Slot::Active));
        if !is_open {
            return;
        }
        if let Some(before) = self.active.remove(&index) {
            self.uncount(index, &before.record);
        }
        self.open.remove(&index);
        self.failed += 1;
        self.slots[index as usize] = Slot::Damaged;
    }

    /// Takes in what was known of an object to be done for good. `true` if nothing was known of it here.
    pub(crate) fn restore(&mut self, settled: Settled) -> bool {
        if !matches!(self.slots.get(settled.index as usize), Some(Slot::Fresh)) {
            return false;
        }
        for answer in &settled.answers {
            *self.answered.entry(answer.person.id.clone()).or_default() += 1;
        }
        self.keep(settled);
        true
    }

    /// The objects that are done for good.
    pub(crate) fn settled(&self) -> Vec<Settled> {
        let settled = |(index, slot): (usize, &Slot)| {
            let (given, failed) = match slot {
                Slot::Done(given) => (given, false),
                Slot::Failed(given) => (given, true),
                Slot::Fresh | Slot::PassedThrough | Slot::Active | Slot::Damaged => return None,
            };
            Some(Settled {
                index: index as u32,
                etag: given.etag.clone(),
                failed,
                answers: given.answers.clone(),
            })
        };
        self.slots.iter().enumerate().filter_map(settled).collect()
    }

    /// How many they are.
    pub(crate) fn settled_count(&self) -> u32 {
        self.done + self.failed
    }

    pub(crate) fn is_settled(&self, index: u32) -> bool {
        !matches!(self.slots.get(index as usize), Some(Slot::Fresh | Slot::Active))
    }

    pub(crate) fn has_answered(&self, index: u32, worker: &str) -> bool {
        match self.slots.get(index as usize) {
            Some(Slot::Done(given) | Slot::Failed(given)) => {
                given.answers.iter().any(|answer| answer.person.id == worker)
            }
            _ => false,
        }
    }

    /// Frees the places of leases whose time is over.
    pub(crate) fn expire(&mut self, now: Timestamp) {
        while let Some(&(until, index)) = self.expiries.first().filter(|(until, _)| *until <= now) {
            self.expiries.remove(&(until, index));
            self.sort(index, now);
        }
    }

    /// Hands out nothing more; what is out may still come in.
    pub(crate) fn shut(&mut self) {
        self.shut = true;
    }

    /// Nothing is left to do: everything is done or failed, the limit is reached, or (shut) nobody is at work any more.
    pub(crate) fn is_finished(&self, now: Timestamp) -> bool {
        self.left() == 0 || self.done >= self.rules.limit || (self.shut && !self.is_anybody_at_work(now))
    }

    /// Objects that are neither done nor failed.
    pub(crate) fn left(&self) -> u32 {
        self.slots.len() as u32 - self.passed_through - self.done - self.failed
    }

    pub(crate) fn counters(&self) -> Counters {
        Counters {
            total_labeled: self.done + self.passed_through,
            human_labeled: self.done,
            failed: self.failed,
            unlabeled: self.left(),
        }
    }

    /// Objects to label in this job.
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
                .is_some_and(|active| !active.record.closed && active.record.held(worker, now).is_some())
        })
    }

    /// Objects the worker could be given now.
    pub(crate) fn available_to(&self, worker: &str, now: Timestamp) -> u32 {
        if self.shut {
            return 0;
        }
        let open = self
            .open
            .iter()
            .filter(|index| self.is_for(**index, worker, now))
            .count() as u32;
        let fresh = self.left() - self.active.len() as u32;
        open + fresh.min(self.room())
    }

    pub(crate) fn active(&self) -> Vec<u32> {
        self.active.keys().copied().collect()
    }

    pub(crate) fn outcomes(&self) -> impl Iterator<Item = Outcome<'_>> {
        self.slots.iter().enumerate().map(|(index, slot)| match slot {
            Slot::PassedThrough => Outcome::PassedThrough,
            Slot::Done(given) => Outcome::Done(&given.answers),
            Slot::Failed(given) => Outcome::Failed(&given.answers),
            Slot::Damaged => Outcome::Damaged,
            Slot::Fresh => Outcome::Open(Vec::new()),
            Slot::Active => Outcome::Open(self.answers_of_active(index as u32)),
        })
    }

    /// The answers to one object so far.
    pub(crate) fn answers(&self, index: u32) -> Vec<Answer> {
        match self.slots.get(index as usize) {
            Some(Slot::Done(given) | Slot::Failed(given)) => given.answers.to_vec(),
            _ => self.answers_of_active(index),
        }
    }

    fn answers_of_active(&self, index: u32) -> Vec<Answer> {
        let Some(active) = self.active.get(&index) else {
            return Vec::new();
        };
        let answers = active.record.answers.iter();
        answers.map(|answer| compact(answer, &self.reading)).collect()
    }

    fn is_for(&self, index: u32, worker: &str, now: Timestamp) -> bool {
        self.active.get(&index).is_some_and(|active| {
            !active.record.knows(worker, now) && !active.reserved.iter().any(|reserved| reserved == worker)
        })
    }

    /// How many more objects may be taken into work: the window, and the limit, which is never passed.
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
        let active = Active {
            record: ItemRecord::default(),
            etag: None,
            reserved: Vec::new(),
            since: 0,
        };
        self.active.insert(index, active);
        Some(index)
    }

    /// Puts an object among the open ones, or not.
    fn sort(&mut self, index: u32, now: Timestamp) {
        let free = self.active.get(&index).is_some_and(|active| {
            let reserved = active.reserved.len() as u32;
            matches!(active.record.standing(self.rules.workers, now), Standing::Open { free } if free > reserved)
        });
        match free {
            true => self.open.insert(index),
            false => self.open.remove(&index),
        };
    }

    fn count(&mut self, index: u32, record: &ItemRecord) {
        for lease in &record.leases {
            self.held.entry(lease.worker.clone()).or_default().insert(index);
            self.expiries.insert((lease.until, index));
        }
        for answer in &record.answers {
            *self.answered.entry(answer.worker.clone()).or_default() += 1;
        }
    }

    fn uncount(&mut self, index: u32, record: &ItemRecord) {
        for lease in &record.leases {
            if let Some(held) = self.held.get_mut(&lease.worker) {
                held.remove(&index);
            }
            self.expiries.remove(&(lease.until, index));
        }
        for answer in &record.answers {
            if let Some(count) = self.answered.get_mut(&answer.worker) {
                *count -= 1;
            }
        }
    }

    fn settle(&mut self, index: u32, record: &ItemRecord, standing: Standing, etag: String) {
        for lease in &record.leases {
            if let Some(held) = self.held.get_mut(&lease.worker) {
                held.remove(&index);
            }
            self.expiries.remove(&(lease.until, index));
        }
        self.open.remove(&index);
        self.keep(Settled {
            index,
            etag: etag.into(),
            failed: standing != Standing::Done,
            answers: record
                .answers
                .iter()
                .map(|answer| compact(answer, &self.reading))
                .collect(),
        });
    }

    fn keep(&mut self, settled: Settled) {
        let answers = settled.answers.into_iter();
        let given = Given {
            answers: answers.map(|answer| self.memory.intern(answer)).collect(),
            etag: settled.etag,
        };
        self.slots[settled.index as usize] = if settled.failed {
            self.failed += 1;
            Slot::Failed(given)
        } else {
            self.done += 1;
            Slot::Done(given)
        };
    }

    fn is_anybody_at_work(&self, now: Timestamp) -> bool {
        self.active.values().any(|active| {
            !active.reserved.is_empty()
                || (!active.record.closed && active.record.leases.iter().any(|lease| lease.until > now))
        })
    }
}
