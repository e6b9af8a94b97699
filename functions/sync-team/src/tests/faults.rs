//! Stopped at any point, twice at once, behind one's back: everyone has exactly one invitation in the end.

use std::time::Duration;

use testkit::{CrewFault, Fault, Faults};

use super::*;

const TEAM: &str = "workers: [ana@example.org, bo@example.org, cy@example.org]\nnotify_workers: true";

fn ports(world: &World) -> [(&'static str, Faults); 3] {
    [
        ("directory", world.directory.faults.clone()),
        ("workforce", world.workforce.faults.clone()),
        ("topics", world.topics.faults.clone()),
    ]
}

/// A first team with people who leave, a file with people who come, and one who has an account.
async fn before_the_fault() -> World {
    let world = World::new().mails_a_day(50);
    world.workers(&["dee@example.org", "cy@example.org"]).await;
    world.join("dee@example.org").await;
    world
        .directory
        .put_account("bo@example.org", shared::port::crew::AccountStatus::Confirmed);
    world.drop_team(TEAM);
    world
}

fn assert_right(world: &World, when: &str) {
    assert_right_with(world, 1, when);
}

fn assert_right_with(world: &World, anas_mails: usize, when: &str) {
    let expected = [
        ("ana@example.org", MemberState::Invited),
        ("bo@example.org", MemberState::Joined),
        ("cy@example.org", MemberState::Invited),
        ("dee@example.org", MemberState::Left),
    ];
    for (email, state) in expected {
        assert_eq!(world.states()[email], state, "{email} {when}");
    }
    assert!(world.roster().settled, "{when}");
    let mails: Vec<(String, usize)> = world.mails_by_address().into_iter().collect();
    let mailed = |email: &str, times| (email.to_owned(), times);
    assert_eq!(
        mails,
        [
            mailed("ana@example.org", anas_mails),
            mailed("cy@example.org", 1),
            mailed("dee@example.org", 1)
        ],
        "{when}"
    );
    assert_eq!(
        world.directory.groups_of("bo@example.org"),
        ["numbers-team"],
        "{when}"
    );
    assert!(world.directory.groups_of("dee@example.org").is_empty(), "{when}");
    assert!(world.person("dee@example.org").teams.is_empty(), "{when}");
    for email in ["ana@example.org", "bo@example.org", "cy@example.org"] {
        assert!(
            world.person(email).teams.contains_key("numbers-team"),
            "{email} {when}"
        );
        assert_eq!(
            world.person(email).sub,
            world.directory.account(email).map(|a| a.sub),
            "{email} {when}"
        );
    }
}

#[tokio::test]
async fn a_call_that_fails_at_any_point_is_made_good_by_the_next_event() {
    for fault in [CrewFault::Throttled, CrewFault::ResponseLost] {
        for (n, port) in (1..=20).flat_map(|n| [(n, 0), (n, 1), (n, 2)]) {
            let world = before_the_fault().await;
            let (name, faults) = &ports(&world)[port];
            let before = faults.calls().len();
            faults.fail_call(n, fault);
            world.event(FILE).await;
            faults.clear();
            assert_eq!(world.event(FILE).await, json!([]));
            let failed = faults.calls().into_iter().nth(before + n - 1);
            // Cognito does not say whether the mail of an unanswered invitation has gone.
            let lost = fault == CrewFault::ResponseLost
                && failed.is_some_and(|call| {
                    call.operation == "AdminCreateUser" && call.about == "ana@example.org"
                });
            let when = format!("{fault:?} at call {n} of the {name}");
            assert_right_with(&world, if lost { 2 } else { 1 }, &when);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn killed_before_or_after_any_call_the_next_event_goes_on() {
    for fault in [CrewFault::Hangs, CrewFault::HangsAfterwards] {
        for (n, port) in (1..=20).flat_map(|n| [(n, 0), (n, 1), (n, 2)]) {
            let world = before_the_fault().await;
            let (name, faults) = &ports(&world)[port];
            faults.fail_from(n, fault);
            let _killed = tokio::time::timeout(Duration::from_secs(5), world.event(FILE)).await;
            faults.clear();
            assert_eq!(world.event(FILE).await, json!([]));
            assert_right(&world, &format!("{fault:?} at call {n} of the {name}"));
        }
    }
}

#[tokio::test]
async fn a_write_that_fails_at_any_point_is_made_good_by_the_next_event() {
    let prefixes = ["crew/", "people/", "mail/", "joined/"];
    for fault in [Fault::Throttled, Fault::ResponseLost, Fault::ConflictWithItself] {
        for (prefix, n) in prefixes
            .iter()
            .flat_map(|prefix| (0..6).map(move |n| (prefix, n)))
        {
            let world = before_the_fault().await;
            // The n writes before it go through.
            for _ in 0..n {
                world.store.meanwhile(prefix, |_| {});
            }
            let name = (*prefix).to_owned();
            world
                .store
                .meanwhile(prefix, move |store| store.fail_next(&name, fault));
            world.event(FILE).await;
            world.event(FILE).await;
            assert_eq!(world.event(FILE).await, json!([]));
            assert_right(&world, &format!("{fault:?} at write {n} of {prefix}"));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn two_invocations_at_once_invite_everybody_once() {
    for delay in [0, 7, 40] {
        let world = before_the_fault().await;
        world.directory.faults.slow(Duration::from_millis(20));
        let second = async {
            tokio::time::sleep(Duration::from_millis(delay)).await;
            world.event(FILE).await
        };
        let (_, _) = futures::future::join(world.event(FILE), second).await;
        world.directory.faults.clear();
        assert_eq!(world.event(FILE).await, json!([]));
        assert_right(&world, &format!("{delay} ms apart"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_file_changed_while_it_is_served_ends_as_the_newer_one_says() {
    for delay in [1, 15, 30, 50, 80, 120] {
        let world = World::new();
        world.workers(&["ana@example.org"]).await;
        world.join("ana@example.org").await;
        world.directory.faults.slow(Duration::from_millis(20));
        world.drop_team(&people(10));
        let newer = async {
            tokio::time::sleep(Duration::from_millis(delay)).await;
            world.drop_team("workers: [ana@example.org, worker-3@example.org]");
            world.event(FILE).await
        };
        futures::future::join(world.event(FILE), newer).await;
        world.directory.faults.clear();
        world.event(FILE).await;
        for n in 0..10 {
            let email = format!("worker-{n}@example.org");
            let person = document(&world, &layout::person(&layout::person_id(&email)));
            let is_in_team = person["teams"].get("numbers-team").is_some();
            assert_eq!(is_in_team, n == 3, "{email}, {delay} ms");
        }
        assert!(world.mails_by_address().values().all(|times| *times == 1));
        assert_eq!(
            world.directory.groups_of("ana@example.org"),
            ["numbers-team"],
            "{delay} ms"
        );
    }
}

/// The account is made, and `mailed` or not; the answer never comes.
async fn an_invitation_without_an_answer(world: &World, mailed: bool) {
    if !mailed {
        world.directory.make_accounts_without_mail();
        world.directory.mail_left(0);
    }
    world
        .directory
        .faults
        .fail_next("AdminCreateUser", CrewFault::ResponseLost);
    let failed = world.workers(&["ana@example.org"]).await;
    assert_eq!(failed, json!([{"itemIdentifier": "m"}]));
    world.directory.mail_left(50);
}

#[tokio::test]
async fn an_unsure_invitation_goes_once_more_and_no_oftener() {
    for (mailed, by_sweep) in [(false, false), (false, true), (true, false), (true, true)] {
        let world = World::new();
        an_invitation_without_an_answer(&world, mailed).await;
        for _ in 0..3 {
            match by_sweep {
                true => drop(world.sweep().await.unwrap()),
                false => assert_eq!(world.event(FILE).await, json!([])),
            }
        }
        let when = format!("mailed: {mailed}, by the sweep: {by_sweep}");
        assert_eq!(
            world.mails_by_address()["ana@example.org"],
            1 + usize::from(mailed),
            "{when}"
        );
        assert!(world.directory.invitations().last().unwrap().again, "{when}");
        let member = world.member("ana@example.org");
        // The one that may have gone counts.
        assert_eq!(
            (member.state, member.invitations),
            (MemberState::Invited, 2),
            "{when}"
        );
    }
}

#[tokio::test]
async fn the_invitation_after_an_unsure_one_is_not_sent_twice_either() {
    let world = World::new();
    an_invitation_without_an_answer(&world, false).await;
    world
        .directory
        .faults
        .fail_next("AdminCreateUser", CrewFault::Throttled);
    // Turned away before the account is looked at: not sent, and there is still no account.
    world.event(FILE).await;
    world.event(FILE).await;
    assert_eq!(world.mails_by_address()["ana@example.org"], 1);
    let world = World::new();
    an_invitation_without_an_answer(&world, false).await;
    let faults = &world.directory.faults;
    // AlreadyThere, and then the resend, which goes and is not answered: it was written down first.
    let asked = faults.calls().len();
    world.event(FILE).await;
    let calls = faults.calls().split_off(asked);
    assert_eq!(
        calls
            .iter()
            .filter(|call| call.operation == "AdminCreateUser")
            .count(),
        2
    );
    world.event(FILE).await;
    assert_eq!(world.mails_by_address()["ana@example.org"], 1);
}

#[tokio::test]
async fn where_one_invitation_is_the_most_none_that_may_have_gone_is_followed_by_another() {
    let mut world = World::new();
    world.deps.settings.max_invitations = 1;
    an_invitation_without_an_answer(&world, true).await;
    assert_eq!(world.event(FILE).await, json!([]));
    assert_eq!(world.mails_by_address()["ana@example.org"], 1);
    assert_eq!(world.member("ana@example.org").state, MemberState::Invited);
    world.pass_days(8);
    world.sweep().await.unwrap();
    assert_eq!(world.member("ana@example.org").state, MemberState::Expired);
}

#[tokio::test]
async fn an_account_just_made_by_hand_needs_no_second_mail_while_its_own_is_valid() {
    let world = World::new();
    world
        .directory
        .put_account("ana@example.org", shared::port::crew::AccountStatus::Invited);
    world.workers(&["ana@example.org"]).await;
    assert_eq!(world.member("ana@example.org").state, MemberState::Invited);
    assert!(world.mails_by_address().is_empty());
    world.pass_days(8);
    world.sweep().await.unwrap();
    assert_eq!(world.mails_by_address()["ana@example.org"], 1);
}

#[tokio::test]
async fn a_closed_topic_loses_no_notice() {
    let world = World::new();
    world.topic.close(true);
    assert_eq!(
        world.workers(&["no-address"]).await,
        json!([{"itemIdentifier": "m"}])
    );
    world.topic.close(false);
    assert_eq!(world.event(FILE).await, json!([]));
    assert_eq!(world.notice_kinds(), ["team-problems"]);
}

#[tokio::test]
async fn refused_calls_fail_the_message_and_harm_no_one() {
    let world = World::new();
    world.directory.faults.fail_from(1, CrewFault::Refused);
    assert_eq!(
        world.workers(&["ana@example.org"]).await,
        json!([{"itemIdentifier": "m"}])
    );
    world.directory.faults.clear();
    assert_eq!(world.event(FILE).await, json!([]));
    assert_eq!(world.mails_by_address()["ana@example.org"], 1);
}

#[tokio::test]
async fn a_process_held_up_with_an_older_file_takes_nothing_back() {
    let world = World::new();
    world.store.meanwhile("crew/", |store| {
        store.drop_file(FILE, format!("{HEAD}workers: [bo@example.org]\n"));
        // Another process is quicker with it.
        let roster = json!({
            "team": "numbers-team", "file_etag": "newer", "at": NOW, "organization": "", "contact": "",
            "description": "", "portal_url": "", "workteam_arn": "", "members": [], "problems": [], "settled": false
        });
        store.put_output("crew/numbers-team.json", roster.to_string().into_bytes(), &[]);
    });
    world.workers(&["ana@example.org", "bo@example.org"]).await;
    assert_eq!(
        world.mails_by_address().into_keys().collect::<Vec<_>>(),
        ["bo@example.org"]
    );
    assert_eq!(world.states().into_keys().collect::<Vec<_>>(), ["bo@example.org"]);
}
