//! Which notices are sent, how often, with restarts and failures in between.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::event_sink::WorkNotice;
use crate::testing::{TestEngine, TestWorld, ready};

const TOPIC: &str = "arn:aws:sns:us-east-1:000000000000:groundcrew-work-crew";

async fn notify(engine: &TestEngine, configuration: Value) -> Value {
    let request = json!({"WorkteamName": "crew", "NotificationConfiguration": configuration});
    engine.call("UpdateWorkteam", request).await.unwrap();
    let team = engine
        .call("DescribeWorkteam", json!({"WorkteamName": "crew"}))
        .await
        .unwrap();
    team["Workteam"]["NotificationConfiguration"].clone()
}

fn sent_notices(world: &TestWorld) -> Vec<WorkNotice> {
    world.events.notices.lock().unwrap().clone()
}

async fn wait_until(world: &TestWorld, what: &str, is_so: impl Fn(&TestWorld) -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !is_so(world) {
        assert!(
            Instant::now() < deadline,
            "{what} was never sent; sent: {:?}",
            sent_notices(world)
        );
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

fn markers(world: &TestWorld) -> Vec<String> {
    let keys = world.store.keys("state", "notices/");
    let is_sent = |key: &String| {
        world
            .store
            .text(&format!("s3://state/{key}"))
            .unwrap()
            .contains("Sent")
    };
    keys.into_iter().filter(is_sent).collect()
}

/// Long enough for several rounds of the notice loop.
async fn rounds(engine: &TestEngine) {
    tokio::time::sleep(engine.core.timing.tick * 20).await;
}

#[tokio::test]
async fn a_topic_is_stored_described_changed_and_removed() {
    let (_, engine) = ready(2).await;
    let configured = json!({"NotificationTopicArn": TOPIC});
    assert_eq!(notify(&engine, configured.clone()).await, configured);
    let request = json!({"WorkteamName": "crew", "Description": "other"});
    engine.call("UpdateWorkteam", request).await.unwrap();
    let other = json!({"NotificationTopicArn": format!("{TOPIC}-2")});
    assert_eq!(notify(&engine, other.clone()).await, other);
    assert_eq!(notify(&engine, json!({})).await, Value::Null);
}

#[tokio::test]
async fn a_team_gets_one_notice_of_a_new_job_and_one_of_its_end() {
    let (world, engine) = ready(2).await;
    notify(&engine, json!({"NotificationTopicArn": TOPIC})).await;
    engine.job("numbers", |_| {}).await;
    wait_until(&world, "the notice of the job", |world| markers(world).len() == 1).await;
    let first = sent_notices(&world).remove(0);
    assert_eq!(
        (first.topic_arn.as_str(), first.subject.as_str()),
        (TOPIC, "New work for you: Even or odd?")
    );
    for part in [
        "2 items wait",
        "30 days",
        "http://portal.example:8080/",
        "numbers",
    ] {
        assert!(first.message.contains(part), "{}", first.message);
    }
    drop(engine);
    let engine = world.engine().await;
    engine.wait_for_status("numbers", "InProgress").await;
    rounds(&engine).await;
    assert_eq!(sent_notices(&world).len(), 1, "a restart sends nothing again");
    world.advance(29 * 86_400);
    wait_until(&world, "the notice of the end", |world| markers(world).len() == 2).await;
    let last = sent_notices(&world).remove(1);
    assert!(last.message.contains("1 day"), "{}", last.message);
    rounds(&engine).await;
    assert_eq!(sent_notices(&world).len(), 2);
}

#[tokio::test]
async fn two_engines_on_one_store_send_once() {
    let (world, engine) = ready(2).await;
    let other = world.engine().await;
    notify(&engine, json!({"NotificationTopicArn": TOPIC})).await;
    for job in ["one", "two", "three"] {
        engine.job(job, |_| {}).await;
    }
    crate::keeper::supervise(&other.core).await.unwrap();
    wait_until(&world, "the notices of all jobs", |world| {
        markers(world).len() == 3
    })
    .await;
    rounds(&other).await;
    assert_eq!(sent_notices(&world).len(), 3);
}

#[tokio::test]
async fn a_notice_that_cannot_be_sent_is_retried() {
    let (world, engine) = ready(2).await;
    world.events.fail_notices.store(3, Ordering::SeqCst);
    notify(&engine, json!({"NotificationTopicArn": TOPIC})).await;
    engine.job("numbers", |_| {}).await;
    wait_until(&world, "the notice of the job", |world| {
        sent_notices(world).len() == 1
    })
    .await;
    assert_eq!(world.events.failed_notices.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn after_a_crash_before_the_marker_the_notice_is_sent_when_the_claim_expires() {
    let (world, engine) = ready(2).await;
    notify(&engine, json!({"NotificationTopicArn": TOPIC})).await;
    let claimed = serde_json::to_string(&super::NoticeMarker::Claimed(
        (engine.core.clock)() + jiff::SignedDuration::from_secs(60),
    ));
    world
        .store
        .put_text("s3://state/notices/numbers/new.json", &claimed.unwrap());
    engine.job("numbers", |_| {}).await;
    rounds(&engine).await;
    assert!(sent_notices(&world).is_empty());
    world.advance(60);
    wait_until(&world, "the notice of the job", |world| {
        sent_notices(world).len() == 1
    })
    .await;
}

#[tokio::test]
async fn without_a_topic_or_work_no_notice_is_sent() {
    let (world, engine) = ready(2).await;
    engine.job("silent", |_| {}).await;
    rounds(&engine).await;
    assert!(sent_notices(&world).is_empty());
    engine
        .job("short", |r| {
            r["HumanTaskConfig"]["TaskAvailabilityLifetimeInSeconds"] = json!(600);
            r["HumanTaskConfig"]["NumberOfHumanWorkersPerDataObject"] = json!(1);
        })
        .await;
    notify(&engine, json!({"NotificationTopicArn": TOPIC})).await;
    // Both jobs wait for people when the team gets its topic.
    wait_until(&world, "the notices of both jobs", |world| {
        markers(world).len() == 2
    })
    .await;
    world.advance(590);
    rounds(&engine).await;
    assert_eq!(
        sent_notices(&world).len(),
        2,
        "no second notice of a job of ten minutes"
    );
}
