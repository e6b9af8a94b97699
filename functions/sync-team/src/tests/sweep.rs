//! What the sweep repairs.

use shared::port::crew::{AccountStatus, WorkTopics};
use testkit::CrewFault;

use super::*;

#[tokio::test]
async fn a_lost_event_of_a_file_is_made_good() {
    let world = World::new();
    world.drop_team("workers: [ana@example.org]");
    let reply = world.sweep().await.unwrap();
    assert_eq!(reply, json!({"teams": 1, "joined": 0, "unlisted": 0}));
    assert_eq!(world.count(MemberState::Invited), 1);
}

#[tokio::test]
async fn a_password_set_without_the_trigger_is_repaired() {
    let world = World::new();
    world
        .team("workers: [ana@example.org, bo@example.org]\nnotify_workers: true")
        .await;
    world.directory.confirm("ana@example.org");
    world.sweep().await.unwrap();
    assert_eq!(world.directory.groups_of("ana@example.org"), ["numbers-team"]);
    assert_eq!(world.member("ana@example.org").state, MemberState::Joined);
    assert_eq!(world.notice_kinds(), ["worker-joined"]);
    assert_eq!(world.topics.people("numbers-team"), ["ana@example.org"]);
    let calls = world.directory.faults.count("AdminAddUserToGroup");
    world.sweep().await.unwrap();
    assert_eq!(world.directory.faults.count("AdminAddUserToGroup"), calls);
    assert_eq!(world.notice_kinds(), ["worker-joined"]);
}

#[tokio::test]
async fn a_marker_whose_event_was_lost_is_announced() {
    let world = World::new();
    world.workers(&["ana@example.org"]).await;
    world.directory.confirm("ana@example.org");
    world.directory.put_member("numbers-team", "ana@example.org");
    world.sweep().await.unwrap();
    assert_eq!(world.notice_kinds(), ["worker-joined"]);
    assert_eq!(world.member("ana@example.org").state, MemberState::Joined);
}

#[tokio::test]
async fn an_invitation_is_sent_again_before_it_runs_out_and_at_most_so_often() {
    let world = World::new();
    world.workers(&["ana@example.org"]).await;
    for (day, mails) in [(5, 1), (6, 2), (11, 2), (12, 3), (18, 3), (19, 3), (40, 3)] {
        let so_far =
            (world.store.now().as_second() - NOW.parse::<jiff::Timestamp>().unwrap().as_second()) / 86_400;
        world.pass_days(day - so_far);
        world.pass(60);
        world.sweep().await.unwrap();
        world.sweep().await.unwrap();
        assert_eq!(world.mails_by_address()["ana@example.org"], mails, "day {day}");
    }
    let member = world.member("ana@example.org");
    assert_eq!((member.state, member.invitations), (MemberState::Expired, 3));
    assert!(world.directory.invitations()[1].again);
}

