//! What bad input gets: one notice per cause, and everyone else in the file is served.

use shared::port::crew::{AccountStatus, Identity};
use testkit::CrewFault;

use super::*;

/// Looks at it three times and at everything twice: each notice is published once.
async fn look_again(world: &World) {
    for _ in 0..2 {
        world.event(FILE).await;
        let _ = world.sweep().await;
    }
}

#[tokio::test]
async fn what_is_no_address_and_an_address_twice_are_one_notice_and_the_others_are_invited() {
    let world = World::new();
    let reply = world
        .workers(&[
            "ana@example.org",
            "not-an-address",
            "ANA@example.org",
            "bo@example.org",
        ])
        .await;
    assert_eq!(reply, json!([]));
    look_again(&world).await;
    assert_eq!(world.notice_kinds(), ["team-problems"]);
    assert!(world.texts().contains("not-an-address") && world.texts().contains("twice"));
    assert_eq!(world.mails_by_address().len(), 2);
    let roster = world.roster();
    assert_eq!((roster.problems.len(), roster.settled), (2, true));
    assert_eq!(roster.problems[0].line, Some(4));
}

#[tokio::test]
async fn a_message_that_asks_for_nothing_makes_no_call() {
    let world = World::new();
    world.store.break_list("teams/");
    let foreign = json!({"Records": [{
        "eventVersion": "2.1", "eventName": "ObjectCreated:Put", "eventTime": NOW,
        "s3": {"bucket": {"name": "another-bucket"}, "object": {"key": FILE}}
    }]});
    let test = json!({"Service": "Amazon S3", "Event": "s3:TestEvent", "Time": NOW, "Bucket": "in"});
    let message =
        |id: &str, body: &Value| json!({"messageId": id, "body": body.to_string(), "eventSource": "aws:sqs"});
    let unknown = json!({"detail-type": "Anything"});
    let records = [
        message("a", &test),
        message("b", &foreign),
        message("c", &unknown),
    ];
    let reply = handle(&world.deps, json!({"Records": records})).await.unwrap();
    assert_eq!(reply, json!({"batchItemFailures": [{"itemIdentifier": "c"}]}));
    assert!(world.directory.faults.calls().is_empty() && world.workforce.faults.calls().is_empty());
    let foreign = world.metrics.values(lambda::metric::Metric::DroppedForeignEvents);
    assert_eq!(foreign, [1]);
}

#[tokio::test]
async fn ten_thousand_and_one_addresses_change_nothing() {
    let world = World::new();
    world.workers(&["ana@example.org"]).await;
    world.team(&people(10_001)).await;
    look_again(&world).await;
    assert_eq!(world.notice_kinds(), ["team-rejected"]);
    assert!(world.texts().contains("10001 addresses, 10000 are the most"));
    assert_eq!(world.mails_by_address().len(), 1);
    assert_eq!(world.states()["ana@example.org"], MemberState::Invited);
    assert!(world.roster().problems[0].message.contains("two teams"));
}

#[tokio::test]
async fn a_file_without_description_or_with_broken_yaml_is_announced_once_per_content() {
    let world = World::new();
    let texts = [
        "organization: x\ncontact: a@example.org\n",
        "organization: [\n",
        "organisation: x\n",
    ];
    for (count, text) in texts.into_iter().enumerate() {
        world.store.drop_file(FILE, text);
        assert_eq!(world.event(FILE).await, json!([]));
        look_again(&world).await;
        assert_eq!(world.notice_kinds().len(), count + 1, "{text}");
    }
    assert!(world.texts().contains("`description` is missing"));
    assert!(world.texts().contains("did you mean `organization`?"));
    assert_eq!(world.roster().problems[0].line, Some(1));
    assert!(world.workforce.teams().is_empty() && world.directory.groups().is_empty());
    world.workers(&["ana@example.org"]).await;
    assert!(world.roster().problems.is_empty());
    assert_eq!(world.count(MemberState::Invited), 1);
}

#[tokio::test]
async fn a_file_whose_name_no_team_can_have_is_announced_once_with_the_reason() {
    let world = World::new();
    let long = format!("teams/{}.yaml", "x".repeat(64));
    for key in ["teams/my team.yaml", "teams/a.yml", &long] {
        world.store.drop_file(key, HEAD);
        for _ in 0..2 {
            assert_eq!(world.event(key).await, json!([]));
        }
    }
    world.sweep().await.unwrap();
    assert_eq!(world.notice_kinds(), ["team-rejected"; 3]);
    for reason in ["my team", "letters, digits and hyphens", "ends in `.yaml`", "63"] {
        assert!(world.texts().contains(reason), "{reason}");
    }
    assert!(world.workforce.teams().is_empty());
}

#[tokio::test]
async fn an_imported_group_that_does_not_exist_is_left_out_and_announced() {
    let world = World::new();
    world.directory.put_group("here");
    world
        .team("workers: [ana@example.org]\ngroups: [here, gone]")
        .await;
    look_again(&world).await;
    assert_eq!(world.notice_kinds(), ["team-problems"]);
    assert!(world.texts().contains("no group `gone`"));
    assert_eq!(world.count(MemberState::Invited), 1);
    world.directory.put_group("gone");
    world.event(FILE).await;
    assert!(world.roster().problems.is_empty());
}

