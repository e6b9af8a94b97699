//! Many schedules, on all cores.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::fault::Tally;
use crate::outcome::{Counts, Options, Outcome};
use crate::run::run;
use crate::scene::Scene;
use crate::truth::Violation;

/// What many schedules came to.
#[derive(Clone, Default)]
pub struct Many {
    pub seeds: u64,
    pub tally: Tally,
    pub counts: Counts,
    /// The seeds that went wrong, and how.
    pub wrong: BTreeMap<u64, Violation>,
}

impl Many {
    fn add(&mut self, seed: u64, outcome: &Outcome) {
        self.seeds += 1;
        self.tally.add(&outcome.tally);
        self.counts.add(&outcome.counts);
        self.wrong
            .extend(outcome.violation.clone().map(|violation| (seed, violation)));
    }

    fn join(&mut self, other: Self) {
        self.seeds += other.seeds;
        self.tally.add(&other.tally);
        self.counts.add(&other.counts);
        self.wrong.extend(other.wrong);
    }
}

/// Runs the seeds `from..from + seeds` and stops soon after one went wrong, unless it is to go on. `done` hears of every thousandth.
pub fn many(from: u64, seeds: u64, options: &Options, done: &(dyn Fn(u64) + Sync)) -> Many {
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let (next, stop, all) = (
        AtomicU64::new(0),
        AtomicBool::new(false),
        Mutex::new(Many::default()),
    );
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut mine = Many::default();
                while !stop.load(Ordering::Relaxed) {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= seeds {
                        break;
                    }
                    if options.only.is_some_and(|only| only != Scene::of(from + number)) {
                        continue;
                    }
                    let outcome = run(from + number, options);
                    if outcome.violation.is_some() && !options.go_on {
                        stop.store(true, Ordering::Relaxed);
                    }
                    mine.add(from + number, &outcome);
                    if number % 1_000 == 999 {
                        done(number + 1);
                    }
                }
                all.lock().unwrap_or_else(PoisonError::into_inner).join(mine);
            });
        }
    });
    all.into_inner().unwrap_or_else(PoisonError::into_inner)
}
