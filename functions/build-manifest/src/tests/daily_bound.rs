//! No more items a day than the stack allows, and nothing lost.

use testkit::Fault;

use super::*;

const LEDGER: &str = "daily/items/2026-11-21.json";

fn with_daily_bound(world: &World, items: u64) -> Deps<FakeStore, FakeTopic> {
    Deps {
        items_per_day: Some(items),
        ..world.another()
    }
}

/// Five items a batch, and so many files that have been quiet.
fn world(files: usize) -> World {
    let world = World::with_files(SPEC, files);
    world.store.pass(120);
    world
}

/// To the first minutes of the next day.
fn next_day(world: &World) {
    world.store.pass(14 * 3_600);
}

async fn look(deps: &Deps<FakeStore, FakeTopic>) -> Outcome {
    reconcile(deps, &d(), None).await.unwrap()
}

fn claims_of_today(world: &World, day: &str) -> Vec<u64> {
    let ledger = world.store.output(&format!("daily/items/{day}.json"));
    let ledger: Value = serde_json::from_str(&ledger.unwrap()).unwrap();
    let claims = ledger["claims"].as_object().unwrap();
    claims
        .values()
        .map(|claim| claim["amount"].as_u64().unwrap())
        .collect()
}

#[tokio::test]
async fn a_day_ends_with_its_bound_and_the_next_goes_on_by_itself() {
    let world = world(12);
    let deps = with_daily_bound(&world, 7);
    let outcome = look(&deps).await;
    assert_eq!((outcome.state, outcome.cut), (DatasetState::DailyBound, 2));
    assert_eq!(outcome.check_at, Some("2026-11-22T00:00:00Z".parse().unwrap()));
    assert_eq!(world.batches(), [keys(0..5), keys(5..7)], "what is left is used");
    let status = world.status();
    assert_eq!(
        (status.state, status.pending_files),
        (DatasetState::DailyBound, 5)
    );
    for part in ["5 files wait", "7 items", "ItemsPerDay", "2026-11-22T00:00:00Z"] {
        assert!(status.message.contains(part), "{part}: {}", status.message);
    }
    next_day(&world);
    assert_eq!(look(&deps).await.state, DatasetState::UpToDate);
    assert_eq!(world.batches(), [keys(0..5), keys(5..7), keys(7..12)]);
}

#[tokio::test]
async fn it_is_announced_once_a_day_and_looking_again_writes_nothing() {
    let world = world(12);
    let deps = with_daily_bound(&world, 5);
    look(&deps).await;
    let writes = world.store.writes();
    look(&deps).await;
    assert_eq!(world.store.writes(), writes);
    assert_eq!(world.notice_kinds(), ["daily-bound"]);
    let said = &world.topic.messages()[0];
    assert!(
        said.body.contains("ItemsPerDay") && said.body.contains("2026-11-22T00:00:00Z"),
        "{}",
        said.body
    );
    next_day(&world);
    look(&deps).await;
    assert_eq!(
        world.notice_kinds(),
        ["daily-bound", "daily-bound"],
        "12 files, 5 a day"
    );
}

#[tokio::test]
async fn a_dataset_larger_than_a_day_is_labelled_day_by_day() {
    let world = World::with_files(&SPEC.replace("max_items: 5", "max_items: 500"), 8);
    let deps = with_daily_bound(&world, 3);
    // Enough for the largest batch there can be: not waited for.
    look(&deps).await;
    assert_eq!(world.batches(), [keys(0..3)]);
    for _ in 0..3 {
        next_day(&world);
        look(&deps).await;
        world.store.pass(10 * 3_600);
    }
    assert_eq!(world.batches(), [keys(0..3), keys(3..6), keys(6..8)]);
}

#[tokio::test]
async fn a_file_of_rows_goes_on_where_the_day_before_ended() {
    let world = World::with_files(ROWS, 0);
    world.store.drop_file("d/0.csv", "n\n1\n2\n3\n4\n");
    world.store.pass(120);
    let deps = with_daily_bound(&world, 3);
    look(&deps).await;
    assert_eq!(world.batches(), [vec!["d/0.csv#2", "d/0.csv#3", "d/0.csv#4"]]);
    assert_eq!(world.status().state, DatasetState::DailyBound);
    next_day(&world);
    look(&deps).await;
    assert_eq!(world.batches()[1..], [vec!["d/0.csv#5"]]);
}

