//! Consolidation of classes: who is believed, and with which confidence.

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};

use super::*;

fn votes(of: &[(u32, u16)]) -> Vec<WorkerClasses> {
    of.iter()
        .map(|(worker, class)| WorkerClasses {
            worker: *worker,
            classes: vec![*class],
        })
        .collect()
}

/// Objects with known truth, answered by workers of known accuracy.
fn crowd(seed: u64, objects: usize, classes: u16, accuracies: &[f64]) -> (Vec<u16>, Vec<Vec<WorkerClasses>>) {
    let mut rng = StdRng::seed_from_u64(seed);
    let truth: Vec<u16> = (0..objects).map(|_| rng.random_range(0..classes)).collect();
    let answer = |rng: &mut StdRng, truth: u16, accuracy: f64| match rng.random_bool(accuracy) {
        true => truth,
        false => (truth + rng.random_range(1..classes)) % classes,
    };
    let answers = truth
        .iter()
        .map(|truth| {
            votes(
                &accuracies
                    .iter()
                    .enumerate()
                    .map(|(w, a)| (w as u32, answer(&mut rng, *truth, *a)))
                    .collect::<Vec<_>>(),
            )
        })
        .collect();
    (truth, answers)
}

fn accuracy(truth: &[u16], found: &[Option<ScoredClass>]) -> f64 {
    let right = truth
        .iter()
        .zip(found)
        .filter(|(truth, found)| found.unwrap().class == **truth)
        .count();
    right as f64 / truth.len() as f64
}

#[test]
fn a_careless_worker_is_outvoted_by_good_ones() {
    let (truth, objects) = crowd(1, 200, 2, &[0.98, 0.98, 0.5]);
    let found = single_label(&objects, 2);
    assert!(accuracy(&truth, &found) >= 0.96, "{}", accuracy(&truth, &found));
}

#[test]
fn one_good_worker_beats_two_careless_ones_that_majority_would_follow() {
    let (truth, objects) = crowd(2, 400, 4, &[0.98, 0.98, 0.3, 0.3, 0.3]);
    let found = single_label(&objects, 4);
    let majority = objects.iter().zip(&truth).filter(|(answers, truth)| {
        let mut counts = [0; 4];
        answers
            .iter()
            .for_each(|answer| counts[usize::from(answer.classes[0])] += 1);
        counts
            .iter()
            .enumerate()
            .max_by_key(|(class, count)| (**count, usize::MAX - class))
            .unwrap()
            .0
            == usize::from(**truth)
    });
    let majority = majority.count() as f64 / 400.0;
    assert!(
        accuracy(&truth, &found) > majority.max(0.95),
        "{} against {majority}",
        accuracy(&truth, &found)
    );
}

#[test]
fn ten_objects_and_three_workers_are_enough_to_be_sensible() {
    let objects: Vec<_> = (0..10u16)
        .map(|i| votes(&[(0, i % 2), (1, i % 2), (2, if i < 5 { 0 } else { 1 })]))
        .collect();
    for (i, found) in single_label(&objects, 2).into_iter().enumerate() {
        assert_eq!(found.unwrap().class, i as u16 % 2, "object {i}");
    }
}

#[test]
fn a_single_answer_counts_and_has_no_confidence() {
    let found = single_label(&[votes(&[(0, 1)]), votes(&[(0, 0), (1, 0)]), vec![]], 2);
    assert_eq!(
        found[0],
        Some(ScoredClass {
            class: 1,
            confidence: 0.0
        })
    );
    assert!(found[1].unwrap().confidence > 0.5);
    assert_eq!(found[2], None);
}

#[test]
fn a_unanimous_answer_stands_even_if_the_class_is_rare() {
    for classes in [2, 20] {
        let mut objects: Vec<_> = (0..200).map(|_| votes(&[(0, 0), (1, 0)])).collect();
        objects.push(votes(&[(0, 1), (1, 1)]));
        let found = single_label(&objects, classes);
        assert_eq!(found[200].unwrap().class, 1);
        assert!(
            found[0].unwrap().confidence > 0.9 && found[200].unwrap().confidence > 0.5,
            "{:?}",
            found[200]
        );
    }
}

