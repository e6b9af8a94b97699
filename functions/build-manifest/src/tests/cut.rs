//! When a batch is cut, and what is in it.

use super::*;

#[tokio::test]
async fn files_are_batched_when_they_have_been_quiet() {
    let world = World::with_files(SPEC, 3);
    let outcome = world.after(119).await;
    assert_eq!(outcome.state, DatasetState::Settling);
    assert_eq!(outcome.check_at, Some("2026-11-21T10:02:00Z".parse().unwrap()));
    assert_eq!(world.batches(), Vec::<Vec<String>>::new());

    let outcome = world.after(1).await;
    assert_eq!((outcome.state, outcome.cut), (DatasetState::UpToDate, 1));
    assert_eq!(world.batches(), [keys(0..3)]);
    let metadata = world.store.metadata("manifests/d/000001.manifest");
    assert_eq!(metadata["items"], "3");
    let pinned = format!("specs/{}", metadata["spec-sha256"]);
    assert_eq!(world.store.output(&pinned).unwrap(), SPEC);
}

#[tokio::test]
async fn looking_again_changes_nothing() {
    let world = World::with_files(SPEC, 3);
    world.after(120).await;
    let writes = world.store.writes();
    assert_eq!(world.after(900).await.cut, 0);
    reconcile(&world.another(), &d(), None).await.unwrap();
    assert_eq!(world.store.writes(), writes);
}

#[tokio::test]
async fn an_endless_trickle_is_cut_at_max_wait() {
    let world = World::with_files(&SPEC.replace("max_items: 5", "max_items: 500"), 1);
    for n in 1..=59 {
        world.store.pass(60);
        world.store.drop_file(&format!("d/{n:03}.txt"), "1");
        assert_eq!(world.reconcile().await.cut, 0, "minute {n}");
    }
    assert_eq!(world.after(60).await.cut, 1);
    assert_eq!(world.batches(), [keys(0..60)]);
}

#[tokio::test]
async fn enough_files_for_a_batch_do_not_wait() {
    let world = World::with_files(SPEC, 12);
    let outcome = world.reconcile().await;
    assert_eq!((outcome.state, outcome.cut), (DatasetState::Settling, 2));
    assert_eq!(world.batches(), [keys(0..5), keys(5..10)]);
    assert_eq!(world.status().pending_files, 2);
    world.after(120).await;
    assert_eq!(world.batches(), [keys(0..5), keys(5..10), keys(10..12)]);
}

#[tokio::test]
async fn ready_cuts_what_was_there_before_it() {
    let world = World::with_files(SPEC, 2);
    world.store.drop_file("d/_READY", "");
    world.store.pass(1);
    world.store.drop_file("d/002.txt", "2");
    world.reconcile().await;
    assert_eq!(world.batches(), [keys(0..2)]);
    world.after(120).await;
    assert_eq!(world.batches(), [keys(0..2), keys(2..3)]);
}

#[tokio::test]
async fn an_upload_in_parts_is_waited_for_and_batched_once() {
    let world = World::with_files(SPEC, 1);
    world.store.open_upload("d/001.txt");
    world.after(1200).await;
    assert_eq!(world.status().state, DatasetState::Settling);
    // LastModified of the finished object is 20 minutes old: only the event says that it is new.
    world.store.finish_upload("d/001.txt", "1");
    reconcile(&world.deps, &d(), Some(world.store.now()))
        .await
        .unwrap();
    assert_eq!(world.batches().len(), 0);
    world.after(120).await;
    assert_eq!(world.batches(), [keys(0..2)]);
}

#[tokio::test]
async fn an_abandoned_upload_holds_nothing_up_for_longer_than_max_wait() {
    let world = World::new();
    world.store.open_upload("d/never.txt");
    world.store.pass(3000);
    world.store.drop_file("d/labeling.yaml", SPEC);
    world.store.drop_file("d/000.txt", "0");
    assert_eq!(world.after(599).await.cut, 0);
    assert_eq!(world.after(1).await.cut, 1);
}

#[tokio::test]
async fn every_page_of_a_listing_counts() {
    let world = World::with_files(&SPEC.replace("max_items: 5", "max_items: 500"), 25);
    world.store.page_size(4);
    world.after(120).await;
    assert_eq!(world.batches(), [keys(0..25)]);
}

