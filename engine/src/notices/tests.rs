//! Who is told what, how often, whatever happens in between.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::WorkNotice;
use crate::testing::{Rig, World};

const TOPIC: &str = "arn:aws:sns:us-east-1:000000000000:groundcrew-work-crew";

async fn ready() -> (World, Rig) {
    let world = World::default();
    world.numbers(2);
    let rig = world.engine().await;
    rig.crew().await;
    (world, rig)
}

async fn notify(rig: &Rig, configuration: Value) -> Value {
    let request = json!({"WorkteamName": "crew", "NotificationConfiguration": configuration});
    rig.call("UpdateWorkteam", request).await.unwrap();
    let team = rig
        .call("DescribeWorkteam", json!({"WorkteamName": "crew"}))
        .await
        .unwrap();
    team["Workteam"]["NotificationConfiguration"].clone()
}

fn sent(world: &World) -> Vec<WorkNotice> {
    world.events.1.sent.lock().unwrap().clone()
}

async fn until(world: &World, what: &str, is_so: impl Fn(&World) -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !is_so(world) {
        assert!(
            Instant::now() < deadline,
            "{what} never came; sent: {:?}",
            sent(world)
        );
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

fn markers(world: &World) -> Vec<String> {
    let keys = world.store.keys("state", "notices/");
    let told = |key: &String| {
        world
            .store
            .text(&format!("s3://state/{key}"))
            .unwrap()
            .contains("Told")
    };
    keys.into_iter().filter(told).collect()
}

/// Long enough for several rounds of looking.
async fn rounds(rig: &Rig) {
    tokio::time::sleep(rig.core.pace.tick * 20).await;
}

#[tokio::test]
async fn a_topic_is_kept_shown_changed_and_removed() {
    let (_, rig) = ready().await;
    let configured = json!({"NotificationTopicArn": TOPIC});
    assert_eq!(notify(&rig, configured.clone()).await, configured);
    let request = json!({"WorkteamName": "crew", "Description": "other"});
    rig.call("UpdateWorkteam", request).await.unwrap();
    let other = json!({"NotificationTopicArn": format!("{TOPIC}-2")});
    assert_eq!(notify(&rig, other.clone()).await, other);
    assert_eq!(notify(&rig, json!({})).await, Value::Null);
}

#[tokio::test]
async fn a_team_is_told_of_a_new_job_and_of_its_coming_end_once_each() {
    let (world, rig) = ready().await;
    notify(&rig, json!({"NotificationTopicArn": TOPIC})).await;
    rig.job("numbers", |_| {}).await;
    until(&world, "word of the job", |world| markers(world).len() == 1).await;
    let first = sent(&world).remove(0);
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
    drop(rig);
    let rig = world.engine().await;
    rig.until("numbers", "InProgress").await;
    rounds(&rig).await;
    assert_eq!(sent(&world).len(), 1, "a restart tells nothing again");
    world.advance(29 * 86_400);
    until(&world, "word of the end", |world| markers(world).len() == 2).await;
    let last = sent(&world).remove(1);
    assert!(last.message.contains("1 day"), "{}", last.message);
    rounds(&rig).await;
    assert_eq!(sent(&world).len(), 2);
}

#[tokio::test]
async fn two_engines_on_one_store_tell_once() {
    let (world, rig) = ready().await;
    let other = world.engine().await;
    notify(&rig, json!({"NotificationTopicArn": TOPIC})).await;
    for job in ["one", "two", "three"] {
        rig.job(job, |_| {}).await;
    }
    other.core.supervise().await.unwrap();
    until(&world, "word of all jobs", |world| markers(world).len() == 3).await;
    rounds(&other).await;
    assert_eq!(sent(&world).len(), 3);
}

#[tokio::test]
async fn what_cannot_be_sent_is_tried_again() {
    let (world, rig) = ready().await;
    world.events.1.refuse.store(3, Ordering::SeqCst);
    notify(&rig, json!({"NotificationTopicArn": TOPIC})).await;
    rig.job("numbers", |_| {}).await;
    until(&world, "word of the job", |world| sent(world).len() == 1).await;
    assert_eq!(world.events.1.refused.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_crash_before_the_marker_tells_again_when_the_claim_has_run_out() {
    let (world, rig) = ready().await;
    notify(&rig, json!({"NotificationTopicArn": TOPIC})).await;
    let claimed = serde_json::to_string(&super::Marker::Telling(
        (rig.core.clock)() + jiff::SignedDuration::from_secs(60),
    ));
    world
        .store
        .put_text("s3://state/notices/numbers/new.json", &claimed.unwrap());
    rig.job("numbers", |_| {}).await;
    rounds(&rig).await;
    assert!(sent(&world).is_empty());
    world.advance(60);
    until(&world, "word of the job", |world| sent(world).len() == 1).await;
}

#[tokio::test]
async fn a_team_without_a_topic_and_a_job_without_work_tell_nobody() {
    let (world, rig) = ready().await;
    rig.job("silent", |_| {}).await;
    rounds(&rig).await;
    assert!(sent(&world).is_empty());
    rig.job("short", |r| {
        r["HumanTaskConfig"]["TaskAvailabilityLifetimeInSeconds"] = json!(600);
        r["HumanTaskConfig"]["NumberOfHumanWorkersPerDataObject"] = json!(1);
    })
    .await;
    notify(&rig, json!({"NotificationTopicArn": TOPIC})).await;
    // Both jobs wait for people when the team gets its topic.
    until(&world, "word of both jobs", |world| markers(world).len() == 2).await;
    world.advance(590);
    rounds(&rig).await;
    assert_eq!(sent(&world).len(), 2, "no second word of a job of ten minutes");
}
