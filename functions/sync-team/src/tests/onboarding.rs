//! The ordinary way: a file, invitations, people who join and people who leave.

use shared::port::crew::{AccountStatus, ClientUrls, Identity, Members};

use super::*;

#[tokio::test]
async fn a_dropped_file_makes_group_workforce_team_and_invitations() {
    let world = World::new();
    assert_eq!(
        world.workers(&["ana@example.org", "Bo@Example.org"]).await,
        json!([])
    );
    assert_eq!(world.directory.groups(), ["numbers-team"]);
    let teams = world.workforce.teams();
    assert_eq!(teams[0].description, "People who label numbers");
    let Members::Cognito {
        groups,
        user_pool,
        client_id,
    } = &teams[0].members
    else {
        panic!()
    };
    assert_eq!(
        (groups.as_slice(), user_pool.as_str(), client_id.as_str()),
        (["numbers-team".to_owned()].as_slice(), "us-east-1_pool", "client")
    );
    let mailed = world.mails_by_address();
    assert_eq!(
        mailed,
        BTreeMap::from([("ana@example.org".into(), 1), ("bo@example.org".into(), 1)])
    );
    let roster = world.roster();
    assert!(roster.settled && roster.problems.is_empty());
    assert_eq!(
        roster.portal_url,
        "https://abc123.labeling.us-east-1.sagemaker.aws"
    );
    assert!(roster.workteam_arn.ends_with("/numbers-team"));
    assert_eq!(world.count(MemberState::Invited), 2);
    let person = world.person("bo@example.org");
    assert_eq!(
        (person.email.as_str(), person.invitation.times),
        ("Bo@Example.org", 1)
    );
    assert_eq!(
        person.sub,
        Some(world.directory.account("bo@example.org").unwrap().sub)
    );
    assert!(person.teams.contains_key("numbers-team"));
    assert_eq!(world.notice_kinds(), Vec::<String>::new());
}

#[tokio::test]
async fn the_portals_addresses_are_added_to_the_app_clients_own() {
    let world = World::new();
    let own = vec!["https://mine.example.org/cb".to_owned()];
    world.directory.put_urls(ClientUrls {
        callback: own.clone(),
        logout: Vec::new(),
    });
    world.workers(&[]).await;
    let portal = "https://abc123.labeling.us-east-1.sagemaker.aws";
    let urls = world.directory.urls();
    assert_eq!(
        urls.callback,
        [own[0].clone(), format!("{portal}/oauth2/idpresponse")]
    );
    assert_eq!(urls.logout, [format!("{portal}/logout")]);
}

#[tokio::test]
async fn a_portal_elsewhere_is_the_one_people_are_sent() {
    let mut world = World::new();
    world.deps.settings.portal_url = Some("http://localhost:8080".to_owned());
    world.workers(&["ana@example.org"]).await;
    assert_eq!(world.roster().portal_url, "http://localhost:8080");
    assert_eq!(
        world.directory.urls().callback,
        ["http://localhost:8080/oauth2/idpresponse"]
    );
}

#[tokio::test]
async fn dropping_the_same_file_twice_changes_nothing() {
    let world = World::new();
    let file = "workers: [ana@example.org]\nnotify_workers: true\nnetworks: [203.0.113.0/24]";
    world.team(file).await;
    world.join("ana@example.org").await;
    world.event(FILE).await;
    let (writes, calls) = (world.store.writes(), world.directory.faults.calls().len());
    let (team_calls, topic_calls) = (
        world.workforce.faults.calls().len(),
        world.topics.faults.calls().len(),
    );
    let said = world.topic.messages().len();
    // The same bytes have the same ETag: to the function the second drop is one more event.
    assert_eq!(world.event(FILE).await, json!([]));
    assert_eq!(world.store.writes(), writes);
    let asked = |calls: Vec<testkit::Call>, from: usize| -> Vec<&'static str> {
        calls[from..].iter().map(|call| call.operation).collect()
    };
    // The client's addresses are read, and would be written only if one were missing.
    assert_eq!(
        asked(world.directory.faults.calls(), calls),
        ["GetGroup", "UpdateUserPoolClient"]
    );
    assert_eq!(
        asked(world.workforce.faults.calls(), team_calls),
        ["ListWorkforces", "DescribeWorkteam"]
    );
    assert_eq!(world.topics.faults.calls().len(), topic_calls);
    assert_eq!(world.topic.messages().len(), said);
}

