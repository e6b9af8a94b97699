//! 5,000 people, by a simulated clock.

use std::time::Duration;

use testkit::{CrewFault, FakeDirectory};
use tokio::time::Instant;

use super::*;

const PEOPLE: usize = 5_000;

#[tokio::test(start_paused = true)]
async fn five_thousand_people_are_invited_within_cognitos_rates_in_one_invocation() {
    let world = World::with(FakeDirectory::with_pace());
    let from = Instant::now();
    assert_eq!(world.team(&people(PEOPLE)).await, json!([]));
    let took = from.elapsed();
    assert_eq!(world.directory.throttled_calls(), 0, "never faster than allowed");
    assert!(took < Duration::from_secs(300), "{took:?}");
    assert_eq!(world.mails_by_address().len(), PEOPLE);
    assert!(world.mails_by_address().values().all(|times| *times == 1));
    assert_eq!(world.count(MemberState::Invited), PEOPLE);
    assert!(world.roster().settled);
}

#[tokio::test(start_paused = true)]
async fn killed_again_and_again_no_one_is_invited_twice() {
    let world = World::with(FakeDirectory::with_pace());
    world.drop_team(&people(PEOPLE));
    // Seconds until it is killed, after the call or before it; arbitrary, and always the same.
    for (n, seconds) in [1, 13, 0, 29, 7, 3, 41, 2].into_iter().enumerate() {
        let fault = if n % 2 == 0 {
            CrewFault::HangsAfterwards
        } else {
            CrewFault::Hangs
        };
        world.directory.faults.fail_from(seconds * 25 + 5 + n, fault);
        let killed = tokio::time::timeout(Duration::from_secs(60), world.event(FILE)).await;
        assert!(killed.is_err());
        world.directory.faults.clear();
    }
    assert_eq!(world.event(FILE).await, json!([]));
    assert_eq!(world.directory.throttled_calls(), 0);
    assert_eq!(world.mails_by_address().len(), PEOPLE);
    assert!(world.mails_by_address().values().all(|times| *times == 1));
    assert_eq!(world.count(MemberState::Invited), PEOPLE);
}

#[tokio::test(start_paused = true)]
async fn what_does_not_fit_into_one_invocation_goes_on_in_the_next() {
    let world = World::new();
    world.directory.faults.slow(Duration::from_secs(30));
    let from = Instant::now();
    assert_eq!(world.team(&people(2_000)).await, json!([]));
    assert!(from.elapsed() < Duration::from_secs(900), "{:?}", from.elapsed());
    let invited = world.count(MemberState::Invited);
    assert!((500..1_500).contains(&invited), "{invited}");
    assert!(!world.roster().settled);
    world.directory.faults.clear();
    world.sweep().await.unwrap();
    assert_eq!(world.count(MemberState::Invited), 2_000);
    assert!(world.roster().settled && world.mails_by_address().values().all(|times| *times == 1));
}
