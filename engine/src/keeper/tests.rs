//! Jobs that cannot begin or cannot go on: they end with a reason, and nothing is asked again and again for ever.

use std::time::Duration;

use serde_json::{Value, json};

use super::pause;
use crate::state::keys;
use crate::testing::{Rig, World, request, worker};

async fn ready() -> (World, Rig) {
    let world = World::default();
    world.numbers(2);
    let rig = world.engine().await;
    rig.crew().await;
    (world, rig)
}

/// Takes away what the job was given, and its copies.
async fn lose_inputs(rig: &Rig, job: &str) {
    for input in ["numbers.manifest", "labels.json", "tool.html"] {
        let given = crate::state::Address::new("in", input);
        rig.core.objects.delete(&given).await.unwrap();
    }
    for copy in ["input.manifest", "categories.json", "template.liquid.html"] {
        rig.core.documents.delete(&keys::input(job, copy)).await.unwrap();
    }
}

fn reason(job: &Value) -> &str {
    job["FailureReason"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn a_job_whose_inputs_are_gone_fails_at_the_next_start_and_says_why() {
    let (world, rig) = ready().await;
    rig.job("numbers", |_| {}).await;
    lose_inputs(&rig, "numbers").await;
    drop(rig);
    let next = world.engine().await;
    let job = next.until("numbers", "Failed").await;
    assert!(reason(&job).contains("does not exist"), "{job}");
    while !world.store.keys("state", "unfinished/").is_empty() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(
        world.events.0.lock().unwrap()[0]["detail"],
        json!({"LabelingJobStatus": "Failed"})
    );
}

#[tokio::test]
async fn a_job_stopped_before_its_inputs_were_read_ends_even_if_they_cannot_be() {
    let (world, rig) = ready().await;
    rig.job("numbers", |_| {}).await;
    lose_inputs(&rig, "numbers").await;
    rig.stop().await;
    let at = "s3://state/labeling-jobs/numbers.json";
    let stopping = world.store.text(at).unwrap().replace("InProgress", "Stopping");
    world.store.put_text(at, &stopping);
    let next = world.engine().await;
    next.until("numbers", "Failed").await;
}

#[tokio::test]
async fn a_template_that_is_no_liquid_fails_the_job_before_anybody_sees_it() {
    let (world, rig) = ready().await;
    world.store.put_text("s3://in/tool.html", "<p>\n{% if x %}</p>");
    rig.call("CreateLabelingJob", request("numbers")).await.unwrap();
    let job = rig.until("numbers", "Failed").await;
    assert!(
        reason(&job).contains("s3://in/tool.html") && reason(&job).contains("Line 2"),
        "{job}"
    );
}

#[tokio::test]
async fn a_job_goes_on_after_the_store_was_away() {
    let (world, rig) = ready().await;
    rig.job("numbers", |r| {
        r["HumanTaskConfig"]["NumberOfHumanWorkersPerDataObject"] = json!(1);
    })
    .await;
    let fail = &world.store.fail_write_every;
    fail.store(1, std::sync::atomic::Ordering::SeqCst);
    assert!(rig.answer_next(&worker("a"), "numbers").await.is_err());
    fail.store(0, std::sync::atomic::Ordering::SeqCst);
    while rig
        .answer_next(&worker("a"), "numbers")
        .await
        .is_ok_and(|got| got.is_some())
    {}
    rig.until("numbers", "Completed").await;
}

#[test]
fn what_keeps_failing_is_tried_less_and_less_often() {
    let tick = Duration::from_secs(1);
    let pauses: Vec<u64> = [0, 1, 2, 5, 6, 7, 1000]
        .map(|n| pause(tick, n).as_secs())
        .to_vec();
    assert_eq!(pauses, [1, 2, 4, 32, 64, 64, 64]);
}

#[tokio::test]
async fn a_file_that_cannot_be_written_does_not_hold_up_the_others() {
    let (world, rig) = ready().await;
    world.numbers(20);
    rig.job("numbers", |r| {
        r["HumanTaskConfig"]["NumberOfHumanWorkersPerDataObject"] = json!(1);
    })
    .await;
    let running = rig.core.running("numbers").unwrap();
    while rig
        .answer_next(&worker("a"), "numbers")
        .await
        .is_ok_and(|got| got.is_some())
    {}
    rig.until("numbers", "Completed").await;
    let all: Vec<u32> = (0..20).collect();
    world
        .store
        .fail_write_every
        .store(3, std::sync::atomic::Ordering::SeqCst);
    let left = crate::output::write_raw_answers(rig.core.objects.as_ref(), &running, &all).await;
    assert!(left.is_err_and(|left| (1..20).contains(&left.objects.len())));
}

fn one_answer_each(request: &mut Value) {
    request["HumanTaskConfig"]["NumberOfHumanWorkersPerDataObject"] = json!(1);
}

async fn until_nothing_is_unfinished(world: &World) {
    while !world.store.keys("state", "unfinished/").is_empty() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn an_event_that_cannot_be_sent_is_sent_later_and_only_then_marked() {
    let (world, rig) = ready().await;
    rig.job("numbers", one_answer_each).await;
    let lose = &world.events.1.lose_events;
    lose.store(i64::MAX, std::sync::atomic::Ordering::SeqCst);
    for _ in 0..2 {
        rig.answer_next(&worker("a"), "numbers").await.unwrap();
    }
    rig.until("numbers", "Completed").await;
    let told = || lose.load(std::sync::atomic::Ordering::SeqCst);
    while told() > i64::MAX - 3 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let document = world.store.text("s3://state/labeling-jobs/numbers.json").unwrap();
    assert!(document.contains("\"announced\":false"), "{document}");
    lose.store(0, std::sync::atomic::Ordering::SeqCst);
    until_nothing_is_unfinished(&world).await;
    assert_eq!(world.events.0.lock().unwrap().len(), 1);
    let document = world.store.text("s3://state/labeling-jobs/numbers.json").unwrap();
    assert!(document.contains("\"announced\":true"), "{document}");
}

#[tokio::test]
async fn a_marker_without_a_job_is_taken_away_once_it_is_old() {
    let (world, rig) = ready().await;
    world.store.put_text("s3://state/unfinished/ghost", "{}");
    world.store.put_text("s3://state/unfinished/damaged", "{");
    world.store.put_text(
        "s3://state/unfinished/young",
        r#"{"since":"2023-11-14T22:13:20Z"}"#,
    );
    rig.core.supervise().await.unwrap();
    while world.store.keys("state", "unfinished/").len() > 1 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(world.store.keys("state", "unfinished/"), ["unfinished/young"]);
    world.advance(601);
    until_nothing_is_unfinished(&world).await;
}

#[tokio::test]
async fn a_job_whose_output_bucket_is_not_there_fails_before_anybody_works() {
    let (_, rig) = ready().await;
    let mut request = request("numbers");
    request["OutputConfig"]["S3OutputPath"] = json!("s3://no-such-bucket/labels/");
    rig.call("CreateLabelingJob", request).await.unwrap();
    let job = rig.until("numbers", "Failed").await;
    assert!(
        reason(&job).contains("output path s3://no-such-bucket/labels/"),
        "{job}"
    );
}

#[tokio::test]
async fn the_first_output_stays_and_an_older_jobs_gives_way() {
    let (world, rig) = ready().await;
    let at = "s3://out/labels/numbers/manifests/output/output.manifest";
    world.store.put_text(at, "{\"source\":\"from another life\"}\n");
    rig.job("numbers", one_answer_each).await;
    let running = rig.core.running("numbers").unwrap();
    for _ in 0..2 {
        rig.answer_next(&worker("a"), "numbers").await.unwrap();
    }
    rig.until("numbers", "Completed").await;
    let first = world.store.text(at).unwrap();
    assert_eq!(world.output("numbers")[0]["parity"], 0);
    // Another engine, held up since before the end, and of another opinion.
    let late = std::sync::Arc::new(vec![crate::output::Decision::Unlabeled; 2]);
    let end = crate::output::write_end(rig.core.objects.as_ref(), &running, &late, None).await;
    assert_eq!(world.store.text(at).unwrap(), first);
    let counters = end.ok().unwrap().counters;
    assert_eq!((counters.human_labeled, counters.unlabeled), (2, 0));
}

#[tokio::test]
async fn the_inputs_of_a_job_are_read_once() {
    let (world, rig) = ready().await;
    rig.job("numbers", |_| {}).await;
    let reads = world
        .store
        .manifest_reads
        .load(std::sync::atomic::Ordering::SeqCst);
    assert_eq!(reads, 2, "a look for the job's copy, and the manifest");
}
