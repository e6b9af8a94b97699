//! Dawid and Skene's model: every worker has, for each true class, probabilities of what they answer; true classes and
//! workers' habits are estimated in turns until they agree with each other.
//!
//! Priors keep it sensible where data are few and keep it from turning labels around:
//! - a worker is taken to be right 7 times of 10 until shown otherwise ([`RIGHT`] of [`OPINION`] imagined answers);
//! - a worker's habit for one class leans on how good the worker is over all classes ([`HABIT`] imagined answers);
//! - nobody is taken to be worse than chance overall, so agreement is never read as a sign of error;
//! - how frequent a class is counts half, the other half is even: rare classes are often what the labels are for, and two
//!   equally good workers are not to be overruled by a third because of it;
//! - the label is one of those that were given, so a unanimous answer stands whatever the class frequencies say.

use std::collections::HashMap;

/// One object's votes.
pub(super) type Item = Vec<Vote>;

#[derive(Clone, Copy, Debug)]
pub(super) struct Vote {
    pub(super) worker: u32,
    pub(super) class: u16,
}

/// Objects that are certain, as counts: so many, of one class, and how often each worker said that class.
#[derive(Debug, Default)]
pub(super) struct Background {
    pub(super) class: u16,
    pub(super) items: f64,
    pub(super) votes: Vec<(u32, f64)>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Best {
    pub(super) class: u16,
    pub(super) probability: f64,
}

const OPINION: f64 = 10.0;
const RIGHT: f64 = 7.0;
const HABIT: f64 = 8.0;
/// Up to so many classes, every one is weighed for every object. With more, only those that somebody gave, and the others
/// as one lump: the sums stay the same size as the answers.
const WEIGH_ALL: usize = 8;
const MAX_TURNS: usize = 100;
const SETTLED: f64 = 1e-7;

/// The most probable class of each object, `None` for one without votes. Depends on neither the order of objects nor
/// that of votes, but for rounding.
pub(super) fn estimate(items: &[Item], classes: usize, background: &Background) -> Vec<Option<Best>> {
    let mut model = Model::new(items, classes, background);
    for _ in 0..MAX_TURNS {
        model.learn(background);
        if model.infer() < SETTLED {
            break;
        }
    }
    items
        .iter()
        .zip(&model.cases)
        .map(|(item, case)| model.best(item, case))
        .collect()
}

struct Model {
    classes: f64,
    cases: Vec<Case>,
    /// Probability of each case's truths, one after the other.
    belief: Vec<f64>,
    /// For each case, truth and vote: the habit it speaks about.
    habit_of: Vec<u32>,
    /// The truths of each case, one after the other.
    truths: Vec<u16>,
    habits: Vec<Habit>,
    rows: Vec<f64>,
    workers: Vec<Skill>,
    frequency: Vec<f64>,
    total: f64,
}

/// An object: where its truths, votes and beliefs lie.
struct Case {
    truths: std::ops::Range<usize>,
    votes: usize,
    habits: usize,
    /// Who voted; only where the classes nobody gave are a lump.
    workers: Vec<u32>,
}

/// How often a worker says `said` when the truth is `truth`.
struct Habit {
    worker: u32,
    is_right: bool,
    row: u32,
    base: f64,
    count: f64,
    ln: f64,
}

#[derive(Clone, Default)]
struct Skill {
    right: f64,
    total: f64,
    accuracy: f64,
}

impl Model {
    fn new(items: &[Item], classes: usize, background: &Background) -> Model {
        let workers = items
            .iter()
            .flatten()
            .map(|vote| vote.worker)
            .chain(background.votes.iter().map(|v| v.0))
            .max();
        let mut model = Model {
            classes: classes as f64,
            cases: Vec::with_capacity(items.len()),
            belief: Vec::new(),
            habit_of: Vec::new(),
            truths: Vec::new(),
            habits: Vec::new(),
            rows: Vec::new(),
            workers: vec![Skill::default(); workers.map_or(0, |w| w as usize + 1)],
            frequency: vec![0.0; classes],
            total: background.items + items.iter().filter(|item| !item.is_empty()).count() as f64,
        };
        let mut names = Names::default();
        for item in items {
            model.add(item, classes, &mut names);
        }
        model.add_background(background, &mut names);
        model
    }

    fn add(&mut self, item: &Item, classes: usize, names: &mut Names) {
        let truths = truths(item, classes);
        let start = self.truths.len();
        let habits = self.habit_of.len();
        for truth in &truths {
            let agreeing = item.iter().filter(|vote| vote.class == *truth).count();
            self.belief.push(agreeing as f64 / item.len().max(1) as f64);
            for vote in item {
                let habit = self.habit(vote.worker, *truth, vote.class, names);
                self.habit_of.push(habit);
            }
        }
        self.truths.extend(&truths);
        let workers = if classes > WEIGH_ALL {
            item.iter().map(|vote| vote.worker).collect()
        } else {
            Vec::new()
        };
        self.cases.push(Case {
            truths: start..self.truths.len(),
            votes: item.len(),
            habits,
            workers,
        });
    }

    fn add_background(&mut self, background: &Background, names: &mut Names) {
        for (worker, count) in &background.votes {
            let habit = self.habit(*worker, background.class, background.class, names);
            self.habits[habit as usize].base = *count;
        }
    }