#[tokio::test]
async fn a_workforce_of_the_other_kind_or_another_pool_is_announced_and_no_one_invited() {
    let cognito = |pool: &str| Identity::Cognito {
        user_pool: pool.to_owned(),
        client_id: "c".to_owned(),
    };
    let oidc = |issuer: &str| Identity::Oidc {
        issuer: issuer.to_owned(),
    };
    let elsewhere = "sign_in: {issuer: 'https://idp.example.org', groups: [labelers]}";
    for (there, file, part) in [
        (
            Some(oidc("https://idp.example.org")),
            "workers: [ana@example.org]",
            "sign_in",
        ),
        (
            Some(cognito("us-east-1_other")),
            "workers: [ana@example.org]",
            "us-east-1_other",
        ),
        (Some(cognito("us-east-1_pool")), elsewhere, "create-workforce"),
        (
            Some(oidc("https://other.example.org")),
            elsewhere,
            "https://other.example.org",
        ),
        (None, elsewhere, "aws sagemaker create-workforce"),
    ] {
        let world = World::new();
        if let Some(there) = there {
            world.workforce.put_workforce(there);
        }
        assert_eq!(world.team(file).await, json!([]));
        look_again(&world).await;
        assert_eq!(world.notice_kinds(), ["team-refused"], "{part}");
        assert!(world.texts().contains(part), "{part}: {}", world.texts());
        assert!(world.mails_by_address().is_empty() && world.workforce.teams().is_empty());
        assert!(world.roster().problems[0].message.contains(part));
    }
}

#[tokio::test]
async fn a_26th_team_is_announced_and_is_made_when_there_is_room() {
    let world = World::new();
    world.workforce.limit(0);
    world.workers(&["ana@example.org"]).await;
    look_again(&world).await;
    assert_eq!(world.notice_kinds(), ["team-refused"]);
    assert!(world.texts().contains("delete one"));
    assert_eq!(world.count(MemberState::Waiting), 1);
    world.workforce.limit(25);
    world.sweep().await.unwrap();
    assert_eq!(world.count(MemberState::Invited), 1);
    assert!(world.roster().problems.is_empty());
}

#[tokio::test]
async fn a_throttle_fails_the_message_and_everyone_else_is_served() {
    let world = World::new();
    world
        .directory
        .faults
        .fail_next("AdminCreateUser", CrewFault::Throttled);
    let reply = world
        .workers(&["ana@example.org", "bo@example.org", "cy@example.org"])
        .await;
    assert_eq!(reply, json!([{"itemIdentifier": "m"}]));
    assert_eq!(
        (
            world.count(MemberState::Invited),
            world.count(MemberState::Waiting)
        ),
        (2, 1)
    );
    assert!(!world.roster().settled);
    assert_eq!(world.event(FILE).await, json!([]));
    assert_eq!(world.count(MemberState::Invited), 3);
    assert!(world.mails_by_address().values().all(|times| *times == 1) && world.roster().settled);
    assert_eq!(world.notice_kinds(), Vec::<String>::new());
}

#[tokio::test]
async fn a_bounced_mail_is_announced_once_and_the_person_can_be_put_back() {
    let world = World::new();
    world.directory.bounce("bo@example.org");
    world.directory.refuse("cy@example.org");
    let reply = world
        .workers(&["ana@example.org", "bo@example.org", "cy@example.org"])
        .await;
    assert_eq!(reply, json!([]));
    look_again(&world).await;
    assert_eq!(world.notice_kinds(), ["team-problems"]);
    assert_eq!(
        (
            world.count(MemberState::Invited),
            world.count(MemberState::Unreachable)
        ),
        (1, 2)
    );
    assert!(
        world
            .member("bo@example.org")
            .problem
            .unwrap()
            .contains("came back")
    );
    assert!(world.person("bo@example.org").invitation.problem.is_some());
    let calls = world.directory.faults.count("AdminCreateUser");
    world.workers(&["ana@example.org"]).await;
    world.workers(&["ana@example.org", "bo@example.org"]).await;
    assert!(world.directory.faults.count("AdminCreateUser") <= calls + 1);
    assert_eq!(world.mails_by_address()["ana@example.org"], 1);
}

#[tokio::test]
async fn a_person_who_signed_up_is_not_a_member_by_that() {
    let world = World::new();
    world
        .directory
        .put_account("ana@example.org", AccountStatus::Unconfirmed);
    world.workers(&["ana@example.org", "bo@example.org"]).await;
    look_again(&world).await;
    assert_eq!(world.member("ana@example.org").state, MemberState::Unreachable);
    assert!(world.person("ana@example.org").sub.is_none());
    assert!(world.directory.groups_of("ana@example.org").is_empty());
    assert_eq!(world.notice_kinds(), ["team-problems"]);
}

#[tokio::test]
async fn events_of_other_buckets_and_files_are_acknowledged() {
    let world = World::new();
    for key in ["teams/", "teams/.DS_Store", "cats/labeling.yaml"] {
        assert_eq!(world.event(key).await, json!([]));
    }
    let foreign = team_event("m", FILE)["body"]
        .as_str()
        .unwrap()
        .replace("\"in\"", "\"theirs\"");
    world.drop_team("");
    let record = json!({"messageId": "m", "body": foreign, "eventSource": "aws:sqs"});
    let reply = handle(&world.deps, json!({"Records": [record]})).await.unwrap();
    assert_eq!(reply, json!({"batchItemFailures": []}));
    assert!(world.workforce.teams().is_empty());
    assert!(handle(&world.deps, json!({"hello": 1})).await.is_err());
}
