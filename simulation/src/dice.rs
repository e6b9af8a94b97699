//! The only source of chance. A schedule is a function of its seed, so every choice is made here.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// `StdRng` may change between versions of `rand`; the lock file holds the version, and the tests hold traces that
/// would notice.
pub(crate) struct Dice(StdRng);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(StdRng::seed_from_u64(seed))
    }

    pub(crate) fn percent(&mut self, chance: u8) -> bool {
        self.0.random_range(0..100_u32) < u32::from(chance)
    }

    /// From 0 up to, and not including, `end`; 0 when there is nothing to choose.
    pub(crate) fn below(&mut self, end: u32) -> u32 {
        if end == 0 { 0 } else { self.0.random_range(0..end) }
    }

    /// From `from` to `to`, both included.
    pub(crate) fn between(&mut self, from: i64, to: i64) -> i64 {
        self.0.random_range(from..=to.max(from))
    }

    pub(crate) fn index(&mut self, length: usize) -> usize {
        self.below(u32::try_from(length).unwrap_or(u32::MAX)) as usize
    }

    /// One of a table that is not empty.
    pub(crate) fn pick<T: Copy>(&mut self, from: &[T], otherwise: T) -> T {
        let index = self.index(from.len());
        from.get(index).copied().unwrap_or(otherwise)
    }
}
