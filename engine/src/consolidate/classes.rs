//! From several workers' classes to the item's classes, each with a confidence.
//!
//! Ground Truth documents "a variant of the Expectation Maximization approach" for classification and does not publish the
//! formula. This is Dawid and Skene's model (1979) with priors, so the numbers have the same meaning but differ. As in
//! Ground Truth, the confidence of a single worker's answer is 0: there is nothing to compare it with.

mod dawid_skene;

use std::collections::BTreeMap;

use crate::job::Choice;
use dawid_skene::{Background, ItemVotes, TIE_TOLERANCE, Vote, estimate};

/// One worker's classes for an item, ascending; exactly one in single-label tasks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct WorkerClasses {
    /// Workers by number, from 0.
    pub(super) worker: u32,
    pub(super) classes: Vec<u16>,
}

/// A class of an item, and the confidence in it, from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct ScoredClass {
    pub(crate) class: u16,
    pub(crate) confidence: f64,
}

/// The classes of each item: one in single-label tasks, any number otherwise, ascending.
pub(super) fn consolidate(
    choice: Choice,
    items: &[Vec<WorkerClasses>],
    classes: usize,
) -> Vec<Vec<ScoredClass>> {
    match choice {
        Choice::One => single_label(items, classes)
            .into_iter()
            .map(|class| class.into_iter().collect())
            .collect(),
        Choice::Several => multi_label(items, classes),
    }
}

/// For each item with answers, exactly one class.
fn single_label(items: &[Vec<WorkerClasses>], classes: usize) -> Vec<Option<ScoredClass>> {
    let votes: Vec<ItemVotes> = items
        .iter()
        .map(|answers| {
            answers
                .iter()
                .filter_map(|o| {
                    Some(Vote {
                        worker: o.worker,
                        class: *o.classes.first()?,
                    })
                })
                .collect()
        })
        .collect();
    let estimates = estimate(&votes, classes, &Background::default());
    let estimates = estimates.into_iter().zip(items);
    estimates
        .map(|(best, answers)| {
            best.map(|best| ScoredClass {
                class: best.class,
                confidence: confidence(best.probability, answers),
            })
        })
        .collect()
}

/// For each item with answers, the classes it has, ascending. Each class is a separate yes-or-no question, with its own
/// estimate of how well each worker answers it.
fn multi_label(items: &[Vec<WorkerClasses>], classes: usize) -> Vec<Vec<ScoredClass>> {
    let mut chosen: Vec<Vec<ScoredClass>> = vec![Vec::new(); items.len()];
    let mut runners_up: Vec<Option<ScoredClass>> = vec![None; items.len()];
    for class in 0..classes as u16 {
        for (item, probability) in yes_probabilities(items, class) {
            if is_chosen(probability, class, &items[item]) {
                chosen[item].push(ScoredClass {
                    class,
                    confidence: confidence(probability, &items[item]),
                });
            } else if runners_up[item].is_none_or(|best| probability > best.confidence + TIE_TOLERANCE) {
                runners_up[item] = Some(ScoredClass {
                    class,
                    confidence: probability,
                });
            }
        }
    }
    // Where most workers chose a class and no class won, the best class is better than none.
    for (item, best) in runners_up.into_iter().enumerate() {
        let answers = &items[item];
        let with_a_class = answers.iter().filter(|answer| !answer.classes.is_empty()).count();
        let lacks_a_class = chosen[item].is_empty() && with_a_class * 2 > answers.len();
        if let Some(best) = best.filter(|_| lacks_a_class) {
            chosen[item].push(ScoredClass {
                confidence: confidence(best.confidence, answers),
                ..best
            });
        }
    }
    chosen
}

/// The probability of "yes" for each item where at least one worker chose the class. Where no worker did, the answer is no:
/// those items only show how often each worker says no, and go in as counts.
fn yes_probabilities(items: &[Vec<WorkerClasses>], class: u16) -> Vec<(usize, f64)> {
    let mut with_a_yes = Vec::new();
    let mut votes: Vec<ItemVotes> = Vec::new();
    let mut noes: BTreeMap<u32, f64> = BTreeMap::new();
    let mut unanimous = 0.0;
    for (item, answers) in items.iter().enumerate() {
        if answers.iter().any(|answer| answer.classes.contains(&class)) {
            with_a_yes.push(item);
            votes.push(
                answers
                    .iter()
                    .map(|o| Vote {
                        worker: o.worker,
                        class: u16::from(o.classes.contains(&class)),
                    })
                    .collect(),
            );
        } else if !answers.is_empty() {
            unanimous += 1.0;
            answers
                .iter()
                .for_each(|answer| *noes.entry(answer.worker).or_default() += 1.0);
        }
    }
    if votes.is_empty() {
        return Vec::new();
    }
    let background = Background {
        class: 0,
        items: unanimous,
        votes: noes.into_iter().collect(),
    };
    let estimates = estimate(&votes, 2, &background).into_iter().flatten();
    with_a_yes
        .into_iter()
        .zip(estimates.map(|best| {
            if best.class == 1 {
                best.probability
            } else {
                1.0 - best.probability
            }
        }))
        .collect()
}

/// More likely than not. A class that every worker chose is chosen whatever the model says.
fn is_chosen(probability: f64, class: u16, answers: &[WorkerClasses]) -> bool {
    probability > 0.5 + TIE_TOLERANCE || answers.iter().all(|answer| answer.classes.contains(&class))
}

/// With four decimals: more would be noise, and would make equal evidence look different.
fn confidence(probability: f64, answers: &[WorkerClasses]) -> f64 {
    if answers.len() < 2 {
        return 0.0;
    }
    (probability.clamp(0.0, 1.0) * 10_000.0).round() / 10_000.0
}

#[cfg(test)]
mod tests;
