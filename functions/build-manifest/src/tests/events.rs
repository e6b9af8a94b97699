//! The function's answers to queue messages and to the clock.

use serde_json::json;

use super::*;
use crate::handle;

fn message(id: &str, body: &Value) -> Value {
    let body = body.as_str().map_or_else(|| body.to_string(), str::to_owned);
    json!({"messageId": id, "body": body, "eventSource": "aws:sqs", "attributes": {"ApproximateReceiveCount": "1"}})
}

fn object_event(bucket: &str, key: &str, version: &str) -> Value {
    json!({"Records": [{
        "eventVersion": version, "eventSource": "aws:s3", "eventTime": "2026-11-21T10:00:00.000Z",
        "eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": bucket}, "object": {"key": key}}
    }]})
}

async fn failures(world: &World, messages: &[Value]) -> Vec<String> {
    let reply = handle(&world.deps, json!({"Records": messages})).await.unwrap();
    let failures = reply["batchItemFailures"].as_array().unwrap();
    let mut ids: Vec<_> = failures
        .iter()
        .map(|f| f["itemIdentifier"].as_str().unwrap().to_owned())
        .collect();
    ids.sort();
    ids
}

#[tokio::test]
async fn messages_collapse_to_their_dataset() {
    let world = World::with_files(SPEC, 3);
    world.store.pass(120);
    let messages: Vec<_> = keys(0..3)
        .iter()
        .map(|key| message(key, &object_event("in", key, "2.1")))
        .collect();
    assert_eq!(failures(&world, &messages).await, Vec::<String>::new());
    assert_eq!(world.batches(), [keys(0..3)]);
}

#[tokio::test]
async fn a_failed_dataset_keeps_one_message_and_the_others_go_on() {
    let world = World::with_files(SPEC, 3);
    world.store.drop_file("e/labeling.yaml", SPEC);
    world.store.drop_file("e/a.txt", "1");
    world.store.break_list("d/");
    world.store.pass(120);
    let keys = ["d/000.txt", "d/001.txt", "d/002.txt", "e/a.txt"];
    let messages: Vec<_> = keys
        .iter()
        .map(|key| message(key, &object_event("in", key, "2.1")))
        .collect();
    assert_eq!(failures(&world, &messages).await, ["d/000.txt"]);
    assert_eq!(world.store.outputs("manifests/"), ["manifests/e/000001.manifest"]);
}

#[tokio::test]
async fn messages_that_say_nothing_are_acknowledged_and_unknown_ones_are_not() {
    let world = World::with_files(SPEC, 1);
    world.store.pass(120);
    let messages = [
        message("test", &json!({"Service": "Amazon S3", "Event": "s3:TestEvent"})),
        message("empty", &json!("")),
        message("prose", &json!("hello")),
        message("none", &json!({"Records": []})),
        message("foreign", &object_event("elsewhere", "d/000.txt", "2.1")),
        message("team", &object_event("in", "teams/a.yaml", "2.1")),
        message("newer", &object_event("in", "d/000.txt", "2.9")),
        message("newest", &object_event("in", "d/000.txt", "3.0")),
    ];
    assert_eq!(failures(&world, &messages).await, ["newest"]);
    assert_eq!(world.batches(), [keys(0..1)]);
}

#[tokio::test]
async fn a_foreign_bucket_makes_nothing_be_read() {
    let world = World::with_files(SPEC, 1);
    world.store.pass(120);
    failures(
        &world,
        &[message("m", &object_event("elsewhere", "d/000.txt", "2.1"))],
    )
    .await;
    assert_eq!(
        world.metrics.values(lambda::metric::Metric::DroppedForeignEvents),
        [1]
    );
    assert_eq!(world.store.reads(), Vec::<String>::new());
}

#[tokio::test]
async fn the_sweep_finds_files_without_event() {
    let world = World::with_files(SPEC, 3);
    world.store.drop_file("teams/a.yaml", "");
    world.store.pass(120);
    let reply = handle(&world.deps, json!({"sweep": "all"})).await.unwrap();
    assert_eq!(reply, json!({"datasets": 1, "batches": 1}));
    assert_eq!(world.batches(), [keys(0..3)]);
}

#[tokio::test]
async fn a_sweep_of_one_dataset_leaves_the_others() {
    let world = World::with_files(SPEC, 1);
    world.store.drop_file("e/labeling.yaml", SPEC);
    world.store.drop_file("e/a.txt", "1");
    world.store.pass(120);
    handle(&world.deps, json!({"sweep": ["e"]})).await.unwrap();
    assert_eq!(world.store.outputs("manifests/"), ["manifests/e/000001.manifest"]);
}

#[tokio::test]
async fn a_sweep_that_could_not_do_all_says_so_after_doing_the_rest() {
    let world = World::with_files(SPEC, 1);
    world.store.drop_file("e/labeling.yaml", SPEC);
    world.store.drop_file("e/a.txt", "1");
    world.store.break_list("d/");
    world.store.pass(120);
    let error = handle(&world.deps, json!({"sweep": "all"}))
        .await
        .unwrap_err()
        .to_string();
    assert!(error.starts_with("1 of 2"), "{error}");
    assert_eq!(world.store.outputs("manifests/"), ["manifests/e/000001.manifest"]);
}

