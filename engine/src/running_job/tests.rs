//! What is stored of answers, damaged documents, and other engines that are faster.

use serde_json::json;

use crate::answer::Annotation;
use crate::desk::{Desk, WorkError};
use crate::testing::{one_answer_each, ready, worker};

#[tokio::test]
async fn only_the_chosen_labels_of_an_answer_are_stored() {
    let (world, engine) = ready(1).await;
    engine.job("numbers", |_| {}).await;
    let lease = engine.lease(&worker("a"), "numbers").await.unwrap();
    let large = json!({"crowd-classifier": {"label": "Even"}, "junk": "x".repeat(100_000)});
    let refused = engine.work.submit(&worker("a"), &lease.token, large).await;
    assert!(
        matches!(&refused, Err(WorkError::BadAnswer(why)) if why.contains("bytes")),
        "{refused:?}"
    );
    let junk = json!({"crowd-classifier": {"label": "Even", "junk": "x"}, "junk": "x".repeat(3_000)});
    engine
        .work
        .submit(&worker("a"), &lease.token, junk)
        .await
        .unwrap();
    let stored = world
        .store
        .text("s3://state/jobs/numbers/items/000000.json")
        .unwrap();
    assert!(!stored.contains("junk") && stored.contains("Even"), "{stored}");
    let kept = engine
        .core
        .running_jobs
        .get("numbers")
        .unwrap()
        .index()
        .answers(0);
    assert_eq!(kept[0].annotation, Annotation::Classes([0].into()));
}

#[tokio::test]
async fn junk_in_a_stored_answer_is_dropped_when_it_is_read() {
    let (world, engine) = ready(1).await;
    engine.job("numbers", |_| {}).await;
    engine.answer_next(&worker("a"), "numbers").await.unwrap();
    engine.stop().await;
    let at = "s3://state/jobs/numbers/items/000000.json";
    let stored = world.store.text(at).unwrap();
    let with_junk = stored.replace("\"label\":\"Even\"", "\"label\":\"Even\",\"junk\":1");
    assert_ne!(stored, with_junk);
    world.store.put_text(at, &with_junk);
    let next = world.engine().await;
    next.wait_for_status("numbers", "InProgress").await;
    next.answer_next(&worker("b"), "numbers").await.unwrap();
    assert!(!world.store.text(at).unwrap().contains("junk"));
}

#[tokio::test]
async fn a_damaged_document_fails_its_item_and_no_other() {
    let (world, engine) = ready(3).await;
    engine.job("numbers", one_answer_each).await;
    engine.answer_next(&worker("a"), "numbers").await.unwrap();
    engine.lease(&worker("a"), "numbers").await.unwrap();
    engine.stop().await;
    world
        .store
        .put_text("s3://state/jobs/numbers/items/000001.json", "{\"leases\": 7");
    let next = world.engine().await;
    next.wait_for_status("numbers", "InProgress").await;
    assert_eq!(next.answer_next(&worker("a"), "numbers").await, Ok(Some(2)));
    let job = next.wait_for_status("numbers", "Completed").await;
    let counters = json!({"TotalLabeled": 2, "HumanLabeled": 2, "MachineLabeled": 0, "FailedNonRetryableError": 1, "Unlabeled": 0});
    assert_eq!(job["LabelCounters"], counters);
    let output = world.output("numbers");
    let reason = &output[1]["parity-metadata"]["failure-reason"];
    assert!(reason.as_str().unwrap().contains("damaged"), "{reason}");
    assert_eq!(
        (&output[0]["parity"], &output[2]["parity"]),
        (&json!(0), &json!(0))
    );
}

#[tokio::test]
async fn a_worker_who_loses_a_race_gets_another_item() {
    let (world, engine) = ready(2).await;
    engine.job("numbers", one_answer_each).await;
    let given_back = engine.lease(&worker("y"), "numbers").await.unwrap();
    let other = world.engine().await;
    other.wait_for_status("numbers", "InProgress").await;
    // The other engine hands out the one item that is fresh here, and releases the one that is leased here.
    other.lease(&worker("z"), "numbers").await.unwrap();
    other.work.release(&worker("y"), &given_back.token).await.unwrap();
    assert_eq!(
        engine
            .lease(&worker("a"), "numbers")
            .await
            .map(|lease| lease.index),
        Some(0)
    );
}
