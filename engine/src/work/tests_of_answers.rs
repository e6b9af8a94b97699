//! What is kept of answers, and what becomes of them when documents are damaged or other engines are faster.

use serde_json::json;

use super::WorkError;
use super::tests::ready;
use crate::testing::worker;

#[tokio::test]
async fn of_an_answer_only_the_choice_is_stored_and_kept() {
    let (world, rig) = ready(1).await;
    rig.job("numbers", |_| {}).await;
    let lease = rig.lease(&worker("a"), "numbers").await.unwrap();
    let large = json!({"crowd-classifier": {"label": "Even"}, "junk": "x".repeat(100_000)});
    let refused = rig.work.submit(&worker("a"), &lease.token, large).await;
    assert!(
        matches!(&refused, Err(WorkError::BadAnswer(why)) if why.contains("bytes")),
        "{refused:?}"
    );
    let junk = json!({"crowd-classifier": {"label": "Even", "junk": "x"}, "junk": "x".repeat(3_000)});
    rig.work.submit(&worker("a"), &lease.token, junk).await.unwrap();
    let stored = world
        .store
        .text("s3://state/jobs/numbers/items/000000.json")
        .unwrap();
    assert!(!stored.contains("junk") && stored.contains("Even"), "{stored}");
    let kept = rig.core.running("numbers").unwrap().index().answers(0);
    assert_eq!(*kept[0].classes, [0]);
}

#[tokio::test]
async fn junk_that_an_earlier_version_stored_is_dropped_when_it_is_read() {
    let (world, rig) = ready(1).await;
    rig.job("numbers", |_| {}).await;
    rig.answer_next(&worker("a"), "numbers").await.unwrap();
    rig.stop().await;
    let at = "s3://state/jobs/numbers/items/000000.json";
    let stored = world.store.text(at).unwrap();
    let with_junk = stored.replace("\"label\":\"Even\"", "\"label\":\"Even\",\"junk\":1");
    assert_ne!(stored, with_junk);
    world.store.put_text(at, &with_junk);
    let next = world.engine().await;
    next.until("numbers", "InProgress").await;
    next.answer_next(&worker("b"), "numbers").await.unwrap();
    assert!(!world.store.text(at).unwrap().contains("junk"));
}

#[tokio::test]
async fn a_damaged_document_fails_its_object_and_no_other() {
    let (world, rig) = ready(3).await;
    rig.job("numbers", |r| {
        r["HumanTaskConfig"]["NumberOfHumanWorkersPerDataObject"] = json!(1);
    })
    .await;
    rig.answer_next(&worker("a"), "numbers").await.unwrap();
    rig.lease(&worker("a"), "numbers").await.unwrap();
    rig.stop().await;
    world
        .store
        .put_text("s3://state/jobs/numbers/items/000001.json", "{\"leases\": 7");
    let next = world.engine().await;
    next.until("numbers", "InProgress").await;
    assert_eq!(next.answer_next(&worker("a"), "numbers").await, Ok(Some(2)));
    let job = next.until("numbers", "Completed").await;
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
async fn who_loses_a_race_is_not_told_that_there_is_nothing_while_there_is() {
    let (world, rig) = ready(2).await;
    rig.job("numbers", |r| {
        r["HumanTaskConfig"]["NumberOfHumanWorkersPerDataObject"] = json!(1);
    })
    .await;
    let given_back = rig.lease(&worker("y"), "numbers").await.unwrap();
    let other = world.engine().await;
    other.until("numbers", "InProgress").await;
    // The other engine gives away the one object that is fresh here, and takes back the one that is leased here.
    other.lease(&worker("z"), "numbers").await.unwrap();
    other.work.release(&worker("y"), &given_back.token).await.unwrap();
    assert_eq!(
        rig.lease(&worker("a"), "numbers").await.map(|lease| lease.index),
        Some(0)
    );
}