#[test]
fn a_tie_goes_to_the_first_category_and_says_that_it_is_open() {
    let found = single_label(&[votes(&[(0, 1), (1, 0)]), votes(&[(0, 0), (1, 1)])], 2);
    for found in found {
        let found = found.unwrap();
        assert_eq!(found.class, 0);
        assert!((found.confidence - 0.5).abs() < 0.01, "{found:?}");
    }
}

#[test]
fn workers_who_disagree_throughout_do_not_turn_the_labels_around() {
    // One worker against two, always: one-coin models may settle on "the two are always wrong".
    let objects: Vec<_> = (0..50u16)
        .map(|i| votes(&[(0, 1 - i % 2), (1, i % 2), (2, i % 2)]))
        .collect();
    for (i, found) in single_label(&objects, 2).into_iter().enumerate() {
        assert_eq!(found.unwrap().class, i as u16 % 2, "object {i}");
    }
}

#[test]
fn many_sparse_workers_and_a_skewed_class_do_not_collapse_into_it() {
    let mut rng = StdRng::seed_from_u64(3);
    let truth: Vec<u16> = (0..300).map(|i| u16::from(i % 10 == 0)).collect();
    let objects: Vec<_> = truth
        .iter()
        .map(|truth| {
            let mut workers: Vec<u32> = (0..100).collect();
            workers.shuffle(&mut rng);
            votes(
                &workers[..3]
                    .iter()
                    .map(|w| (*w, if rng.random_bool(0.9) { *truth } else { 1 - *truth }))
                    .collect::<Vec<_>>(),
            )
        })
        .collect();
    let found = single_label(&objects, 2);
    let rare = truth
        .iter()
        .zip(&found)
        .filter(|(t, f)| **t == 1 && f.unwrap().class == 1)
        .count();
    assert!(rare >= 27, "{rare} of 30 rare objects kept");
}

#[test]
fn several_labels_are_decided_one_by_one() {
    let answer = |worker, classes: &[u16]| WorkerClasses {
        worker,
        classes: classes.to_vec(),
    };
    let objects = vec![
        vec![answer(0, &[0, 2]), answer(1, &[0, 2]), answer(2, &[0])],
        vec![answer(0, &[1]), answer(1, &[1]), answer(2, &[1, 2])],
        vec![answer(0, &[0]), answer(1, &[0]), answer(2, &[0])],
        vec![answer(0, &[0, 1])],
        vec![],
    ];
    let found = multi_label(&objects, 3);
    let classes: Vec<Vec<u16>> = found
        .iter()
        .map(|found| found.iter().map(|scored| scored.class).collect())
        .collect();
    assert_eq!(classes, [vec![0, 2], vec![1], vec![0], vec![0, 1], vec![]]);
    assert!(found[3].iter().all(|scored| scored.confidence == 0.0));
    assert!(found[2][0].confidence > 0.8, "{:?}", found[2]);
}

#[test]
fn when_every_worker_chooses_another_class_there_is_still_a_label() {
    let objects = vec![
        (0..3)
            .map(|worker| WorkerClasses {
                worker,
                classes: vec![worker as u16],
            })
            .collect::<Vec<_>>(),
    ];
    assert_eq!(multi_label(&objects, 3)[0].len(), 1);
}

#[test]
fn confidence_is_a_probability_and_no_order_matters() {
    for seed in 0..40 {
        let mut rng = StdRng::seed_from_u64(seed);
        let classes = rng.random_range(2..30u16);
        let accuracies: Vec<f64> = (0..rng.random_range(1..7))
            .map(|_| rng.random_range(0.2..1.0))
            .collect();
        let (_, objects) = crowd(seed, rng.random_range(1..60), classes, &accuracies);
        let found = single_label(&objects, usize::from(classes));
        let mut order: Vec<usize> = (0..objects.len()).collect();
        order.shuffle(&mut rng);
        let shuffled: Vec<Vec<WorkerClasses>> = order
            .iter()
            .map(|i| {
                let mut answers = objects[*i].clone();
                answers.shuffle(&mut rng);
                answers
            })
            .collect();
        for (found_shuffled, i) in single_label(&shuffled, usize::from(classes)).iter().zip(&order) {
            let (a, b) = (found_shuffled.unwrap(), found[*i].unwrap());
            assert!((0.0..=1.0).contains(&a.confidence), "seed {seed}: {a:?}");
            assert!(
                a.class == b.class && (a.confidence - b.confidence).abs() < 2e-4,
                "seed {seed}, object {i}: {a:?} {b:?}"
            );
        }
    }
}
