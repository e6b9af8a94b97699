//! Files that people overwrite, delete or hide while they are batched.

use testkit::Fault;

use super::*;

/// `d/a.csv` with eight rows, of which the first five are in a batch and the rest is not.
async fn half_batched() -> World {
    let world = World::new();
    world.store.drop_file("d/labeling.yaml", ROWS);
    let csv = (1..=8).fold("n\n".to_owned(), |csv, n| format!("{csv}{n}\n"));
    world.store.drop_file("d/a.csv", csv);
    world.store.pass(120);
    world.store.fail_next("manifests/d/000002", Fault::Throttled);
    reconcile(&world.deps, &d(), None).await.unwrap_err();
    assert_eq!(world.batches().len(), 1);
    world
}

#[tokio::test]
async fn a_file_overwritten_before_its_batch_is_labelled_as_it_is_then() {
    let world = World::with_files(SPEC, 1);
    world.store.drop_file("d/000.txt", "newer");
    world.after(120).await;
    let manifest = world.store.output("manifests/d/000001.manifest").unwrap();
    assert!(manifest.contains(r#""source":"newer""#), "{manifest}");
}

#[tokio::test]
async fn a_file_of_the_same_size_that_came_while_it_was_read_goes_on_as_it_is() {
    let world = World::with_files(ROWS, 0);
    world.store.drop_file("d/a.csv", "n\n1\n2\n3\n4\n5\n6\n");
    world.store.overwrite_at_read("d/a.csv", "n\n6\n5\n4\n3\n2\n1\n");
    world.after(120).await;
    let rows: Vec<String> = (2..=7).map(|row| format!("d/a.csv#{row}")).collect();
    assert_eq!(world.batches(), [&rows[..5], &rows[5..]]);
    assert_eq!(world.status().rejected, 0);
}

#[tokio::test]
async fn a_file_overwritten_while_it_is_read_comes_with_the_next_batch() {
    let world = World::with_files(SPEC, 2);
    world.store.overwrite_at_read("d/001.txt", "newer");
    world.after(120).await;
    assert_eq!(world.batches(), [keys(0..1)]);
    world.after(120).await;
    assert_eq!(world.batches(), [keys(0..1), keys(1..2)]);
}

#[tokio::test]
async fn no_more_is_read_of_a_file_than_was_listed() {
    let world = World::with_files(SPEC, 2);
    world.store.overwrite_at_read("d/001.txt", "x".repeat(8 << 20));
    world.after(120).await;
    assert!(world.store.bytes_read() < 1 << 20, "{}", world.store.bytes_read());
}

#[tokio::test]
async fn a_file_deleted_before_its_batch_is_in_none_and_one_deleted_after_it_stays_in_its_own() {
    let world = World::with_files(SPEC, 3);
    world.store.remove(Bucket::Input, "d/000.txt");
    world.after(120).await;
    world.store.remove(Bucket::Input, "d/001.txt");
    let outcome = world.after(900).await;
    assert_eq!((outcome.state, outcome.cut), (DatasetState::UpToDate, 0));
    assert_eq!(world.batches(), [keys(1..3)]);
}

#[tokio::test]
async fn a_renamed_file_is_a_new_one_and_the_old_name_stays_used() {
    let world = World::with_files(SPEC, 1);
    world.after(120).await;
    world.store.remove(Bucket::Input, "d/000.txt");
    world.store.drop_file("d/001.txt", "0");
    world.after(120).await;
    world.store.drop_file("d/000.txt", "0");
    world.after(120).await;
    assert_eq!(world.batches(), [keys(0..1), keys(1..2)]);
}

#[tokio::test]
async fn rows_that_a_new_spec_leaves_out_are_announced_and_come_back_with_it() {
    let world = half_batched().await;
    let without = format!("{ROWS}select: {{exclude: [\"*.csv\"]}}\n");
    world.store.drop_file("d/labeling.yaml", without);
    world.reconcile().await;
    assert_eq!(world.batches().len(), 1);
    let reason = world.status().rejected_first[0].reason.clone();
    assert!(reason.contains("after row 6"), "{reason}");
    assert_eq!(world.notice_kinds(), ["files-rejected"]);
    world.store.drop_file("d/labeling.yaml", ROWS);
    world.reconcile().await;
    assert_eq!(world.batches()[1], ["d/a.csv#7", "d/a.csv#8", "d/a.csv#9"]);
    assert_eq!(world.status().rejected, 0);
}

#[tokio::test]
async fn a_half_batched_file_that_is_deleted_holds_nothing_up() {
    let world = half_batched().await;
    world.store.remove(Bucket::Input, "d/a.csv");
    world.store.drop_file("d/b.csv", "n\n9\n");
    assert_eq!(world.after(120).await.state, DatasetState::UpToDate);
    assert_eq!(world.batches()[1], ["d/b.csv#2"]);
}

#[tokio::test]
async fn a_manifest_made_by_hand_beside_a_half_batched_file_ends_it_in_words() {
    let world = half_batched().await;
    world.store.drop_file("d/first.manifest", "{\"source\":\"a\"}\n");
    world.after(120).await;
    assert_eq!(world.batches()[1], ["d/first.manifest#1"]);
    let rejected = world.status().rejected_first;
    assert_eq!(rejected[0].key, "d/a.csv");
    assert!(
        rejected[0].reason.contains("after row 6"),
        "{}",
        rejected[0].reason
    );
}

#[tokio::test]
async fn the_same_bytes_again_are_no_change_and_other_bytes_are() {
    let world = World::with_files(SPEC, 3);
    world.after(120).await;
    let changed = || {
        let status = world.status();
        (status.changed_since_batch, status.changed_first)
    };
    // The very same folder again: newer files, the same ETags.
    world.store.pass(5);
    (0..3).for_each(|n| world.store.drop_file(&format!("d/{n:03}.txt"), n.to_string()));
    world.after(60).await;
    assert_eq!(changed(), (0, Vec::new()));
    world.store.drop_file("d/001.txt", "newer");
    for _ in 0..3 {
        world.after(60).await;
        assert_eq!(changed(), (1, vec!["d/001.txt".to_owned()]));
    }
    world.store.drop_file("d/001.txt", "newer still");
    world.store.drop_file("d/000.txt", "newer, too");
    // Another process, which reads the batches again, and then a file that comes in a batch of its own.
    reconcile(&world.another(), &d(), None).await.unwrap();
    world.store.drop_file("d/003.txt", "3");
    world.after(120).await;
    world.after(120).await;
    assert_eq!(world.batches(), [keys(0..3), keys(3..4)]);
    assert_eq!(
        changed(),
        (2, vec!["d/000.txt".to_owned(), "d/001.txt".to_owned()])
    );
    // What was there before is there again.
    (0..2).for_each(|n| world.store.drop_file(&format!("d/{n:03}.txt"), n.to_string()));
    world.after(60).await;
    assert_eq!(changed(), (0, Vec::new()));
}

#[tokio::test]
async fn a_batch_whose_status_was_not_written_makes_no_file_look_changed() {
    let world = World::with_files(SPEC, 2);
    world.store.pass(120);
    world.store.fail_next("status/", Fault::Throttled);
    reconcile(&world.deps, &d(), None).await.unwrap_err();
    assert_eq!(world.batches(), [keys(0..2)]);
    reconcile(&world.another(), &d(), None).await.unwrap();
    assert_eq!(world.status().changed_since_batch, 0);
}
