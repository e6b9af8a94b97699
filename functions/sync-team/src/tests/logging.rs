//! What is logged: each decision once, about people by their hash alone.

use shared::port::crew::AccountStatus;
use testkit::FakeLog;

use super::*;

const TEAM: &str = "workers: [ana@example.org, bo@example.org, Bounces@Example.org, not-an-address, \
                    'refused@example.org']\nnotify_workers: true\ninvitation: {text: 'Dear colleague {username} {password}'}";

/// No address and nothing of a team file is logged.
fn assert_no_person_is_named(log: &FakeLog) {
    let text = log.text();
    let lower = text.to_lowercase();
    for word in [
        "@",
        "example.org",
        "ana",
        "bounces",
        "not-an-address",
        "dear colleague",
        "example lab",
    ] {
        // `ana` as a word: hashes and field names are words of their own.
        let named = lower
            .split(|c: char| !(c.is_alphanumeric() || matches!(c, '-' | '.' | '@' | ' ')))
            .any(|part| part == word || (word.len() > 3 && part.contains(word)) || part.contains('@'));
        assert!(!named, "`{word}` is in the log:\n{text}");
    }
}

#[tokio::test]
async fn a_whole_crews_life_is_logged_without_an_address() {
    let log = FakeLog::begin();
    let world = World::new().mails_a_day(50);
    world.directory.bounce("bounces@example.org");
    world.directory.refuse("refused@example.org");
    world
        .directory
        .put_account("who@example.org", AccountStatus::Confirmed);
    world.team(TEAM).await;
    world.join("ana@example.org").await;
    world.sweep().await.unwrap();
    world.pass_days(6);
    world.pass(60);
    world.sweep().await.unwrap();
    world.workers(&["bo@example.org"]).await;
    world.store.drop_file(FILE, "workers: [broken@example.org\n");
    world.event(FILE).await;
    world.event("teams/ana@example.org.yaml").await;
    assert_no_person_is_named(&log);
    let person = |email: &str| json!(layout::person_id(email));
    let about = |message: &str| -> Vec<Value> {
        let said = log.lines_with(message);
        said.into_iter()
            .map(|mut fields| fields["person"].take())
            .collect()
    };
    assert_eq!(log.lines_with("creating workforce").len(), 1);
    assert_eq!(log.lines_with("creating work team")[0]["team"], "numbers-team");
    assert_eq!(
        about("member invited"),
        [person("ana@example.org"), person("bo@example.org")]
    );
    assert_eq!(about("member joined"), [person("ana@example.org")]);
    assert_eq!(log.lines_with("member invited again")[0]["times"], 2);
    assert!(about("member left").contains(&person("ana@example.org")));
    assert_eq!(about("member cannot be reached").len(), 2);
    assert_eq!(log.lines_with("account in no team file and no group").len(), 1);
}

#[tokio::test]
async fn failures_are_logged_without_an_address() {
    use testkit::CrewFault;
    for fault in [CrewFault::Throttled, CrewFault::Refused, CrewFault::ResponseLost] {
        for call in 1..20 {
            let log = FakeLog::begin();
            let world = World::new().mails_a_day(50);
            world.directory.faults.fail_call(call, fault);
            world.topics.faults.fail_call(call, fault);
            world.team(TEAM).await;
            let _ = world.sweep().await;
            assert_no_person_is_named(&log);
        }
    }
}

#[tokio::test]
async fn the_end_of_the_days_mail_is_one_line() {
    let log = FakeLog::begin();
    let world = World::new().mails_a_day(2);
    world.team(&people(40)).await;
    let said = log.lines_with("no invitations left today; the rest waits for 09:00 UTC");
    assert_eq!(said.len(), 1);
    assert_eq!(said[0]["day"], "2026-11-23");
}

#[tokio::test]
async fn a_dropped_event_says_why() {
    let log = FakeLog::begin();
    let world = World::new();
    let body = json!({"Records": [{
        "eventVersion": "2.1", "eventName": "ObjectCreated:Put", "eventTime": NOW,
        "s3": {"bucket": {"name": "another-bucket"}, "object": {"key": FILE}}
    }]});
    let message = json!({"messageId": "m", "body": body.to_string(), "eventSource": "aws:sqs"});
    handle(&world.deps, json!({"Records": [message]})).await.unwrap();
    assert_eq!(log.lines_with("event skipped")[0]["reason"], "another bucket");
}