#[tokio::test]
async fn an_invitation_that_is_good_for_a_day_is_not_sent_again_at_once() {
    let world = World::new();
    world.directory.set_invitation_days(1);
    world.workers(&["ana@example.org"]).await;
    for (hours, mails) in [(0, 1), (17, 1), (2, 2), (0, 2)] {
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
async fn a_marker_of_an_account_that_has_gone_says_nothing_of_the_next() {
    let world = World::new();
    world.workers(&["ana@example.org"]).await;
    let gone = JoinMarker {
        at: world.store.now(),
        username: "gone".to_owned(),
        sub: "gone".to_owned(),
    };
    let key = layout::join_marker(
        &TeamName::new("numbers-team").unwrap(),
        &layout::person_id("ana@example.org"),
    );
    world
        .store
        .put_output(&key, serde_json::to_vec(&gone).unwrap(), &[]);
    world.sweep().await.unwrap();
    assert_eq!(world.member("ana@example.org").state, MemberState::Invited);
}

#[tokio::test]
async fn a_person_put_back_is_subscribed_again() {
    let world = World::new();
    let file = "workers: [ana@example.org]\nnotify_workers: true";
    world.team(file).await;
    world.join("ana@example.org").await;
    world.topics.confirm("numbers-team", "ana@example.org");
    world.team("workers: []\nnotify_workers: true").await;
    assert!(world.topics.people("numbers-team").is_empty());
    world.team(file).await;
    world.sweep().await.unwrap();
    assert_eq!(world.member("ana@example.org").state, MemberState::Joined);
    assert_eq!(world.topics.people("numbers-team"), ["ana@example.org"]);
}

#[tokio::test]
async fn a_person_who_joins_while_the_topic_is_made_is_subscribed() {
    let world = World::new();
    world.workers(&["ana@example.org"]).await;
    let topics = world.topics.clone();
    // Another invocation makes the topic, and knows of no one who has joined, while this one announces her.
    world.store.meanwhile("notified/joined/", move |store| {
        futures::executor::block_on(topics.ensure_topic("numbers-team")).unwrap();
        let roster = store.output("crew/numbers-team.json").unwrap();
        let roster = Roster {
            topic_arn: Some(FakeTopics::arn("numbers-team")),
            ..serde_json::from_str(&roster).unwrap()
        };
        store.put_output(
            "crew/numbers-team.json",
            serde_json::to_vec(&roster).unwrap(),
            &[],
        );
    });
    world.join("ana@example.org").await;
    assert_eq!(world.member("ana@example.org").state, MemberState::Joined);
    world.topics.confirm("numbers-team", "ana@example.org");
    assert_eq!(world.topics.people("numbers-team"), ["ana@example.org"]);
}

#[tokio::test]
async fn a_deleted_person_who_signed_up_again_is_announced_once() {
    let world = World::new();
    world.workers(&["ana@example.org"]).await;
    world.directory.remove_account("ana@example.org");
    world
        .directory
        .put_account("ana@example.org", AccountStatus::Unconfirmed);
    world.pass_days(8);
    world.sweep().await.unwrap();
    assert_eq!(world.member("ana@example.org").state, MemberState::Unreachable);
    let writes = world.store.writes();
    world.sweep().await.unwrap();
    assert_eq!(
        world.store.writes(),
        writes,
        "a sweep with nothing to do writes nothing"
    );
}

#[tokio::test]
async fn an_account_that_only_claims_the_address_is_put_into_no_group() {
    let world = World::new();
    world.directory.put_unverified("ana@example.org");
    world.workers(&["ana@example.org"]).await;
    world.sweep().await.unwrap();
    assert!(world.directory.groups_of("ana@example.org").is_empty());
    assert_eq!(world.member("ana@example.org").state, MemberState::Unreachable);
    assert_eq!(world.notice_kinds(), ["team-problems"]);
}

#[tokio::test]
async fn a_resend_that_was_cut_off_is_not_sent_again() {
    let world = World::new();
    world.workers(&["ana@example.org"]).await;
    world.pass_days(6);
    world.pass(60);
    world
        .directory
        .faults
        .fail_next("AdminCreateUser", CrewFault::ResponseLost);
    assert!(world.sweep().await.is_err());
    for _ in 0..3 {
        world.sweep().await.unwrap();
    }
    assert_eq!(world.mails_by_address()["ana@example.org"], 2);
    assert_eq!(world.member("ana@example.org").invitations, 2);
}

#[tokio::test]
async fn an_account_in_no_team_file_and_no_group_is_announced_once() {
    let world = World::new();
    world.directory.put_group("imported");
    world
        .directory
        .put_account("in@example.org", AccountStatus::Confirmed);
    world.directory.put_member("imported", "in@example.org");
    world
        .directory
        .put_account("not-yet@example.org", AccountStatus::Invited);
    world.team("workers: [ana@example.org]\ngroups: [imported]").await;
    world
        .directory
        .put_account("who@example.org", AccountStatus::Confirmed);
    for _ in 0..3 {
        world.sweep().await.unwrap();
    }
    assert_eq!(world.notice_kinds(), ["worker-unlisted"]);
    assert!(world.texts().contains("who@example.org"));
    assert!(world.directory.groups_of("who@example.org").is_empty());
    world.workers(&[]).await;
    world.directory.confirm("ana@example.org");
    world.sweep().await.unwrap();
    assert_eq!(
        world.notice_kinds(),
        ["worker-unlisted"],
        "who was on a list is no stranger"
    );
}

#[tokio::test]
async fn a_person_in_a_group_without_team_file_is_not_announced() {
    let world = World::new();
    for (email, group) in [("first@example.org", "by-hand"), ("late@example.org", "admins")] {
        world.directory.put_group(group);
        world.directory.put_account(email, AccountStatus::Confirmed);
        world.directory.put_member(group, email);
    }
    world
        .directory
        .put_account("who@example.org", AccountStatus::Confirmed);
    world.team("workers: [ana@example.org]").await;
    world.sweep().await.unwrap();
    assert_eq!(world.notice_kinds(), ["worker-unlisted"]);
    assert!(world.texts().contains("who@example.org"));
    let asked = || world.directory.faults.count("AdminListGroupsForUser");
    assert_eq!(asked(), 3);
    world.sweep().await.unwrap();
    assert_eq!(asked(), 5, "an announced account is not asked for again");
}

#[tokio::test]
async fn an_account_that_could_not_be_checked_is_announced_by_the_next_sweep() {
    let world = World::new();
    world
        .directory
        .put_account("who@example.org", AccountStatus::Confirmed);
    world
        .directory
        .faults
        .fail_next("AdminListGroupsForUser", CrewFault::Throttled);
    assert!(world.sweep().await.is_err());
    assert!(world.notice_kinds().is_empty());
    world.sweep().await.unwrap();
    assert_eq!(world.notice_kinds(), ["worker-unlisted"]);
}

#[tokio::test]
async fn the_sign_in_of_an_unlisted_person_is_announced_once() {
    let world = World::new();
    let account = world
        .directory
        .put_account("who@example.org", AccountStatus::Confirmed);
    let key = layout::unlisted_join_marker(&account.sub);
    let joined = JoinMarker {
        at: world.store.now(),
        username: account.username,
        sub: account.sub,
    };
    world
        .store
        .put_output(&key, serde_json::to_vec(&joined).unwrap(), &[]);
    for _ in 0..2 {
        handle(&world.deps, json!({"Records": [joined_event("j", &key)]}))
            .await
            .unwrap();
        world.sweep().await.unwrap();
    }
    assert_eq!(world.notice_kinds(), ["worker-unlisted"]);
}

#[tokio::test]
async fn a_pool_full_of_others_is_one_notice() {
    let world = World::new();
    for n in 0..40 {
        world
            .directory
            .put_account(&format!("other-{n}@example.org"), AccountStatus::Confirmed);
    }
    for _ in 0..3 {
        world.sweep().await.unwrap();
    }
    assert_eq!(world.notice_kinds(), ["worker-unlisted"]);
    assert!(world.texts().contains("40 people"));
}

#[tokio::test]
async fn a_deleted_account_is_announced_and_made_again_when_the_person_is_put_back() {
    let world = World::new();
    world.workers(&["ana@example.org"]).await;
    world.join("ana@example.org").await;
    world.directory.remove_account("ana@example.org");
    world.sweep().await.unwrap();
    assert_eq!(
        world.member("ana@example.org").state,
        MemberState::Joined,
        "a listing may lag"
    );
    world.pass(7_200);
    world.sweep().await.unwrap();
    assert_eq!(world.member("ana@example.org").state, MemberState::Unreachable);
    assert_eq!(world.notice_kinds(), ["worker-joined", "team-problems"]);
    world.workers(&[]).await;
    world.workers(&["ana@example.org"]).await;
    assert_eq!(world.member("ana@example.org").state, MemberState::Invited);
    assert_eq!(world.mails_by_address()["ana@example.org"], 2);
}

#[tokio::test]
async fn a_person_put_back_by_an_older_file_is_removed_again() {
    let world = World::new();
    world.workers(&["ana@example.org"]).await;
    world.join("ana@example.org").await;
    world.workers(&[]).await;
    world.directory.put_member("numbers-team", "ana@example.org");
    world.sweep().await.unwrap();
    assert!(world.directory.groups_of("ana@example.org").is_empty());
}

#[tokio::test]
async fn one_team_that_fails_does_not_keep_the_others_from_being_looked_at() {
    let world = World::new();
    world.drop_team("workers: [ana@example.org]");
    world
        .store
        .drop_file("teams/letters.yaml", format!("{HEAD}workers: [bo@example.org]\n"));
    world.directory.faults.fail_next("GetGroup", CrewFault::Throttled);
    let error = world.sweep().await.unwrap_err().to_string();
    assert!(error.contains("1 of 2"), "{error}");
    assert_eq!(world.mails_by_address().len(), 1);
}

#[tokio::test]
async fn a_person_reached_for_another_team_counts_as_invited_again() {
    let world = World::new();
    world.workers(&["ana@example.org"]).await;
    world.directory.remove_account("ana@example.org");
    world.pass(3 * 3_600);
    world.sweep().await.unwrap();
    assert_eq!(world.member("ana@example.org").state, MemberState::Unreachable);
    let letters = format!("{HEAD}workers: [ana@example.org]\n");
    world.store.drop_file("teams/letters.yaml", letters);
    world.event("teams/letters.yaml").await;
    assert_eq!(world.mails_by_address()["ana@example.org"], 2);
    world.sweep().await.unwrap();
    assert_eq!(world.member("ana@example.org").state, MemberState::Invited);
}

#[tokio::test]
async fn one_round_is_enough_where_a_later_team_has_a_deleted_account_made_again() {
    let world = World::new();
    world.workers(&["ana@example.org"]).await;
    world.directory.remove_account("ana@example.org");
    world.pass(3 * 3_600);
    let zebras = format!("{HEAD}workers: [ana@example.org]\n");
    world.store.drop_file("teams/zebras.yaml", zebras);
    world.sweep().await.unwrap();
    assert_eq!(world.member("ana@example.org").state, MemberState::Invited);
    let writes = world.store.writes();
    world.sweep().await.unwrap();
    assert_eq!(world.store.writes(), writes);
    assert_eq!(world.mails_by_address()["ana@example.org"], 2);
}