#[tokio::test]
async fn datasets_share_a_day() {
    let world = world(4);
    let deps = with_daily_bound(&world, 6);
    world.store.drop_file("e/labeling.yaml", SPEC);
    (0..4).for_each(|n| world.store.drop_file(&format!("e/{n}.txt"), "1"));
    world.store.pass(120);
    look(&deps).await;
    let other = DatasetName::new("e").unwrap();
    let outcome = reconcile(&deps, &other, None).await.unwrap();
    assert_eq!((outcome.state, outcome.cut), (DatasetState::DailyBound, 1));
    assert_eq!(claims_of_today(&world, "2026-11-21"), [4, 2]);
}

#[tokio::test]
async fn two_invocations_do_not_both_take_the_last_of_a_day() {
    let world = world(5);
    world.store.drop_file("e/labeling.yaml", SPEC);
    (0..4).for_each(|n| world.store.drop_file(&format!("e/{n}.txt"), "1"));
    world.store.pass(120);
    let (deps, other) = (with_daily_bound(&world, 6), with_daily_bound(&world, 6));
    // Both have seen that six are left; the other one is first.
    world.store.meanwhile(LEDGER, move |_| {
        let e = DatasetName::new("e").unwrap();
        let outcome = futures::executor::block_on(reconcile(&other, &e, None)).unwrap();
        assert_eq!(outcome.cut, 1);
    });
    let outcome = look(&deps).await;
    assert_eq!((outcome.state, outcome.cut), (DatasetState::DailyBound, 1));
    assert_eq!(world.batches(), [keys(0..2)]);
    assert_eq!(claims_of_today(&world, "2026-11-21"), [2, 4]);
}

#[tokio::test]
async fn two_invocations_of_one_dataset_count_their_batch_once() {
    let world = world(3);
    let (deps, other) = (with_daily_bound(&world, 4), with_daily_bound(&world, 4));
    world.store.meanwhile("manifests/d/000001", move |store| {
        let outcome = futures::executor::block_on(reconcile(&other, &d(), None)).unwrap();
        assert_eq!(outcome.cut, 1);
        store.drop_file("d/003.txt", "1");
        store.drop_file("d/004.txt", "1");
        store.pass(120);
    });
    look(&deps).await;
    assert_eq!(world.batches(), [keys(0..3), keys(3..4)]);
    assert_eq!(claims_of_today(&world, "2026-11-21"), [3, 1]);
}

#[tokio::test]
async fn a_batch_that_was_claimed_and_not_cut_is_not_counted_twice() {
    for (key, fault) in [
        (LEDGER, Fault::ResponseLost),
        ("manifests/", Fault::Throttled),
        ("manifests/", Fault::ResponseLost),
        (LEDGER, Fault::Throttled),
    ] {
        let world = world(5);
        world.store.fail_next(key, fault);
        reconcile(&with_daily_bound(&world, 5), &d(), None)
            .await
            .unwrap_err();
        assert_eq!(
            look(&with_daily_bound(&world, 5)).await.state,
            DatasetState::UpToDate
        );
        assert_eq!(world.batches(), [keys(0..5)], "{key} {fault:?}");
        assert_eq!(claims_of_today(&world, "2026-11-21"), [5]);
    }
}

#[tokio::test]
async fn a_conflict_with_oneself_claims_once() {
    let world = world(5);
    world.store.fail_next(LEDGER, Fault::ConflictWithItself);
    assert_eq!(look(&with_daily_bound(&world, 5)).await.cut, 1);
    assert_eq!(claims_of_today(&world, "2026-11-21"), [5]);
}

#[tokio::test]
async fn a_claim_without_a_batch_costs_that_claim_and_no_more() {
    let world = world(5);
    world.store.fail_next("manifests/", Fault::Throttled);
    reconcile(&with_daily_bound(&world, 7), &d(), None)
        .await
        .unwrap_err();
    // The files are gone before it is tried again.
    (2..5).for_each(|n| world.store.remove(Bucket::Input, &format!("d/{n:03}.txt")));
    (5..10).for_each(|n| world.store.drop_file(&format!("d/{n:03}.txt"), "1"));
    world.store.pass(120);
    look(&with_daily_bound(&world, 7)).await;
    let items: usize = world.batches().iter().map(Vec::len).sum();
    assert_eq!(items, 7);
}

#[tokio::test]
async fn a_ledger_that_cannot_be_read_is_no_licence() {
    let world = world(5);
    world.store.put_output(LEDGER, "{", &[]);
    let error = reconcile(&with_daily_bound(&world, 5), &d(), None)
        .await
        .unwrap_err();
    assert!(error.to_string().contains(LEDGER), "{error}");
    assert_eq!(world.batches().len(), 0);
}

#[tokio::test]
async fn without_a_bound_nothing_is_counted() {
    let world = world(5);
    look(&world.deps).await;
    assert_eq!(world.store.outputs("daily/"), Vec::<String>::new());
}
