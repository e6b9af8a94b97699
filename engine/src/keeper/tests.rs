//! Jobs that cannot begin or cannot go on end with a reason.

use std::time::Duration;

use serde_json::{Value, json};

use crate::state::keys;
use crate::testing::{TestEngine, TestWorld, one_answer_each, ready, request, worker};

/// Deletes the job's inputs and the engine's copies of them.
async fn lose_inputs(engine: &TestEngine, job: &str) {
    for input in ["numbers.manifest", "labels.json", "tool.html"] {
        let given = crate::state::Address::new("in", input);
        engine.core.objects.delete(&given).await.unwrap();
    }
    for copy in ["input.manifest", "categories.json", "template.liquid.html"] {
        engine
            .core
            .documents
            .delete(&keys::input(job, copy))
            .await
            .unwrap();
    }
}

fn reason(job: &Value) -> &str {
    job["FailureReason"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn a_job_whose_inputs_are_gone_fails_at_the_next_start_and_says_why() {
    let (world, engine) = ready(2).await;
    engine.job("numbers", |_| {}).await;
    lose_inputs(&engine, "numbers").await;
    drop(engine);
    let next = world.engine().await;
    let job = next.wait_for_status("numbers", "Failed").await;
    assert!(reason(&job).contains("does not exist"), "{job}");
    while !world.store.keys("state", "unfinished/").is_empty() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(
        world.events.state_changes.lock().unwrap()[0]["detail"],
        json!({"LabelingJobStatus": "Failed"})
    );
}

#[tokio::test]
async fn a_job_stopped_before_its_inputs_were_read_ends_even_if_they_cannot_be() {
    let (world, engine) = ready(2).await;
    engine.job("numbers", |_| {}).await;
    lose_inputs(&engine, "numbers").await;
    engine.stop().await;
    let at = "s3://state/labeling-jobs/numbers.json";
    let stopping = world.store.text(at).unwrap().replace("InProgress", "Stopping");
    world.store.put_text(at, &stopping);
    let next = world.engine().await;
    next.wait_for_status("numbers", "Failed").await;
}

#[tokio::test]
async fn an_invalid_template_fails_the_job_before_a_worker_sees_it() {
    let (world, engine) = ready(2).await;
    world.store.put_text("s3://in/tool.html", "<p>\n{% if x %}</p>");
    engine
        .call("CreateLabelingJob", request("numbers"))
        .await
        .unwrap();
    let job = engine.wait_for_status("numbers", "Failed").await;
    assert!(
        reason(&job).contains("s3://in/tool.html") && reason(&job).contains("Line 2"),
        "{job}"
    );
}

#[tokio::test]
async fn a_job_goes_on_after_the_store_was_away() {
    let (world, engine) = ready(2).await;
    engine.job("numbers", one_answer_each).await;
    let fail = &world.store.fail_write_every;
    fail.store(1, std::sync::atomic::Ordering::SeqCst);
    assert!(engine.answer_next(&worker("a"), "numbers").await.is_err());
    fail.store(0, std::sync::atomic::Ordering::SeqCst);
    while engine
        .answer_next(&worker("a"), "numbers")
        .await
        .is_ok_and(|got| got.is_some())
    {}
    engine.wait_for_status("numbers", "Completed").await;
}

#[tokio::test]
async fn a_file_that_cannot_be_written_does_not_stop_the_others() {
    let (world, engine) = ready(2).await;
    world.numbers(20);
    engine.job("numbers", one_answer_each).await;
    let running = engine.core.running_jobs.get("numbers").unwrap();
    while engine
        .answer_next(&worker("a"), "numbers")
        .await
        .is_ok_and(|got| got.is_some())
    {}
    engine.wait_for_status("numbers", "Completed").await;
    let all: Vec<u32> = (0..20).collect();
    world
        .store
        .fail_write_every
        .store(3, std::sync::atomic::Ordering::SeqCst);
    let failed = crate::output::write_raw_answers(engine.core.objects.as_ref(), &running, &all).await;
    assert!(failed.is_err_and(|failed| (1..20).contains(&failed.items.len())));
}

async fn wait_until_nothing_is_unfinished(world: &TestWorld) {
    while !world.store.keys("state", "unfinished/").is_empty() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn an_event_that_cannot_be_sent_is_sent_later_and_only_then_marked() {
    let (world, engine) = ready(2).await;
    engine.job("numbers", one_answer_each).await;
    let failing = &world.events.fail_state_changes;
    failing.store(i64::MAX, std::sync::atomic::Ordering::SeqCst);
    for _ in 0..2 {
        engine.answer_next(&worker("a"), "numbers").await.unwrap();
    }
    engine.wait_for_status("numbers", "Completed").await;
    let left = || failing.load(std::sync::atomic::Ordering::SeqCst);
    while left() > i64::MAX - 3 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let document = world.store.text("s3://state/labeling-jobs/numbers.json").unwrap();
    assert!(document.contains("\"announced\":false"), "{document}");
    failing.store(0, std::sync::atomic::Ordering::SeqCst);
    wait_until_nothing_is_unfinished(&world).await;
    assert_eq!(world.events.state_changes.lock().unwrap().len(), 1);
    let document = world.store.text("s3://state/labeling-jobs/numbers.json").unwrap();
    assert!(document.contains("\"announced\":true"), "{document}");
}

#[tokio::test]
async fn a_marker_without_a_job_is_deleted_when_it_is_old() {
    let (world, engine) = ready(2).await;
    world.store.put_text("s3://state/unfinished/ghost", "{}");
    world.store.put_text("s3://state/unfinished/damaged", "{");
    world.store.put_text(
        "s3://state/unfinished/young",
        r#"{"since":"2023-11-14T22:13:20Z"}"#,
    );
    crate::keeper::supervise(&engine.core).await.unwrap();
    while world.store.keys("state", "unfinished/").len() > 1 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(world.store.keys("state", "unfinished/"), ["unfinished/young"]);
    world.advance(601);
    wait_until_nothing_is_unfinished(&world).await;
}

#[tokio::test]
async fn a_job_without_an_output_bucket_fails_before_anyone_works() {
    let (_, engine) = ready(2).await;
    let mut request = request("numbers");
    request["OutputConfig"]["S3OutputPath"] = json!("s3://no-such-bucket/labels/");
    engine.call("CreateLabelingJob", request).await.unwrap();
    let job = engine.wait_for_status("numbers", "Failed").await;
    assert!(
        reason(&job).contains("output path s3://no-such-bucket/labels/"),
        "{job}"
    );
}

#[tokio::test]
async fn the_first_output_stays_and_an_older_jobs_output_is_replaced() {
    let (world, engine) = ready(2).await;
    let at = "s3://out/labels/numbers/manifests/output/output.manifest";
    world.store.put_text(at, "{\"source\":\"of an older job\"}\n");
    engine.job("numbers", one_answer_each).await;
    let running = engine.core.running_jobs.get("numbers").unwrap();
    for _ in 0..2 {
        engine.answer_next(&worker("a"), "numbers").await.unwrap();
    }
    engine.wait_for_status("numbers", "Completed").await;
    let first = world.store.text(at).unwrap();
    assert_eq!(world.output("numbers")[0]["parity"], 0);
    // Another engine that was delayed since before the end, with other results.
    let late = std::sync::Arc::new(vec![crate::output::ItemResult::Unlabeled; 2]);
    let end = crate::output::write_output(engine.core.objects.as_ref(), &running, &late, None).await;
    assert_eq!(world.store.text(at).unwrap(), first);
    let counters = end.ok().unwrap().counters;
    assert_eq!((counters.human_labeled, counters.unlabeled), (2, 0));
}

#[tokio::test]
async fn the_inputs_of_a_job_are_read_once() {
    let (world, engine) = ready(2).await;
    engine.job("numbers", |_| {}).await;
    let reads = world
        .store
        .manifest_reads
        .load(std::sync::atomic::Ordering::SeqCst);
    assert_eq!(reads, 2, "one read for the job's copy, one of the manifest");
}
