//! The day's mail.

use lambda::metric::Metric;
use testkit::{CrewFault, Fault};

use super::*;

#[tokio::test]
async fn every_sweep_says_how_much_mail_is_left_today() {
    let world = World::new().mails_a_day(50);
    let left = || world.metrics.values(Metric::InvitationsLeftToday);
    world.sweep().await.unwrap();
    world.workers(&["ana@example.org", "bo@example.org"]).await;
    world.sweep().await.unwrap();
    world.team(&people(60)).await;
    world.sweep().await.unwrap();
    world.pass_days(1);
    // Ten waited.
    world.sweep().await.unwrap();
    assert_eq!(left(), [50, 48, 0, 38]);
}

#[tokio::test]
async fn mail_without_a_limit_is_not_counted() {
    let world = World::new();
    world.workers(&["ana@example.org"]).await;
    world.sweep().await.unwrap();
    assert!(world.metrics.values(Metric::InvitationsLeftToday).is_empty());
}

#[tokio::test]
async fn with_50_mails_a_day_120_people_take_three_days_and_no_one_is_invited_twice() {
    let world = World::new().mails_a_day(50);
    world.directory.mail_left(50);
    assert_eq!(world.team(&people(120)).await, json!([]));
    for (invited, waiting) in [(50, 70), (100, 20), (120, 0)] {
        assert_eq!(
            (
                world.count(MemberState::Invited),
                world.count(MemberState::Waiting)
            ),
            (invited, waiting)
        );
        assert!(
            world.roster().settled,
            "waiting for mail is nothing an admin has to fix"
        );
        // The rest of the day changes nothing.
        let writes = world.store.writes();
        for _ in 0..3 {
            world.pass(900);
            world.sweep().await.unwrap();
        }
        assert_eq!(world.store.writes(), writes);
        world.pass_days(1);
        world.directory.mail_left(50);
        world.sweep().await.unwrap();
    }
    assert_eq!(world.mails_by_address().len(), 120);
    assert!(world.mails_by_address().values().all(|times| *times == 1));
    assert_eq!(world.notice_kinds(), Vec::<String>::new());
}

#[tokio::test]
async fn the_first_in_the_file_are_the_first_to_be_invited() {
    let world = World::new().mails_a_day(10);
    world.team(&people(30)).await;
    for n in 0..30 {
        let state = world.member(&format!("worker-{n}@example.org")).state;
        assert_eq!(state == MemberState::Invited, n < 10, "{n}");
    }
}

#[tokio::test]
async fn mail_set_aside_and_not_sent_is_there_for_others() {
    let world = World::new().mails_a_day(50);
    world.workers(&["ana@example.org", "bo@example.org"]).await;
    assert_eq!(document(&world, "mail/2026-11-23.json"), json!({"claimed": 2}));
}

#[tokio::test]
async fn what_is_given_back_in_conflict_with_oneself_is_given_back_once() {
    let world = World::new().mails_a_day(50);
    // The second write to the person's document comes after ten mails were set aside.
    world.store.meanwhile("people/", |store| {
        store.meanwhile("people/", |store| {
            store.fail_next("mail/", Fault::ConflictWithItself);
        });
    });
    world.workers(&["ana@example.org"]).await;
    assert_eq!(document(&world, "mail/2026-11-23.json"), json!({"claimed": 1}));
}

#[tokio::test]
async fn a_refused_address_costs_no_one_else_a_mail() {
    let world = World::new().mails_a_day(1);
    world.directory.refuse("bad@example.org");
    world.workers(&["bad@example.org", "ana@example.org"]).await;
    assert_eq!(world.mails_by_address().len(), 1);
    assert_eq!(world.member("ana@example.org").state, MemberState::Invited);
}

#[tokio::test]
async fn a_waiting_person_gets_no_more_mails_than_allowed_after_an_unsure_one_expired() {
    let mut world = World::new();
    world.deps.settings.max_invitations = 1;
    let hangs = CrewFault::HangsAfterwards;
    world.directory.faults.fail_next("AdminCreateUser", hangs);
    world.drop_team("workers: [ana@example.org]");
    // Stopped right after the mail went.
    let event = handle(&world.deps, json!({"Records": [team_event("m", FILE)]}));
    let stopped = tokio::time::timeout(std::time::Duration::from_millis(100), event);
    assert!(stopped.await.is_err());
    world.pass_days(8);
    world.sweep().await.unwrap();
    assert_eq!(world.mails_by_address()["ana@example.org"], 1);
}

#[tokio::test]
async fn a_mail_claimed_long_before_it_went_runs_out_when_the_mail_does() {
    let world = World::new();
    world.directory.set_invitation_days(2);
    world.drop_team("workers: [ana@example.org]");
    for (stopped_at, hours) in [(CrewFault::Hangs, 20), (CrewFault::HangsAfterwards, 1)] {
        world.directory.faults.fail_next("AdminCreateUser", stopped_at);
        let event = handle(&world.deps, json!({"Records": [team_event("m", FILE)]}));
        let stopped = tokio::time::timeout(std::time::Duration::from_millis(100), event);
        assert!(stopped.await.is_err());
        world.pass(hours * 3_600);
    }
    for (hours, mails) in [(0, 1), (33, 1), (3, 2)] {
        world.pass(hours * 3_600);
        world.sweep().await.unwrap();
        assert_eq!(
            world.mails_by_address()["ana@example.org"],
            mails,
            "{hours} hours later"
        );
    }
}

