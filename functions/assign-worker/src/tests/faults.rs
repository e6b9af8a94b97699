//! Whatever goes wrong, the sign-in goes on, in time and with what succeeded.

use std::time::{Duration, Instant};

use serde_json::json;
use shared::layout;
use testkit::{CrewFault, Fault};

use super::{ANA, World, groups, marker};

#[tokio::test]
async fn cognito_throttled_or_refusing_lets_the_sign_in_pass() {
    for fault in [CrewFault::Throttled, CrewFault::Refused] {
        let world = World::new(&["numbers"]);
        world.directory.faults.fail_next("AdminAddUserToGroup", fault);
        let event = world.event(&[]);
        assert_eq!(world.answer(event.clone()).await, event, "{fault:?}");
        assert!(world.markers().is_empty());
        // The next sign-in makes good for it.
        assert_eq!(
            *groups(&world.answer(event).await),
            json!(["numbers"]),
            "{fault:?}"
        );
    }
}

#[tokio::test]
async fn a_group_that_is_not_there_does_not_keep_the_others_away() {
    let world = World::new(&["letters", "numbers"]);
    world.list(ANA, &["letters", "gone", "numbers"], |_| {});
    let answer = world.answer(world.event(&["others"])).await;
    assert_eq!(*groups(&answer), json!(["others", "letters", "numbers"]));
    assert_eq!(world.markers(), [marker("letters"), marker("numbers")]);
}

#[tokio::test]
async fn what_succeeded_before_time_ran_out_is_in_the_token() {
    let world = World::new(&["letters", "numbers"]);
    // After the account, and the group `letters` with what is done in it.
    world.directory.faults.fail_call(4, CrewFault::Hangs);
    let begun = Instant::now();
    let answer = world.answer(world.event(&["others"])).await;
    let took = begun.elapsed();
    assert_eq!(*groups(&answer), json!(["others", "letters"]));
    assert_eq!(world.markers(), [marker("letters")]);
    assert!(took < world.deps.budget + Duration::from_secs(1), "{took:?}");
}

#[tokio::test]
async fn a_cognito_that_does_not_answer_is_not_waited_for_beyond_the_budget() {
    let world = World::new(&["numbers"]);
    world.directory.faults.slow(Duration::from_secs(600));
    let event = world.event(&[]);
    let begun = Instant::now();
    assert_eq!(world.answer(event.clone()).await, event);
    let took = begun.elapsed();
    assert!(
        (world.deps.budget..world.deps.budget + Duration::from_secs(1)).contains(&took),
        "{took:?}"
    );
}

#[tokio::test]
async fn a_lost_response_of_cognito_is_made_good_at_the_next_sign_in() {
    let world = World::new(&["numbers"]);
    world
        .directory
        .faults
        .fail_next("AdminAddUserToGroup", CrewFault::ResponseLost);
    let event = world.event(&[]);
    assert_eq!(world.answer(event.clone()).await, event);
    assert_eq!(world.directory.groups_of(ANA), ["numbers"]);
    let next = world.event(&["numbers"]);
    assert_eq!(world.answer(next.clone()).await, next);
}

#[tokio::test]
async fn a_store_that_refuses_lets_the_sign_in_pass() {
    let world = World::new(&["numbers"]);
    world.store.refuse_reads(&layout::person(&layout::person_id(ANA)));
    world.passes(world.event(&[])).await;
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_not_waited_for_beyond_the_budget() {
    let world = World::new(&["numbers"]);
    world.store.hang_reads(&layout::person(&layout::person_id(ANA)));
    let begun = Instant::now();
    world.passes(world.event(&[])).await;
    let took = begun.elapsed();
    assert!(
        (world.deps.budget..world.deps.budget + Duration::from_secs(1)).contains(&took),
        "{took:?}"
    );
}

#[tokio::test]
async fn an_unreadable_document_lets_the_sign_in_pass() {
    let world = World::new(&["numbers"]);
    let key = layout::person(&layout::person_id(ANA));
    world.store.put_output(&key, "not ours", &[]);
    world.passes(world.event(&[])).await;
}

#[tokio::test]
async fn a_marker_that_cannot_be_written_does_not_keep_the_group_out_of_the_token() {
    for fault in [Fault::Throttled, Fault::ResponseLost, Fault::ConflictWithItself] {
        let world = World::new(&["numbers"]);
        world.store.fail_next(layout::JOINED, fault);
        let answer = world.answer(world.event(&[])).await;
        assert_eq!(*groups(&answer), json!(["numbers"]), "{fault:?}");
    }
}

#[test]
fn the_budget_leaves_the_cold_start_a_second_and_a_half_of_the_five() {
    assert_eq!(crate::BUDGET, Duration::from_millis(3_500));
}
