//! Dawid and Skene's model: for each true class, every worker has a probability of giving each answer (the worker's
//! confusion matrix). True classes and matrices are estimated alternately until they agree.
//!
//! Priors make the estimates sensible when data are few, and keep the model from swapping labels:
//! - a worker is assumed to be right 7 times out of 10 until the data say otherwise ([`PRIOR_RIGHT`] of [`PRIOR_ANSWERS`]
//!   imagined answers);
//! - a worker's row for one class starts from the worker's accuracy over all classes ([`PRIOR_ROW`] imagined answers);
//! - no worker is assumed to be worse than chance overall, so agreement is never read as a sign of error;
//! - class frequency counts half, the other half is uniform: rare classes are often what the labels are for, and must not
//!   let a third worker overrule two equally good ones;
//! - the label is one of those that were given, so a unanimous answer stays whatever the class frequencies are.

use std::collections::HashMap;

/// The votes for one item.
pub(super) type ItemVotes = Vec<Vote>;

#[derive(Clone, Copy, Debug)]
pub(super) struct Vote {
    pub(super) worker: u32,
    pub(super) class: u16,
}

/// Items of one class that is certain, as counts: how many, and how often each worker chose that class.
#[derive(Debug, Default)]
pub(super) struct Background {
    pub(super) class: u16,
    pub(super) items: f64,
    pub(super) votes: Vec<(u32, f64)>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Estimate {
    pub(super) class: u16,
    pub(super) probability: f64,
}

/// Differences below this are rounding, and must not decide.
pub(super) const TIE_TOLERANCE: f64 = 1e-9;
const PRIOR_ANSWERS: f64 = 10.0;
const PRIOR_RIGHT: f64 = 7.0;
const PRIOR_ROW: f64 = 8.0;
/// With up to 8 classes, every class is a candidate for every item. With more classes, only those that a worker chose are,
/// and the others are one lump, so that the sums grow with the answers and not with the classes.
const ALL_CANDIDATES: usize = 8;
const MAX_ITERATIONS: usize = 100;
const CONVERGED: f64 = 1e-7;

/// The most probable class of each item, `None` for one without votes. Apart from rounding, the order of items and votes
/// does not matter.
pub(super) fn estimate(
    items: &[ItemVotes],
    classes: usize,
    background: &Background,
) -> Vec<Option<Estimate>> {
    let mut model = Model::new(items, classes, background);
    for _ in 0..MAX_ITERATIONS {
        model.learn(background);
        if model.infer() < CONVERGED {
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
    /// Probability of each case's candidates, one case after the other.
    belief: Vec<f64>,
    /// For each case, candidate and vote: its cell of the worker's confusion matrix.
    cell_of: Vec<u32>,
    /// The candidate classes of each case, one case after the other.
    candidates: Vec<u16>,
    cells: Vec<Cell>,
    rows: Vec<f64>,
    workers: Vec<WorkerSkill>,
    frequency: Vec<f64>,
    total: f64,
}

/// One item: where its candidates, votes and beliefs are in the model's lists.
struct Case {
    candidates: std::ops::Range<usize>,
    votes: usize,
    first_cell: usize,
    /// Who voted; filled only if the classes that no worker chose are a lump.
    workers: Vec<u32>,
}

/// A cell of a worker's confusion matrix: how often the worker chooses one class when another is true.
struct Cell {
    worker: u32,
    is_right: bool,
    row: u32,
    base: f64,
    count: f64,
    ln: f64,
}

#[derive(Clone, Default)]
struct WorkerSkill {
    right: f64,
    total: f64,
    accuracy: f64,
}

impl Model {
    fn new(items: &[ItemVotes], classes: usize, background: &Background) -> Model {
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
            cell_of: Vec::new(),
            candidates: Vec::new(),
            cells: Vec::new(),
            rows: Vec::new(),
            workers: vec![WorkerSkill::default(); workers.map_or(0, |w| w as usize + 1)],
            frequency: vec![0.0; classes],
            total: background.items + items.iter().filter(|item| !item.is_empty()).count() as f64,
        };
        let mut numbers = CellNumbers::default();
        for item in items {
            model.add(item, classes, &mut numbers);
        }
        model.add_background(background, &mut numbers);
        model
    }

    fn add(&mut self, item: &ItemVotes, classes: usize, numbers: &mut CellNumbers) {
        let candidates = candidates(item, classes);
        let start = self.candidates.len();
        let first_cell = self.cell_of.len();
        for candidate in &candidates {
            let agreeing = item.iter().filter(|vote| vote.class == *candidate).count();
            self.belief.push(agreeing as f64 / item.len().max(1) as f64);
            for vote in item {
                let cell = self.cell(vote.worker, *candidate, vote.class, numbers);
                self.cell_of.push(cell);
            }
        }
        self.candidates.extend(&candidates);
        let workers = if classes > ALL_CANDIDATES {
            item.iter().map(|vote| vote.worker).collect()
        } else {
            Vec::new()
        };
        self.cases.push(Case {
            candidates: start..self.candidates.len(),
            votes: item.len(),
            first_cell,
            workers,
        });
    }

    fn add_background(&mut self, background: &Background, numbers: &mut CellNumbers) {
        for (worker, count) in &background.votes {
            let cell = self.cell(*worker, background.class, background.class, numbers);
            self.cells[cell as usize].base = *count;
        }
    }

    fn cell(&mut self, worker: u32, truth: u16, chosen: u16, numbers: &mut CellNumbers) -> u32 {
        let rows = &mut self.rows;
        let row = *numbers.rows.entry((worker, truth)).or_insert_with(|| {
            rows.push(0.0);
            rows.len() as u32 - 1
        });
        let cells = &mut self.cells;
        *numbers.cells.entry((worker, truth, chosen)).or_insert_with(|| {
            cells.push(Cell {
                worker,
                is_right: truth == chosen,
                row,
                base: 0.0,
                count: 0.0,
                ln: 0.0,
            });
            cells.len() as u32 - 1
        })
    }

    /// From beliefs to confusion matrices and class frequencies.
    fn learn(&mut self, background: &Background) {
        self.cells.iter_mut().for_each(|cell| cell.count = cell.base);
        self.frequency.fill(0.0);
        if let Some(frequency) = self.frequency.get_mut(usize::from(background.class)) {
            *frequency = background.items;
        }
        for case in &self.cases {
            for (nth, at) in case.candidates.clone().enumerate() {
                let belief = self.belief[at];
                self.frequency[usize::from(self.candidates[at])] += belief;
                let cells = &self.cell_of[case.first_cell + nth * case.votes..][..case.votes];
                cells
                    .iter()
                    .for_each(|cell| self.cells[*cell as usize].count += belief);
            }
        }
        self.rate_workers();
        self.rate_cells();
    }

    fn rate_workers(&mut self) {
        for skill in &mut self.workers {
            skill.right = 0.0;
            skill.total = 0.0;
        }
        self.rows.fill(0.0);
        for cell in &self.cells {
            let skill = &mut self.workers[cell.worker as usize];
            skill.total += cell.count;
            skill.right += if cell.is_right { cell.count } else { 0.0 };
            self.rows[cell.row as usize] += cell.count;
        }
        let chance = 1.0 / self.classes;
        for skill in &mut self.workers {
            skill.accuracy = ((skill.right + PRIOR_RIGHT) / (skill.total + PRIOR_ANSWERS)).max(chance);
        }
    }

    fn rate_cells(&mut self) {
        for cell in &mut self.cells {
            let accuracy = self.workers[cell.worker as usize].accuracy;
            let expected = if cell.is_right {
                accuracy
            } else {
                (1.0 - accuracy) / (self.classes - 1.0).max(1.0)
            };
            let row = self.rows[cell.row as usize];
            cell.ln = ((cell.count + PRIOR_ROW * expected) / (row + PRIOR_ROW)).ln();
        }
    }

    /// From confusion matrices and class frequencies to beliefs; the largest change of a belief.
    fn infer(&mut self) -> f64 {
        let ln_frequency = self.ln_frequency();
        let mut change: f64 = 0.0;
        let mut weights = Vec::new();
        for case in &self.cases {
            weights.clear();
            for (nth, at) in case.candidates.clone().enumerate() {
                let cells = &self.cell_of[case.first_cell + nth * case.votes..][..case.votes];
                let votes: f64 = cells.iter().map(|cell| self.cells[*cell as usize].ln).sum();
                weights.push(ln_frequency[usize::from(self.candidates[at])] + votes);
            }
            weights.extend(self.lump(case, &ln_frequency));
            normalise(&mut weights);
            for (belief, new) in self.belief[case.candidates.clone()].iter_mut().zip(&weights) {
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

    /// All the classes that no worker chose, taken together.
    fn lump(&self, case: &Case, ln_frequency: &[f64]) -> Option<f64> {
        if case.workers.is_empty() || case.candidates.len() as f64 >= self.classes {
            return None;
        }
        let given: f64 = case
            .candidates
            .clone()
            .map(|at| ln_frequency[usize::from(self.candidates[at])].exp())
            .sum();
        let wrong = case.workers.iter().map(|worker| {
            let accuracy = self.workers[*worker as usize].accuracy;
            ((1.0 - accuracy) / (self.classes - 1.0)).ln()
        });
        Some((1.0 - given).max(f64::MIN_POSITIVE).ln() + wrong.sum::<f64>())
    }

    /// The most probable class among those that a worker chose; on a tie, the first of the categories.
    fn best(&self, item: &ItemVotes, case: &Case) -> Option<Estimate> {
        let mut best: Option<Estimate> = None;
        for at in case.candidates.clone() {
            let (class, probability) = (self.candidates[at], self.belief[at]);
            let is_given = item.iter().any(|vote| vote.class == class);
            if is_given && best.is_none_or(|best| probability > best.probability + TIE_TOLERANCE) {
                best = Some(Estimate { class, probability });
            }
        }
        best
    }
}

/// Numbers for rows (worker and true class) and cells (worker, true class and chosen class).
#[derive(Default)]
struct CellNumbers {
    rows: HashMap<(u32, u16), u32>,
    cells: HashMap<(u32, u16, u16), u32>,
}

/// The candidate classes of an item, ascending.
fn candidates(item: &ItemVotes, classes: usize) -> Vec<u16> {
    if item.is_empty() {
        return Vec::new();
    }
    if classes <= ALL_CANDIDATES {
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
