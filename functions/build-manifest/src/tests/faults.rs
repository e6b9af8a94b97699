//! What must hold when calls are lost, repeated, or come second.

use shared::layout;
use testkit::Fault;

use super::*;

#[tokio::test]
async fn the_second_writer_reads_the_batch_and_takes_only_the_rest() {
    let world = World::with_files(SPEC, 3);
    world.store.pass(120);
    let other = world.another();
    // Between this one's listing and its PUT another instance cuts the same files and a newer one.
    world.store.meanwhile("manifests/d/000001", move |store| {
        store.drop_file("d/003.txt", "3");
        store.pass(120);
        let cut = futures::executor::block_on(reconcile(&other, &d(), None)).unwrap();
        assert_eq!(cut.cut, 1);
    });
    world.store.drop_file("d/_READY", "");
    let outcome = world.reconcile().await;
    assert_eq!((outcome.state, outcome.cut), (DatasetState::UpToDate, 0));
    assert_eq!(world.batches(), [keys(0..4)]);
}

#[tokio::test]
async fn the_loser_of_a_race_cuts_what_the_winner_left() {
    let world = World::with_files(SPEC, 4);
    world.store.pass(120);
    world.store.meanwhile("manifests/d/000001", |store| {
        let line = r#"{"source":"1","groundcrew":{"key":"d/001.txt","etag":"x"}}"#;
        store.put_output(
            "manifests/d/000001.manifest",
            line,
            &[("owner", "another"), ("items", "1")],
        );
    });
    assert_eq!(world.reconcile().await.cut, 1);
    let rest = ["d/000.txt", "d/002.txt", "d/003.txt"]
        .map(str::to_owned)
        .to_vec();
    assert_eq!(world.batches(), [vec!["d/001.txt".to_owned()], rest]);
}

#[tokio::test]
async fn the_loser_of_a_race_goes_on_with_a_file_it_had_not_seen() {
    let world = World::with_files(ROWS, 0);
    world.store.drop_file("d/1.csv", "n\n1\n");
    world.store.pass(120);
    let other = world.another();
    // After this one's listing a file of six rows comes, and another instance takes the first five of them.
    world.store.meanwhile("manifests/d/000001", move |store| {
        store.drop_file("d/0.csv", "n\n1\n2\n3\n4\n5\n6\n");
        store.pass(120);
        store.fail_next("manifests/d/000002", Fault::Throttled);
        futures::executor::block_on(reconcile(&other, &d(), None)).unwrap_err();
    });
    world.reconcile().await;
    let first: Vec<String> = (2..=6).map(|row| format!("d/0.csv#{row}")).collect();
    assert_eq!(
        world.batches(),
        [first, vec!["d/0.csv#7".to_owned(), "d/1.csv#2".to_owned()]]
    );
}

#[tokio::test]
async fn a_conflict_with_oneself_is_a_success() {
    let world = World::with_files(SPEC, 3);
    world.store.fail_next("manifests/", Fault::ConflictWithItself);
    let outcome = world.after(120).await;
    assert_eq!((outcome.state, outcome.cut), (DatasetState::UpToDate, 1));
    assert_eq!(world.batches(), [keys(0..3)]);
}

#[tokio::test]
async fn a_lost_response_makes_no_second_batch() {
    let world = World::with_files(SPEC, 3);
    world.store.fail_next("manifests/", Fault::ResponseLost);
    world.store.pass(120);
    reconcile(&world.deps, &d(), None).await.unwrap_err();
    assert_eq!(world.reconcile().await.cut, 0);
    assert_eq!(world.batches(), [keys(0..3)]);
}

#[tokio::test]
async fn a_part_of_a_listing_decides_nothing() {
    let world = World::with_files(SPEC, 9);
    world.store.page_size(3);
    world.store.break_list("d/");
    world.store.pass(120);
    reconcile(&world.deps, &d(), None).await.unwrap_err();
    assert_eq!(world.store.outputs(""), Vec::<String>::new());
    world.store.mend_lists();
    world.reconcile().await;
    assert_eq!(world.batches().concat(), keys(0..9));
}

