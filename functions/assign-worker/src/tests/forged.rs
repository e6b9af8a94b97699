//! Events that are not about the person they name.

use serde_json::json;
use shared::layout;
use shared::port::crew::AccountStatus;

use super::{ANA, World, groups};

#[tokio::test]
async fn another_pool_moves_nobody() {
    let world = World::new(&["numbers"]);
    let mut event = world.event(&[]);
    event["userPoolId"] = json!("us-east-1_forged");
    world.passes(event).await;
    let dropped = platform::metric::Metric::DroppedForeignEvents;
    assert_eq!(world.metrics.values(dropped), [1]);
    world.passes(world.event(&["numbers"])).await;
    assert_eq!(world.metrics.values(dropped), [1]);
}

#[tokio::test]
async fn another_account_with_the_address_of_a_listed_person_moves_nobody() {
    let world = World::new(&["numbers"]);
    let mut event = world.event(&[]);
    event["request"]["userAttributes"]["sub"] = json!("somebody-else");
    world.passes(event).await;
}

#[tokio::test]
async fn an_unverified_address_of_somebody_else_moves_nobody() {
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
    assert_eq!(world.markers(), [layout::joined_unlisted(&bo.sub)]);
}

#[tokio::test]
async fn a_document_that_names_no_possible_team_asks_for_none() {
    let world = World::new(&["numbers"]);
    world.list(ANA, &["../people", "a b", ""], |_| {});
    world.passes(world.event(&[])).await;
}