#[tokio::test]
async fn removed_people_leave_the_group_and_nothing_else() {
    let world = World::new();
    world
        .team("workers: [ana@example.org, bo@example.org, cy@example.org]")
        .await;
    world.join("ana@example.org").await;
    world.directory.put_member("another-team", "ana@example.org");
    world.workers(&["bo@example.org"]).await;
    assert_eq!(world.directory.groups_of("ana@example.org"), ["another-team"]);
    assert!(
        world.directory.account("ana@example.org").is_some(),
        "the account stays"
    );
    let person = world.person("ana@example.org");
    assert!(person.teams.is_empty() && person.sub.is_some());
    assert!(world.person("cy@example.org").teams.is_empty());
    assert_eq!(world.count(MemberState::Left), 2);
    assert_eq!(world.member("bo@example.org").state, MemberState::Invited);
    world.event(FILE).await;
    assert_eq!(world.count(MemberState::Left), 2);
    assert_eq!(world.mails_by_address().values().sum::<usize>(), 3);
}

#[tokio::test]
async fn a_deleted_file_changes_nothing() {
    let world = World::new();
    world.workers(&["ana@example.org"]).await;
    world.store.remove(Bucket::Input, FILE);
    let before = world.store.writes();
    assert_eq!(world.event(FILE).await, json!([]));
    world.sweep().await.unwrap();
    assert_eq!(
        (world.store.writes(), world.member("ana@example.org").state),
        (before, MemberState::Invited)
    );
}

#[tokio::test]
async fn a_changed_description_topic_or_group_updates_the_team() {
    let world = World::new();
    world.directory.put_group("labelers-of-2024");
    world.workers(&[]).await;
    world.store.drop_file(
        FILE,
        format!(
            "{}groups: [labelers-of-2024]\nnotify_workers: true\n",
            HEAD.replace("numbers", "letters")
        ),
    );
    world.event(FILE).await;
    let team = world.workforce.teams().remove(0);
    assert_eq!(team.description, "People who label letters");
    assert_eq!(team.topic_arn, Some(FakeTopics::arn("numbers-team")));
    let Members::Cognito { groups, .. } = team.members else {
        panic!()
    };
    assert_eq!(groups, ["numbers-team", "labelers-of-2024"]);
    world.team("").await;
    assert_eq!(world.workforce.teams()[0].topic_arn, None);
    assert_eq!(world.roster().topic_arn, None);
}

#[tokio::test]
async fn a_member_who_joins_is_announced_once_and_subscribed_once() {
    let world = World::new();
    world
        .team("workers: [ana@example.org]\nnotify_workers: true")
        .await;
    for _ in 0..3 {
        world.join("ana@example.org").await;
    }
    world.sweep().await.unwrap();
    assert_eq!(world.notice_kinds(), ["worker-joined"]);
    assert!(
        world
            .texts()
            .contains("ana@example.org has joined the team numbers-team")
    );
    assert_eq!(world.topics.people("numbers-team"), ["ana@example.org"]);
    assert_eq!(world.topics.faults.count("Subscribe"), 1);
    let member = world.member("ana@example.org");
    assert_eq!((member.state, member.invitations), (MemberState::Joined, 1));
    world.topics.confirm("numbers-team", "ana@example.org");
    world.team("notify_workers: true").await;
    assert_eq!(world.topics.people("numbers-team"), Vec::<String>::new());
}

#[tokio::test]
async fn notices_switched_on_later_reach_those_who_joined_before() {
    let world = World::new();
    world.workers(&["ana@example.org"]).await;
    world.join("ana@example.org").await;
    world
        .team("workers: [ana@example.org]\nnotify_workers: true")
        .await;
    assert_eq!(world.topics.people("numbers-team"), ["ana@example.org"]);
}

#[tokio::test]
async fn a_person_with_an_account_joins_at_once_and_gets_no_mail() {
    let world = World::new();
    world
        .directory
        .put_account("ana@example.org", AccountStatus::Confirmed);
    world.workers(&["Ana@example.org"]).await;
    assert_eq!(world.member("ana@example.org").state, MemberState::Joined);
    assert_eq!(world.directory.groups_of("ana@example.org"), ["numbers-team"]);
    assert!(world.mails_by_address().is_empty());
    world.sweep().await.unwrap();
    assert_eq!(world.notice_kinds(), ["worker-joined"]);
}