#[tokio::test]
async fn rows_that_do_not_fit_go_on_in_the_next_batch() {
    let world = World::new();
    world.store.drop_file("d/labeling.yaml", ROWS);
    let csv = (1..=12).fold("n\n".to_owned(), |csv, n| format!("{csv}{n}\n"));
    world.store.drop_file("d/a.csv", csv);
    world.store.drop_file("d/b.csv", "n\nx\ny\n");
    world.after(120).await;
    let batches = world.batches();
    assert_eq!(batches.iter().map(Vec::len).collect::<Vec<_>>(), [5, 5, 4]);
    let all: std::collections::BTreeSet<_> = batches.iter().flatten().collect();
    assert_eq!(all.len(), 14, "each row once: {batches:?}");
    assert!(
        world
            .store
            .metadata("manifests/d/000001.manifest")
            .contains_key("resume-after-row")
    );
    assert!(
        !world
            .store
            .metadata("manifests/d/000003.manifest")
            .contains_key("resume-after-row")
    );
}

/// Batch 1 of a file, with as many rows of it as an earlier version took, which said nothing of how it numbers them.
fn batch_of_an_earlier_version(world: &World, key: &str, rows: u64) {
    let etag = world.store.etag(Bucket::Input, key).unwrap();
    let line = |row| json!({"source": "x", "groundcrew": {"key": key, "etag": etag, "row": row}}).to_string();
    let manifest = (1..=rows).map(|row| line(row) + "\n").collect::<String>();
    let metadata = [("resume-after-row", rows.to_string())];
    let metadata = metadata.each_ref().map(|(name, value)| (*name, value.as_str()));
    world
        .store
        .put_output("manifests/d/000001.manifest", manifest, &metadata);
}

#[tokio::test]
async fn a_file_half_batched_by_an_earlier_version_goes_on_where_rows_are_the_same() {
    let lines = SPEC.to_owned() + "text: {split: line}\n";
    for (text, rest) in [
        ("1\r\n2\n3\n4\n", vec!["d/a.txt#3", "d/a.txt#4"]),
        ("1\r2\n3\n4\n", vec![]),
    ] {
        let world = World::new();
        world.store.drop_file("d/labeling.yaml", lines.clone());
        world.store.drop_file("d/a.txt", text);
        batch_of_an_earlier_version(&world, "d/a.txt", 2);
        world.after(120).await;
        world.after(120).await;
        assert_eq!(
            world.batches().get(1).cloned().unwrap_or_default(),
            rest,
            "{text:?}"
        );
        let rejected: Vec<_> = world.status().rejected_first;
        assert_eq!(rejected.len(), usize::from(rest.is_empty()), "{rejected:?}");
        if let Some(reject) = rejected.first() {
            let said = "rows up to 2 are in a batch as an earlier version of Groundcrew read the file";
            assert!(reject.reason.starts_with(said), "{}", reject.reason);
        }
    }
}

#[tokio::test]
async fn items_rejected_and_blank_rows_of_all_batches_are_all_rows() {
    let world = World::new();
    world.store.drop_file("d/labeling.yaml", ROWS);
    // 15 rows and the header: a blank one after each third, a bad one after each fifth.
    let rows: String = (1..=11)
        .map(|n| format!("{n}\n{}", if n % 3 == 0 { "\n" } else { "" }))
        .collect();
    world.store.drop_file("d/a.csv", format!("n\n{rows}\"x\" y\n"));
    world.store.drop_file("d/b.csv", "n\n\n1,2\n3\n");
    world.after(120).await;
    let status = world.status();
    let left_out = status.rows_left_out;
    assert_eq!((status.items, left_out.rejected, left_out.blank), (12, 2, 4));
    let another = world.another();
    world.store.drop_file("d/c.csv", "n\n\n4\n");
    world.store.pass(120);
    reconcile(&another, &d(), None).await.unwrap();
    assert_eq!(world.status().rows_left_out.blank, 5, "read from the batches");
    let metadata = world.store.metadata("manifests/d/000001.manifest");
    assert_eq!(metadata.get("row-numbering").map(String::as_str), Some("2"));
}

