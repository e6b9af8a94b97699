//! As many files as it takes to fill a batch to the limit of the labeling service.

use std::collections::HashSet;

use testkit::Fault;

use super::*;

/// Items of one job of texts, at most.
const MOST: usize = 100_000;

#[tokio::test]
async fn one_file_more_than_a_job_holds_makes_two_batches_and_a_crash_between_them_leaves_only_the_rest() {
    let world = World::with_files(&SPEC.replace(", max_items: 5", ""), MOST + 1);
    world.store.pass(120);
    world.store.fail_next("manifests/d/000002", Fault::Throttled);
    reconcile(&world.deps, &d(), None).await.unwrap_err();
    assert_eq!(lines(&world, 1).len(), MOST);

    let read = world.store.reads().len();
    reconcile(&world.another(), &d(), None).await.unwrap();
    assert_eq!(lines(&world, 2).len(), 1);
    let reads = world.store.reads();
    let texts = reads[read..].iter().filter(|key| key.ends_with(".txt"));
    assert_eq!(texts.count(), 1, "only the rest is read");
    let all: HashSet<String> = [1, 2].iter().flat_map(|batch| lines(&world, *batch)).collect();
    assert_eq!(all.len(), MOST + 1, "each file once");
    assert_eq!(
        (world.status().batches, world.status().items),
        (2, MOST as u64 + 1)
    );
}

/// Each line's origin.
fn lines(world: &World, batch: u32) -> Vec<String> {
    let manifest = world.store.output(&format!("manifests/d/{batch:06}.manifest"));
    let origin = |line: &str| line.split_once("\"groundcrew\":").unwrap().1.to_owned();
    manifest.unwrap().lines().map(origin).collect()
}