#[tokio::test]
async fn files_in_no_dataset_are_announced_once() {
    let world = World::new();
    world.store.drop_file("loose.txt", "1");
    world.store.drop_file("a\nb/x.txt", "1");
    for _ in 0..2 {
        handle(&world.deps, json!({"sweep": "all"})).await.unwrap();
        let messages = [message("1", &object_event("in", "loose.txt", "2.1"))];
        assert_eq!(failures(&world, &messages).await, Vec::<String>::new());
    }
    assert_eq!(world.notice_kinds(), ["files-rejected"; 2]);
}

#[tokio::test]
async fn a_dataset_called_teams_is_rejected_with_the_reason() {
    let world = World::new();
    world.store.drop_file("teams/labeling.yaml", SPEC);
    world.store.drop_file("teams/crew.yaml", "");
    world.store.drop_file("teams/photos/1.jpg", "1");
    let spec = message("1", &object_event("in", "teams/labeling.yaml", "2.1"));
    assert_eq!(failures(&world, &[spec]).await, Vec::<String>::new());
    assert_eq!(world.notice_kinds(), ["files-rejected"]);
    assert!(
        world.topic.messages()[0]
            .body
            .contains("choose another folder name")
    );
    handle(&world.deps, json!({"sweep": "all"})).await.unwrap();
    assert_eq!(world.notice_kinds(), ["files-rejected"]);

    let silent = World::new();
    silent.store.drop_file("teams/", "");
    silent.store.drop_file("teams/photos/1.jpg", "1");
    handle(&silent.deps, json!({"sweep": "all"})).await.unwrap();
    assert_eq!(silent.notice_kinds(), ["files-rejected"], "there was no event");
}

#[tokio::test]
async fn team_files_are_no_misplaced_files() {
    let world = World::new();
    for key in ["teams/", "teams/crew.yaml", "teams/.DS_Store"] {
        world.store.drop_file(key, "");
        let messages = [message("1", &object_event("in", key, "2.1"))];
        assert_eq!(failures(&world, &messages).await, Vec::<String>::new());
    }
    handle(&world.deps, json!({"sweep": "all"})).await.unwrap();
    assert_eq!(world.notice_kinds(), Vec::<String>::new());
}

#[tokio::test]
async fn a_deleted_dataset_is_not_reported_as_waiting() {
    let world = World::with_files(SPEC, 1);
    world.reconcile().await;
    assert_eq!(world.status().state, DatasetState::Settling);
    for key in ["d/000.txt", "d/labeling.yaml"] {
        world.store.remove(Bucket::Input, key);
    }
    handle(&world.deps, json!({"sweep": "all"})).await.unwrap();
    assert_ne!(world.status().state, DatasetState::Settling);
    assert_eq!(world.status().pending_files, 0);
}

#[tokio::test]
async fn an_unknown_event_is_an_error() {
    let world = World::new();
    assert!(handle(&world.deps, json!({"hello": 1})).await.is_err());
}

/// A minute apart, so that S3's seconds differ.
async fn files_found_by_sweep(world: &World, seconds: i64) -> u64 {
    world.store.pass(seconds);
    handle(&world.deps, json!({"sweep": "all"})).await.unwrap();
    let found = world.metrics.values(lambda::metric::Metric::FoundWithoutEvent);
    *found.last().unwrap()
}

#[tokio::test]
async fn files_whose_events_never_came_are_counted_once() {
    let world = World::with_files(SPEC, 3);
    world.store.drop_file("d/.DS_Store", "left out, whatever its age");
    assert_eq!(files_found_by_sweep(&world, 660).await, 3);
    assert_eq!(files_found_by_sweep(&world, 900).await, 0);
    world.store.drop_file("d/more.txt", "1");
    assert_eq!(files_found_by_sweep(&world, 660).await, 1);
    assert_eq!(files_found_by_sweep(&world, 900).await, 0);
}

#[tokio::test]
async fn files_whose_event_came_or_may_still_come_are_not_counted() {
    let patient = SPEC.replace("quiet: 2m", "quiet: 15m");
    let world = World::with_files(&patient, 2);
    world.store.pass(195);
    failures(&world, &[message("m", &object_event("in", "d/000.txt", "2.1"))]).await;
    assert_eq!(world.status().state, DatasetState::Settling);
    assert_eq!(
        files_found_by_sweep(&world, 1_000).await,
        0,
        "the event came, the sweep cut"
    );
    assert_eq!(world.batches().len(), 1);
    world.store.drop_file("d/late.txt", "1");
    assert_eq!(
        files_found_by_sweep(&world, 590).await,
        0,
        "its event may still come"
    );
    assert_eq!(
        files_found_by_sweep(&world, 900).await,
        0,
        "this was looked at before"
    );
}

#[tokio::test]
async fn a_long_upload_is_not_counted_as_a_file_without_event() {
    let world = World::with_files(SPEC, 0);
    world.reconcile().await;
    world.store.pass(60);
    world.store.open_upload("d/large.txt");
    world.store.pass(1_200);
    world.store.finish_upload("d/large.txt", "1");
    assert_eq!(files_found_by_sweep(&world, 5).await, 0);
}