#[tokio::test]
async fn the_rest_of_a_file_goes_on_after_a_crash_and_at_once() {
    let world = World::new();
    world.store.drop_file("d/labeling.yaml", ROWS);
    world.store.drop_file(
        "d/a.csv",
        (1..=8).fold("n\n".to_owned(), |csv, n| format!("{csv}{n}\n")),
    );
    world.store.pass(120);
    world
        .store
        .fail_next("manifests/d/000002", testkit::Fault::Throttled);
    reconcile(&world.deps, &d(), None).await.unwrap_err();
    assert_eq!(world.batches().len(), 1);
    world.store.drop_file("d/b.csv", "n\n9\n");
    reconcile(&world.another(), &d(), None).await.unwrap();
    assert_eq!(
        world.batches()[1].len(),
        3,
        "b.csv is not quiet yet: {:?}",
        world.batches()
    );
    world.after(120).await;
    assert_eq!(world.batches()[2], ["d/b.csv#2"]);
}

#[tokio::test]
async fn a_file_changed_between_two_of_its_batches_is_rejected_from_there_on() {
    let world = World::new();
    world.store.drop_file("d/labeling.yaml", ROWS);
    world.store.drop_file(
        "d/a.csv",
        (1..=8).fold("n\n".to_owned(), |csv, n| format!("{csv}{n}\n")),
    );
    world.store.pass(120);
    world
        .store
        .fail_next("manifests/d/000002", testkit::Fault::Throttled);
    reconcile(&world.deps, &d(), None).await.unwrap_err();
    world.store.drop_file("d/a.csv", "n\n100\n");
    assert_eq!(world.after(120).await.state, DatasetState::UpToDate);
    assert_eq!(world.batches().len(), 1);
    assert!(
        world.status().rejected_first[0]
            .reason
            .contains("changed while it was being batched")
    );
    let reads = world.store.reads().len();
    world.after(900).await;
    assert!(
        !world.store.reads()[reads..].contains(&"d/a.csv".to_owned()),
        "read again"
    );
}

#[tokio::test]
async fn a_limit_counts_over_all_batches() {
    let world = World::with_files(&format!("{SPEC}select: {{limit: 7}}\n"), 12);
    world.after(120).await;
    assert_eq!(world.batches(), [keys(0..5), keys(5..7)]);
    assert_eq!(world.status().state, DatasetState::UpToDate);
    assert!(
        world.status().message.contains("limit"),
        "{}",
        world.status().message
    );
}

#[tokio::test]
async fn a_manifest_made_by_hand_is_all_that_is_labelled() {
    let world = World::with_files(SPEC, 2);
    world.store.drop_file(
        "d/first.manifest",
        "{\"source\":\"a\"}\nnot json\n{\"source\":\"b\"}\n",
    );
    world.store.drop_file("d/second.manifest", "{\"source\":\"c\"}\n");
    world.after(120).await;
    assert_eq!(
        world.batches(),
        [
            vec!["d/first.manifest#1", "d/first.manifest#3"],
            vec!["d/second.manifest#1"]
        ]
    );
    assert_eq!(world.status().rejected, 1);
    assert_eq!(world.status().rejected_first[0].row, Some(2));
}

#[tokio::test]
async fn what_a_computer_leaves_beside_a_manifest_made_by_hand_is_none() {
    let world = World::with_files(SPEC, 2);
    world
        .store
        .drop_file("d/._first.manifest", [0_u8, 5, 22, 7].to_vec());
    world.after(120).await;
    assert_eq!(world.batches(), [keys(0..2)]);
    assert_eq!(world.status().rejected, 0);
}

#[tokio::test]
async fn each_manifest_made_by_hand_is_read_once() {
    let world = World::with_files(SPEC, 0);
    for n in 0..40 {
        world
            .store
            .drop_file(&format!("d/{n:03}.manifest"), "{\"source\":\"a\"}\n");
    }
    world.after(120).await;
    assert_eq!(world.batches().len(), 40);
    let reads = world.store.reads();
    let reads = reads.iter().filter(|key| key.starts_with("d/0"));
    assert_eq!(reads.count(), 40);
}

#[tokio::test]
async fn a_small_batch_reads_few_files_ahead() {
    let world = World::with_files(SPEC, 100);
    world.after(120).await;
    assert_eq!(world.batches().len(), 20);
    let reads = world.store.reads();
    let reads = reads.iter().filter(|key| key.starts_with("d/0"));
    assert!(reads.clone().count() <= 2 * 100, "{}", reads.count());
}

#[tokio::test]
async fn the_status_says_when_a_batch_is_cut_unless_more_comes() {
    let world = World::with_files(SPEC, 1);
    world.reconcile().await;
    let message = world.status().message;
    assert!(
        message.contains("2026-11-21T10:02:00Z") && message.contains("unless more"),
        "{message}"
    );
}
