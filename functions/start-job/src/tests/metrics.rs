//! What a sweep counts.

use lambda::metric::Metric;

use super::*;
use crate::handle_at;

fn waiting_metrics(world: &World) -> (Vec<u64>, Vec<u64>) {
    let metrics = &world.metrics;
    (
        metrics.values(Metric::BatchesWaiting),
        metrics.values(Metric::OldestWaitingMinutes),
    )
}

async fn sweep(world: &World, which: Value) {
    let _ = handle_at(&world.deps, json!({"sweep": which}), world.store.now()).await;
}

#[tokio::test]
async fn every_sweep_says_how_many_batches_wait_and_for_how_long() {
    let world = World::with_batches(3);
    world.labeling.quota(1);
    world.store.pass(3_600);
    sweep(&world, json!("all")).await;
    assert_eq!(waiting_metrics(&world), (vec![2], vec![60]));
    world.labeling.quota(9);
    sweep(&world, json!("all")).await;
    assert_eq!(waiting_metrics(&world), (vec![2, 0], vec![60, 0]));
}

#[tokio::test]
async fn a_batch_that_cannot_be_started_for_a_failure_waits_too() {
    let world = World::with_batches(1);
    world.labeling.answer_next(Answer::Throttled);
    world.store.pass(600);
    sweep(&world, json!("all")).await;
    assert_eq!(waiting_metrics(&world), (vec![1], vec![10]));
}

#[tokio::test]
async fn a_sweep_of_some_datasets_counts_nothing() {
    let world = World::with_batches(1);
    world.labeling.quota(0);
    sweep(&world, json!(["d"])).await;
    assert_eq!(waiting_metrics(&world), (vec![], vec![]));
}

#[tokio::test]
async fn events_about_another_bucket_are_counted() {
    let world = World::with_batches(1);
    let body = json!({"Records": [{
        "eventVersion": "2.1", "eventName": "ObjectCreated:Put", "eventTime": "2026-11-21T10:00:00Z",
        "s3": {"bucket": {"name": "another-stacks"}, "object": {"key": "manifests/d/000001.manifest"}}
    }]});
    let message = json!({"messageId": "m", "body": body.to_string(), "eventSource": "aws:sqs"});
    let reply = handle(&world.deps, json!({"Records": [message]})).await.unwrap();
    assert_eq!(reply, json!({"batchItemFailures": []}));
    assert_eq!(world.metrics.values(Metric::DroppedForeignEvents), [1]);
    assert!(world.jobs().is_empty());
}