#[tokio::test]
async fn a_gap_between_batches_halts_the_dataset_and_is_announced_once() {
    let world = World::with_files(SPEC, 12);
    world.after(120).await;
    let second = "manifests/d/000002.manifest";
    let text = world.store.output(second).unwrap();
    let metadata = world.store.metadata(second);
    world.store.remove(Bucket::Output, second);
    world.store.drop_file("d/new.txt", "1");
    world.store.pass(120);
    for _ in 0..2 {
        let outcome = reconcile(&world.another(), &d(), None).await.unwrap();
        assert_eq!((outcome.state, outcome.cut), (DatasetState::Halted, 0));
    }
    assert_eq!(world.notice_kinds(), ["dataset-halted"]);
    assert!(
        world.status().message.contains("batch 000002"),
        "{}",
        world.status().message
    );

    let metadata: Vec<_> = metadata
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    world.store.put_output(second, text, &metadata);
    let outcome = reconcile(&world.another(), &d(), None).await.unwrap();
    assert_eq!((outcome.state, outcome.cut), (DatasetState::UpToDate, 1));
}

#[tokio::test]
async fn a_deleted_last_batch_does_not_free_its_number() {
    let world = World::with_files(SPEC, 7);
    world.after(120).await;
    world.store.remove(Bucket::Output, "manifests/d/000002.manifest");
    for deps in [&world.deps, &world.another()] {
        let outcome = reconcile(deps, &d(), None).await.unwrap();
        assert_eq!((outcome.state, outcome.cut), (DatasetState::Halted, 0));
    }
    assert_eq!(world.batches().len(), 1);
}

#[tokio::test]
async fn a_batch_deleted_right_after_a_lost_race_does_not_free_its_number() {
    let world = World::with_files(SPEC, 2);
    world.store.pass(120);
    let first = "manifests/d/000001.manifest";
    world.store.meanwhile(first, move |store| {
        let line = r#"{"source":"0","groundcrew":{"key":"d/000.txt","etag":"x"}}"#;
        store.put_output(first, line, &[("owner", "another"), ("items", "1")]);
        store.vanish_at_read(first);
    });
    let outcome = world.reconcile().await;
    assert_eq!((outcome.state, outcome.cut), (DatasetState::Halted, 0));
    assert_eq!(world.batches().len(), 0);
}

#[tokio::test]
async fn other_objects_beside_the_batches_are_nothing() {
    let world = World::with_files(SPEC, 3);
    world
        .store
        .put_output("manifests/d/000001.manifest.log", "x", &[]);
    world
        .store
        .put_output("manifests/d/output/000009.manifest", "x", &[]);
    world.after(120).await;
    assert!(
        world
            .store
            .output(&layout::manifest(&d(), shared::name::BatchNumber::FIRST))
            .is_some()
    );
    assert_eq!(world.status().state, DatasetState::UpToDate);
}

#[tokio::test]
async fn a_file_deleted_before_it_is_read_is_left_out() {
    let world = World::with_files(SPEC, 3);
    world.store.vanish_at_read("d/001.txt");
    assert_eq!(world.after(120).await.state, DatasetState::UpToDate);
    assert_eq!(
        world.batches(),
        [vec!["d/000.txt".to_owned(), "d/002.txt".to_owned()]]
    );
}

#[tokio::test]
async fn an_overwritten_file_is_not_labelled_twice() {
    let world = World::with_files(SPEC, 2);
    world.after(120).await;
    world.store.drop_file("d/000.txt", "something else");
    world.after(120).await;
    assert_eq!(world.batches(), [keys(0..2)]);
}

#[tokio::test]
async fn a_closed_topic_holds_up_no_batch_and_is_made_good() {
    let world = World::with_files(SPEC, 2);
    world.store.drop_file("d/empty.txt", "");
    world.topic.close(true);
    world.store.pass(120);
    reconcile(&world.deps, &d(), None).await.unwrap_err();
    assert_eq!(world.batches(), [keys(0..2)]);
    world.topic.close(false);
    world.reconcile().await;
    world.reconcile().await;
    assert_eq!(world.notice_kinds(), ["files-rejected"]);
}
