//! Events that are not about the person they name.

use serde_json::json;
use shared::layout;
use shared::port::crew::AccountStatus;

use super::{ANA, World, groups};

#[tokio::test]
async fn another_pool_changes_no_group() {
    let world = World::new(&["numbers"]);
    let mut event = world.event(&[]);
    event["userPoolId"] = json!("us-east-1_forged");
    world.passes(event).await;
    let dropped = lambda::metric::Metric::DroppedForeignEvents;
    assert_eq!(world.metrics.values(dropped), [1]);
    world.passes(world.event(&["numbers"])).await;
    assert_eq!(world.metrics.values(dropped), [1]);
}

#[tokio::test]
async fn another_account_with_a_listed_address_changes_no_group() {
    let world = World::new(&["numbers"]);
    let mut event = world.event(&[]);
    event["request"]["userAttributes"]["sub"] = json!("another-sub");
    world.passes(event).await;
}

#[tokio::test]
async fn an_unverified_address_changes_no_group() {
    let world = World::new(&["numbers"]);
    world.list(ANA, &["numbers"], |person| {
        person.sub = None;
        person.username = None;
    });
    for verified in [json!("false"), json!(null), json!("TRUE "), json!(1)] {
        let mut event = world.event(&[]);
        event["request"]["userAttributes"]["email_verified"] = verified;
        world.passes(event).await;
    }
}

#[tokio::test]
async fn a_verified_address_is_enough_before_the_account_is_known() {
    let world = World::new(&["numbers"]);
    world.list(ANA, &["numbers"], |person| person.sub = None);
    assert_eq!(*groups(&world.answer(world.event(&[])).await), json!(["numbers"]));
}

#[tokio::test]
async fn a_user_the_pool_does_not_have_is_in_no_group_and_passes() {
    let world = World::new(&["numbers"]);
    world.directory.remove_account(ANA);
    let event = world.event(&[]);
    assert_eq!(world.answer(event.clone()).await, event);
    assert!(world.markers().is_empty());
}

#[tokio::test]
async fn nothing_a_worker_can_say_makes_them_a_member() {
    let world = World::new(&["numbers"]);
    let bo = world
        .directory
        .put_account("bo@example.org", AccountStatus::Confirmed);
    let mut event = world.event(&[]);
    event["userName"] = json!(bo.username);
    event["request"]["clientMetadata"] = json!({"team": "numbers", "teams": ["numbers"]});
    event["request"]["userAttributes"] = json!({
        "sub": bo.sub, "email": "bo@example.org", "email_verified": "true", "custom:team": "numbers",
    });
    assert_eq!(world.answer(event.clone()).await, event);
    assert!(world.directory.groups_of("bo@example.org").is_empty());
    assert_eq!(world.markers(), [layout::unlisted_join_marker(&bo.sub)]);
}

#[tokio::test]
async fn a_document_that_names_no_possible_team_asks_for_none() {
    let world = World::new(&["numbers"]);
    world.list(ANA, &["../people", "a b", ""], |_| {});
    world.passes(world.event(&[])).await;
}

#[tokio::test]
async fn another_user_name_with_a_listed_sub_changes_no_group() {
    let world = World::new(&["numbers"]);
    let bo = world
        .directory
        .put_account("bo@example.org", AccountStatus::Confirmed);
    for known in [true, false] {
        world.list(ANA, &["numbers"], |person| {
            person.sub = person.sub.take().filter(|_| known);
        });
        for username in [
            bo.username.as_str(),
            "bo@example.org",
            "ANA@example.org",
            "unknown",
        ] {
            let mut event = world.event(&[]);
            event["userName"] = json!(username);
            assert_eq!(world.answer(event.clone()).await, event, "{username}");
        }
        for (name, value) in [("sub", json!(bo.sub)), ("email", json!("bo@example.org"))] {
            let mut event = world.event(&[]);
            event["userName"] = json!(bo.username);
            event["request"]["userAttributes"][name] = value;
            world.answer(event).await;
        }
    }
    assert!(world.directory.groups_of("bo@example.org").is_empty());
    assert!(world.directory.groups_of(ANA).is_empty());
}

#[tokio::test]
async fn an_address_that_only_the_event_calls_verified_changes_no_group() {
    let world = World::new(&["numbers"]);
    world.directory.put_unverified("cho@example.org");
    let cho = world.directory.account("cho@example.org").unwrap();
    world.list("cho@example.org", &["numbers"], |person| {
        person.sub = None;
        person.username = None;
    });
    let mut event = world.event(&[]);
    event["userName"] = json!(cho.username);
    event["request"]["userAttributes"]["sub"] = json!(cho.sub);
    event["request"]["userAttributes"]["email"] = json!("cho@example.org");
    assert_eq!(world.answer(event.clone()).await, event);
    assert!(world.directory.groups_of("cho@example.org").is_empty());
}

#[tokio::test]
async fn a_group_that_others_made_since_is_left_alone() {
    for before in [true, false] {
        let world = World::new(&["numbers"]);
        world.list(ANA, &["numbers"], |person| {
            let known = world.store.now();
            let memberships = person.teams.values_mut();
            memberships.for_each(|membership| membership.group = before.then_some(known));
        });
        world.directory.remove_group("numbers");
        world.directory.put_described_group("numbers", "Administrators");
        let event = world.event(&[]);
        assert_eq!(world.answer(event.clone()).await, event);
        assert!(world.directory.groups_of(ANA).is_empty() && world.markers().is_empty());
    }
}

#[tokio::test]
async fn a_group_handed_over_or_from_before_there_were_marks_is_the_teams() {
    let world = World::new(&[]);
    for (team, description) in [
        ("letters", "Administrators"),
        ("numbers", "The people of a Groundcrew team"),
    ] {
        world.directory.put_described_group(team, description);
    }
    use shared::port::crew::Directory;
    let handed_over = world.directory.group("letters").await.unwrap().unwrap().created;
    world.list(ANA, &["letters", "numbers"], |person| {
        person.teams.get_mut("letters").unwrap().group = Some(handed_over);
    });
    let answer = world.answer(world.event(&[])).await;
    assert_eq!(*groups(&answer), json!(["letters", "numbers"]));
}