    fn habit(&mut self, worker: u32, truth: u16, said: u16, names: &mut Names) -> u32 {
        let rows = &mut self.rows;
        let row = *names.rows.entry((worker, truth)).or_insert_with(|| {
            rows.push(0.0);
            rows.len() as u32 - 1
        });
        let habits = &mut self.habits;
        *names.habits.entry((worker, truth, said)).or_insert_with(|| {
            habits.push(Habit {
                worker,
                is_right: truth == said,
                row,
                base: 0.0,
                count: 0.0,
                ln: 0.0,
            });
            habits.len() as u32 - 1
        })
    }

    /// From beliefs to habits and frequencies.
    fn learn(&mut self, background: &Background) {
        self.habits.iter_mut().for_each(|habit| habit.count = habit.base);
        self.frequency.fill(0.0);
        if let Some(frequency) = self.frequency.get_mut(usize::from(background.class)) {
            *frequency = background.items;
        }
        for case in &self.cases {
            for (nth, at) in case.truths.clone().enumerate() {
                let belief = self.belief[at];
                self.frequency[usize::from(self.truths[at])] += belief;
                let habits = &self.habit_of[case.habits + nth * case.votes..][..case.votes];
                habits
                    .iter()
                    .for_each(|habit| self.habits[*habit as usize].count += belief);
            }
        }
        self.rate_workers();
        self.rate_habits();
    }

    fn rate_workers(&mut self) {
        for skill in &mut self.workers {
            skill.right = 0.0;
            skill.total = 0.0;
        }
        self.rows.fill(0.0);
        for habit in &self.habits {
            let skill = &mut self.workers[habit.worker as usize];
            skill.total += habit.count;
            skill.right += if habit.is_right { habit.count } else { 0.0 };
            self.rows[habit.row as usize] += habit.count;
        }
        let chance = 1.0 / self.classes;
        for skill in &mut self.workers {
            skill.accuracy = ((skill.right + RIGHT) / (skill.total + OPINION)).max(chance);
        }
    }

    fn rate_habits(&mut self) {
        for habit in &mut self.habits {
            let accuracy = self.workers[habit.worker as usize].accuracy;
            let expected = if habit.is_right {
                accuracy
            } else {
                (1.0 - accuracy) / (self.classes - 1.0).max(1.0)
            };
            let row = self.rows[habit.row as usize];
            habit.ln = ((habit.count + HABIT * expected) / (row + HABIT)).ln();
        }
    }

    /// From habits and frequencies to beliefs; the largest change of one.
    fn infer(&mut self) -> f64 {
        let ln_frequency = self.ln_frequency();
        let mut change: f64 = 0.0;
        let mut weights = Vec::new();
        for case in &self.cases {
            weights.clear();
            for (nth, at) in case.truths.clone().enumerate() {
                let habits = &self.habit_of[case.habits + nth * case.votes..][..case.votes];
                let said: f64 = habits.iter().map(|habit| self.habits[*habit as usize].ln).sum();
                weights.push(ln_frequency[usize::from(self.truths[at])] + said);
            }
            weights.extend(self.lump(case, &ln_frequency));
            normalise(&mut weights);
            for (belief, new) in self.belief[case.truths.clone()].iter_mut().zip(&weights) {
                change = change.max((*belief - new).abs());
                *belief = *new;
            }
        }
        change
    }

    fn ln_frequency(&self) -> Vec<f64> {
        let share = |count: &f64| (count / self.total.max(1.0) + 1.0 / self.classes) / 2.0;
        self.frequency.iter().map(|count| share(count).ln()).collect()
    }

    /// All the classes that nobody gave, taken together.
    fn lump(&self, case: &Case, ln_frequency: &[f64]) -> Option<f64> {
        if case.workers.is_empty() || case.truths.len() as f64 >= self.classes {
            return None;
        }
        let given: f64 = case
            .truths
            .clone()
            .map(|at| ln_frequency[usize::from(self.truths[at])].exp())
            .sum();
        let wrong = case.workers.iter().map(|worker| {
            let accuracy = self.workers[*worker as usize].accuracy;
            ((1.0 - accuracy) / (self.classes - 1.0)).ln()
        });
        Some((1.0 - given).max(f64::MIN_POSITIVE).ln() + wrong.sum::<f64>())
    }

    /// The most probable class among those somebody gave; on a tie, the first of the categories.
    fn best(&self, item: &Item, case: &Case) -> Option<Best> {
        let mut best: Option<Best> = None;
        for at in case.truths.clone() {
            let (class, probability) = (self.truths[at], self.belief[at]);
            let is_given = item.iter().any(|vote| vote.class == class);
            if is_given && best.is_none_or(|best| probability > best.probability + super::EVEN) {
                best = Some(Best { class, probability });
            }
        }
        best
    }
}

/// Numbers for rows (a worker and a truth) and habits (and what was said).
#[derive(Default)]
struct Names {
    rows: HashMap<(u32, u16), u32>,
    habits: HashMap<(u32, u16, u16), u32>,
}

/// The classes weighed for an object, ascending.
fn truths(item: &Item, classes: usize) -> Vec<u16> {
    if item.is_empty() {
        return Vec::new();
    }
    if classes <= WEIGH_ALL {
        return (0..classes as u16).collect();
    }
    let mut given: Vec<u16> = item.iter().map(|vote| vote.class).collect();
    given.sort_unstable();
    given.dedup();
    given
}

/// From logarithms of weights to probabilities.
fn normalise(weights: &mut [f64]) {
    let most = weights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    weights
        .iter_mut()
        .for_each(|weight| *weight = (*weight - most).exp());
    let sum: f64 = weights.iter().sum();
    weights.iter_mut().for_each(|weight| *weight /= sum);
}
