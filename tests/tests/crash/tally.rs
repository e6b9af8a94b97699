//! What was killed, where, and what there was at the end. A loss or something twice is not counted: it ends the test.

use std::collections::BTreeMap;

/// Of one seed, or of all.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    seeds: Vec<u64>,
    kills: BTreeMap<&'static str, usize>,
    pub(crate) items: usize,
    pub(crate) answers: usize,
    pub(crate) batches: usize,
    pub(crate) jobs: usize,
    pub(crate) notices: usize,
    /// Announced again after a crash, with the id they had.
    pub(crate) notices_again: usize,
    pub(crate) invitations: usize,
    pub(crate) joined: usize,
}

/// How many kills were asked for.
pub(crate) fn wanted_kills() -> Option<usize> {
    std::env::var("GROUNDCREW_KILLS").ok()?.parse().ok()
}

impl Tally {
    pub(crate) fn count_kill(&mut self, point: &'static str) {
        *self.kills.entry(point).or_default() += 1;
    }

    pub(crate) fn add(&mut self, seed: u64, one: Tally) {
        self.seeds.push(seed);
        for (point, kills) in one.kills {
            *self.kills.entry(point).or_default() += kills;
        }
        self.items += one.items;
        self.answers += one.answers;
        self.batches += one.batches;
        self.jobs += one.jobs;
        self.notices += one.notices;
        self.notices_again += one.notices_again;
        self.invitations += one.invitations;
        self.joined += one.joined;
    }

    pub(crate) fn is_enough(&self) -> bool {
        wanted_kills().is_some_and(|wanted| self.total() >= wanted)
    }

    fn total(&self) -> usize {
        self.kills.values().sum()
    }

    #[expect(clippy::print_stdout, reason = "the result of a long run")]
    pub(crate) fn say(&self, what: &str) {
        let points: Vec<String> = self
            .kills
            .iter()
            .map(|(point, kills)| format!("{point} {kills}"))
            .collect();
        println!(
            "{what}: {} seeds, {} kills ({}); {} items in {} batches and {} jobs, {} answers acknowledged, {} notices ({} \
             announced again under their own id), {} invitations, {} joined; 0 lost, 0 twice",
            self.seeds.len(),
            self.total(),
            points.join(", "),
            self.items,
            self.batches,
            self.jobs,
            self.answers,
            self.notices,
            self.notices_again,
            self.invitations,
            self.joined,
        );
    }
}