#[tokio::test]
async fn a_second_team_sends_no_second_invitation() {
    let world = World::new();
    world.workers(&["ana@example.org"]).await;
    world.store.drop_file(
        "teams/letters.yaml",
        format!("{HEAD}workers: [ana@example.org]\n"),
    );
    assert_eq!(world.event("teams/letters.yaml").await, json!([]));
    assert_eq!(world.mails_by_address()["ana@example.org"], 1);
    let teams: Vec<String> = world.person("ana@example.org").teams.into_keys().collect();
    assert_eq!(teams, ["letters", "numbers-team"]);
}

#[tokio::test]
async fn a_person_put_back_is_in_the_team_again() {
    let world = World::new();
    world.workers(&["ana@example.org", "bo@example.org"]).await;
    world.join("ana@example.org").await;
    world.workers(&[]).await;
    world.pass(3_600);
    world.workers(&["ana@example.org", "bo@example.org"]).await;
    assert_eq!(world.directory.groups_of("ana@example.org"), ["numbers-team"]);
    assert_eq!(
        world.states().into_values().collect::<Vec<_>>(),
        [MemberState::Joined, MemberState::Invited]
    );
    assert_eq!(
        world.mails_by_address().values().sum::<usize>(),
        2,
        "the invitation of an hour ago is good"
    );
    world.workers(&[]).await;
    world.pass_days(30);
    world.workers(&["bo@example.org"]).await;
    assert_eq!(
        world.mails_by_address()["bo@example.org"],
        2,
        "that of a month ago is not"
    );
    assert_eq!(world.member("bo@example.org").invitations, 1);
}

#[tokio::test(start_paused = true)]
async fn a_workforce_that_takes_its_time_is_waited_for() {
    let world = World::new();
    world.workforce.slow_to_activate(5);
    assert_eq!(world.workers(&["ana@example.org"]).await, json!([]));
    assert_eq!(world.count(MemberState::Invited), 1);
}

#[tokio::test]
async fn a_team_on_another_sign_in_is_made_on_the_workforce_there_is() {
    let world = World::new();
    world.workforce.put_workforce(Identity::Oidc {
        issuer: "https://idp.example.org/".to_owned(),
    });
    world
        .team("sign_in: {issuer: 'https://idp.example.org', groups: [labelers]}")
        .await;
    let team = world.workforce.teams().remove(0);
    assert_eq!(
        team.members,
        Members::Oidc {
            groups: vec!["labelers".to_owned()]
        }
    );
    assert!(world.roster().settled && world.directory.faults.calls().is_empty());
}

#[tokio::test]
async fn networks_are_the_union_of_all_files_if_all_name_some() {
    let world = World::new();
    world.store.drop_file(
        "teams/letters.yaml",
        format!("{HEAD}networks: [198.51.100.0/24]\n"),
    );
    world.team("networks: [203.0.113.0/24]").await;
    use shared::port::crew::Workforce;
    let there = world.workforce.workforce().await.unwrap().unwrap();
    assert_eq!(there.cidrs, ["198.51.100.0/24", "203.0.113.0/24"]);
    world.store.drop_file("teams/letters.yaml", HEAD);
    world.event(FILE).await;
    assert!(world.roster().problems[0].message.contains("name none: letters"));
    assert_eq!(world.notice_kinds(), ["team-problems"]);
}

#[tokio::test]
async fn the_invitation_text_is_in_the_roster_before_anyone_is_invited() {
    let world = World::new();
    world.drop_team("workers: [ana@example.org]\ninvitation: {text: 'Hi {username} {password}'}");
    let store = world.store.clone();
    let seen = std::sync::Arc::new(std::sync::Mutex::new(None));
    let saw = seen.clone();
    // The person's document is written before the mail goes.
    store.meanwhile("people/", move |store| {
        *saw.lock().unwrap() = store.output("crew/numbers-team.json");
    });
    world.event(FILE).await;
    let roster: Roster = serde_json::from_str(seen.lock().unwrap().as_deref().unwrap()).unwrap();
    assert!(roster.portal_url.starts_with("https://") && !roster.workteam_arn.is_empty());
    assert_eq!(
        roster.invitation.unwrap().text.as_deref(),
        Some("Hi {username} {password}")
    );
    assert_eq!(world.directory.groups(), ["numbers-team"]);
}
