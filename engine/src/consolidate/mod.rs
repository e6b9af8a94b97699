//! From several people's answers to one label with a confidence.
//!
//! Ground Truth documents "a variant of the Expectation Maximization approach" for classification and does not publish the
//! formula; this is Dawid and Skene's model (1979) with priors, so the numbers are of the same kind and not the same. As in
//! Ground Truth, the confidence of a single worker's answer is 0: there is nothing to compare it with.

mod model;

use std::collections::BTreeMap;

use model::{Background, Item, Vote, estimate};

/// One person's answer: classes by number, ascending; a single one in single-label tasks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Opinion {
    /// Workers by number, from 0.
    pub(crate) worker: u32,
    pub(crate) classes: Vec<u16>,
}

/// A class and how sure the crew is of it, from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Verdict {
    pub(crate) class: u16,
    pub(crate) confidence: f64,
}

/// For each object with opinions, exactly one class.
pub(crate) fn single_label(objects: &[Vec<Opinion>], classes: usize) -> Vec<Option<Verdict>> {
    let items: Vec<Item> = objects
        .iter()
        .map(|opinions| {
            opinions
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
    let found = estimate(&items, classes, &Background::default());
    let found = found.into_iter().zip(objects);
    found
        .map(|(best, opinions)| {
            best.map(|best| Verdict {
                class: best.class,
                confidence: sure(best.probability, opinions),
            })
        })
        .collect()
}

/// For each object with opinions, the classes it has, ascending: each class is a yes-or-no question of its own, with its
/// own view of who answers it well.
pub(crate) fn multi_label(objects: &[Vec<Opinion>], classes: usize) -> Vec<Vec<Verdict>> {
    let mut verdicts: Vec<Vec<Verdict>> = vec![Vec::new(); objects.len()];
    let mut runners_up: Vec<Option<Verdict>> = vec![None; objects.len()];
    for class in 0..classes as u16 {
        for (object, probability) in yes_probabilities(objects, class) {
            let verdict = Verdict {
                class,
                confidence: sure(probability, &objects[object]),
            };
            if is_chosen(probability, class, &objects[object]) {
                verdicts[object].push(verdict);
            } else if runners_up[object].is_none_or(|best| probability > best.confidence + EVEN) {
                runners_up[object] = Some(Verdict {
                    class,
                    confidence: probability,
                });
            }
        }
    }
    for (object, best) in runners_up.into_iter().enumerate() {
        // Most people chose something and no class won: the best of them, rather than nothing.
        let some = objects[object]
            .iter()
            .filter(|opinion| !opinion.classes.is_empty())
            .count();
        if let (true, Some(best)) = (
            verdicts[object].is_empty() && some * 2 > objects[object].len(),
            best,
        ) {
            verdicts[object].push(Verdict {
                confidence: sure(best.confidence, &objects[object]),
                ..best
            });
        }
    }
    verdicts
}

/// Differences below this are rounding, and must not decide.
const EVEN: f64 = 1e-9;

/// The probability of "yes" for each object where somebody said yes to the class. Where nobody did, the answer is no; those
/// objects only tell how often each worker says no, and go in as counts.
fn yes_probabilities(objects: &[Vec<Opinion>], class: u16) -> Vec<(usize, f64)> {
    let mut asked = Vec::new();
    let mut items: Vec<Item> = Vec::new();
    let mut noes: BTreeMap<u32, f64> = BTreeMap::new();
    let mut unanimous = 0.0;
    for (object, opinions) in objects.iter().enumerate() {
        if opinions.iter().any(|opinion| opinion.classes.contains(&class)) {
            asked.push(object);
            items.push(
                opinions
                    .iter()
                    .map(|o| Vote {
                        worker: o.worker,
                        class: u16::from(o.classes.contains(&class)),
                    })
                    .collect(),
            );
        } else if !opinions.is_empty() {
            unanimous += 1.0;
            opinions
                .iter()
                .for_each(|opinion| *noes.entry(opinion.worker).or_default() += 1.0);
        }
    }
    if items.is_empty() {
        return Vec::new();
    }
    let background = Background {
        class: 0,
        items: unanimous,
        votes: noes.into_iter().collect(),
    };
    let found = estimate(&items, 2, &background).into_iter().flatten();
    asked
        .into_iter()
        .zip(found.map(|best| {
            if best.class == 1 {
                best.probability
            } else {
                1.0 - best.probability
            }
        }))
        .collect()
}

/// More likely than not; what everybody said holds whatever the model thinks of them.
fn is_chosen(probability: f64, class: u16, opinions: &[Opinion]) -> bool {
    probability > 0.5 + EVEN || opinions.iter().all(|opinion| opinion.classes.contains(&class))
}

/// Four decimals: more would be noise, and would make equal evidence look different.
fn sure(probability: f64, opinions: &[Opinion]) -> f64 {
    if opinions.len() < 2 {
        return 0.0;
    }
    (probability.clamp(0.0, 1.0) * 10_000.0).round() / 10_000.0
}

#[cfg(test)]
mod tests;