#[tokio::test]
async fn when_the_sender_stops_no_more_mails_are_sent_that_day() {
    let world = World::new().mails_a_day(50);
    // Another user of the account has used the rest.
    world.directory.mail_left(3);
    world.team(&people(8)).await;
    assert_eq!(
        (
            world.count(MemberState::Invited),
            world.count(MemberState::Waiting)
        ),
        (3, 5)
    );
    let calls = world.directory.faults.count("AdminCreateUser");
    world.sweep().await.unwrap();
    assert_eq!(
        world.directory.faults.count("AdminCreateUser"),
        calls,
        "no one is tried again today"
    );
    world.pass_days(1);
    world.directory.mail_left(50);
    world.sweep().await.unwrap();
    assert_eq!(world.count(MemberState::Invited), 8);
    assert!(world.mails_by_address().values().all(|times| *times == 1));
}

#[tokio::test]
async fn accounts_made_without_their_mail_are_mailed_the_next_day() {
    let world = World::new().mails_a_day(50);
    world.directory.make_accounts_without_mail();
    world.directory.mail_left(1);
    world.workers(&["ana@example.org", "bo@example.org"]).await;
    world.pass_days(1);
    world.directory.mail_left(50);
    world.sweep().await.unwrap();
    assert_eq!(
        world.mails_by_address().values().copied().collect::<Vec<_>>(),
        [1, 1]
    );
    assert_eq!(world.count(MemberState::Invited), 2);
}

#[tokio::test]
async fn a_mail_claimed_in_conflict_with_oneself_goes() {
    let world = World::new();
    world.workers(&["ana@example.org"]).await;
    world.pass_days(6);
    world.pass(60);
    world.store.fail_next("people/", Fault::ConflictWithItself);
    world.sweep().await.unwrap();
    assert_eq!(world.mails_by_address()["ana@example.org"], 2);
}

#[tokio::test]
async fn two_teams_share_the_days_mail() {
    let world = World::new().mails_a_day(10);
    world.store.drop_file(
        "teams/letters.yaml",
        format!("{HEAD}workers: [x@example.org, y@example.org]\n"),
    );
    world.team(&people(9)).await;
    world.event("teams/letters.yaml").await;
    assert_eq!(world.directory.invitations().len(), 10);
}

#[tokio::test]
async fn what_came_back_for_one_team_is_not_mailed_again_for_another() {
    let world = World::new();
    let letters = format!("{HEAD}workers: [ana@example.org]\n");
    world.store.drop_file("teams/letters.yaml", letters);
    world.event("teams/letters.yaml").await;
    world.workers(&["ana@example.org"]).await;
    world.directory.bounce("ana@example.org");
    world.pass_days(7);
    world.sweep().await.unwrap();
    assert_eq!(world.directory.faults.count("AdminCreateUser"), 2);
    assert_eq!(world.member("ana@example.org").state, MemberState::Unreachable);
    let writes = world.store.writes();
    world.sweep().await.unwrap();
    assert_eq!(world.store.writes(), writes);
}

#[tokio::test]
async fn what_came_back_for_one_team_is_not_mailed_again_for_another_that_knew_an_older_account() {
    let world = World::new();
    world.workers(&["ana@example.org"]).await;
    world.join("ana@example.org").await;
    world.directory.remove_account("ana@example.org");
    world.directory.bounce("ana@example.org");
    let letters = format!("{HEAD}workers: [ana@example.org]\n");
    world.store.drop_file("teams/letters.yaml", letters);
    world.event("teams/letters.yaml").await;
    world.sweep().await.unwrap();
    assert_eq!(world.directory.faults.count("AdminCreateUser"), 2);
    assert_eq!(world.member("ana@example.org").state, MemberState::Unreachable);
    let writes = world.store.writes();
    world.pass_days(8);
    world.sweep().await.unwrap();
    assert_eq!(world.store.writes(), writes);
}

#[tokio::test]
async fn another_invocations_clock_makes_no_old_mail_one_of_before_the_person_came() {
    let mut world = World::new();
    world.deps.settings.max_invitations = 1;
    world.workers(&["ana@example.org"]).await;
    // Written by an invocation whose clock is some minutes ahead.
    let mut person = world.person("ana@example.org");
    for membership in person.teams.values_mut() {
        membership.since += jiff::SignedDuration::from_mins(8);
    }
    let key = layout::person(&layout::person_id("ana@example.org"));
    world
        .store
        .put_output(&key, serde_json::to_vec(&person).unwrap(), &[]);
    world.store.remove(Bucket::Output, "crew/numbers-team.json");
    world.pass_days(8);
    world.event(FILE).await;
    assert_eq!(world.mails_by_address()["ana@example.org"], 1);
}

#[tokio::test]
async fn a_claim_on_a_mail_that_did_not_go_is_released_and_the_mail_goes_the_next_day() {
    let world = World::new().mails_a_day(50);
    world.directory.make_accounts_without_mail();
    world.directory.mail_left(0);
    let (directory, key) = (
        world.directory.clone(),
        layout::person(&layout::person_id("ana@example.org")),
    );
    // Held, claimed, and then, when the claim is about to be given back, another invocation has met the account.
    world.store.meanwhile("people/", |_| {});
    world.store.meanwhile("people/", |_| {});
    world.store.meanwhile("people/", move |store| {
        let mut person: Person = serde_json::from_str(&store.output(&key).unwrap()).unwrap();
        let account = directory.account("ana@example.org").unwrap();
        person.invitation.sent = person.invitation.sent.max(Some(account.modified));
        (person.username, person.sub) = (Some(account.username), Some(account.sub));
        store.put_output(&key, serde_json::to_vec(&person).unwrap(), &[]);
    });
    world.workers(&["ana@example.org"]).await;
    let person = world.person("ana@example.org");
    assert_eq!((person.invitation.sent, person.invitation.times), (None, 0));
    assert!(person.sub.is_some());
    world.pass_days(1);
    world.directory.mail_left(50);
    world.sweep().await.unwrap();
    assert_eq!(world.mails_by_address()["ana@example.org"], 1);
}
