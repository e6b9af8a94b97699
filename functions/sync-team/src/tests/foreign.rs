//! Groups and work teams that Groundcrew did not make: a team file names them in vain.

use shared::port::crew::{AccountStatus, Identity, Members, WorkTeam};
use testkit::CrewFault;

use super::*;

const BOSS: &str = "boss@example.org";

/// The pool has a group of the team's name, with a person in it who is in the file too.
fn with_administrators() -> World {
    let world = World::new();
    world.directory.put_account(BOSS, AccountStatus::Confirmed);
    world
        .directory
        .put_described_group("numbers-team", "Administrators");
    world.directory.put_member("numbers-team", BOSS);
    world
}

fn in_group(world: &World) -> Vec<String> {
    let emails = [BOSS, "ana@example.org", "bo@example.org"];
    let is_in = |email: &&&str| {
        world
            .directory
            .groups_of(email)
            .contains(&"numbers-team".to_owned())
    };
    emails
        .iter()
        .filter(is_in)
        .map(|email| (*email).to_owned())
        .collect()
}

fn team_of_others() -> WorkTeam {
    WorkTeam {
        name: "numbers-team".to_owned(),
        description: "Made in the console".to_owned(),
        members: Members::Cognito {
            user_pool: "us-east-1_pool".to_owned(),
            client_id: "client".to_owned(),
            groups: vec!["theirs".to_owned()],
        },
        topic_arn: None,
    }
}

fn adopt(world: &World) {
    let said = world.store.now().to_string();
    world.store.put_output("adopted/numbers-team", said, &[]);
}

#[tokio::test]
async fn a_group_of_others_is_refused_and_its_members_stay() {
    let world = with_administrators();
    world
        .directory
        .put_account("ana@example.org", AccountStatus::Confirmed);
    for workers in [
        &["ana@example.org", "bo@example.org", BOSS][..],
        &["ana@example.org"],
        &[],
    ] {
        assert_eq!(world.workers(workers).await, json!([]));
        world.sweep().await.unwrap();
        assert_eq!(in_group(&world), [BOSS]);
    }
    assert!(world.directory.invitations().is_empty() && world.workforce.teams().is_empty());
    assert_eq!(world.notice_kinds(), ["team-refused"]);
    assert!(world.texts().contains("did not make") && world.texts().contains("adopted/numbers-team"));
    assert!(
        world.roster().problems[0]
            .message
            .contains("group in the user pool")
    );
}

#[tokio::test]
async fn a_work_team_of_others_is_refused_and_stays_as_it_is() {
    for more in [
        "workers: [ana@example.org]",
        "sign_in: {issuer: 'https://idp.example.org', groups: [labelers]}",
    ] {
        let world = World::new();
        if more.starts_with("sign_in") {
            let issuer = "https://idp.example.org".to_owned();
            world.workforce.put_workforce(Identity::Oidc { issuer });
        }
        world.workforce.put_team(team_of_others());
        world.team(more).await;
        world.sweep().await.unwrap();
        assert_eq!(world.workforce.teams(), [team_of_others()], "{more}");
        assert_eq!(world.notice_kinds(), ["team-refused"], "{more}");
        assert!(world.directory.invitations().is_empty(), "{more}");
    }
}

#[tokio::test]
async fn an_imported_group_is_named_and_never_changed() {
    let world = World::new();
    world.directory.put_account(BOSS, AccountStatus::Confirmed);
    world.directory.put_described_group("staff", "Administrators");
    world.directory.put_member("staff", BOSS);
    world.team("workers: [ana@example.org]\ngroups: [staff]").await;
    world.join("ana@example.org").await;
    world.team("workers: []\ngroups: [staff]").await;
    world.sweep().await.unwrap();
    assert_eq!(world.directory.groups_of(BOSS), ["staff"]);
    assert!(world.directory.groups_of("ana@example.org").is_empty());
    let Members::Cognito { groups, .. } = &world.workforce.teams()[0].members else {
        panic!()
    };
    assert_eq!(groups, &["numbers-team", "staff"]);
    // A file of that name gives no one power over it.
    world
        .store
        .drop_file("teams/staff.yaml", format!("{HEAD}workers: [bo@example.org]\n"));
    world.event("teams/staff.yaml").await;
    assert!(world.directory.account("bo@example.org").is_none());
    assert_eq!(world.notice_kinds(), ["worker-joined", "team-refused"]);
}

#[tokio::test]
async fn an_operator_hands_a_group_and_a_work_team_over_once() {
    let world = with_administrators();
    world.directory.put_group("theirs");
    world.workforce.put_team(team_of_others());
    world.workers(&["ana@example.org"]).await;
    assert!(world.directory.invitations().is_empty());
    assert!(world.roster().adoptable);
    adopt(&world);
    world.event(FILE).await;
    assert!(!world.roster().adoptable);
    assert_eq!(world.mails_by_address().len(), 1);
    // A person who was in it stays, and it is the team's from now on.
    assert_eq!(in_group(&world), [BOSS]);
    world.workers(&["ana@example.org", "bo@example.org"]).await;
    assert_eq!(world.mails_by_address().len(), 2);
    // Deleted, and made by others again: that was not handed over.
    world.directory.remove_group("numbers-team");
    world
        .directory
        .put_described_group("numbers-team", "Administrators");
    world.workers(&["cho@example.org"]).await;
    assert_eq!(world.mails_by_address().len(), 2);
    world.pass(60);
    adopt(&world);
    world.event(FILE).await;
    assert_eq!(world.mails_by_address().len(), 3);
}

#[tokio::test]
async fn a_group_made_again_by_others_is_theirs_and_members_leave_it_alone() {
    let world = World::new();
    world.workers(&["ana@example.org", "bo@example.org"]).await;
    world.join("ana@example.org").await;
    world.directory.remove_group("numbers-team");
    world
        .directory
        .put_described_group("numbers-team", "Administrators");
    world.directory.put_member("numbers-team", "ana@example.org");
    world.directory.confirm("bo@example.org");
    world.workers(&["bo@example.org"]).await;
    world.sweep().await.unwrap();
    assert_eq!(in_group(&world), ["ana@example.org"]);
    assert_eq!(world.member("ana@example.org").state, MemberState::Left);
    assert!(world.person("ana@example.org").teams.is_empty());
}

#[tokio::test]
async fn a_group_keeps_being_the_teams_whatever_its_description_becomes() {
    let world = World::new();
    world.workers(&["ana@example.org"]).await;
    world.directory.describe_group("numbers-team", "Our annotators");
    world.workers(&["ana@example.org", "bo@example.org"]).await;
    assert_eq!(world.mails_by_address().len(), 2);
}

#[tokio::test]
async fn a_team_from_before_there_were_marks_goes_on() {
    let world = World::new();
    world.workers(&["ana@example.org"]).await;
    // As the version before wrote and made them.
    let mut roster: Value =
        serde_json::from_str(&world.store.output("crew/numbers-team.json").unwrap()).unwrap();
    roster.as_object_mut().unwrap().remove("owned");
    world
        .store
        .put_output("crew/numbers-team.json", roster.to_string(), &[]);
    world.store.remove(Bucket::Output, "crew-names/numbers-team");
    world.directory.remove_group("numbers-team");
    world
        .directory
        .put_described_group("numbers-team", "The people of a Groundcrew team");
    let made = world.workforce.teams().remove(0);
    world.workforce.put_team(made);
    world.workers(&["ana@example.org", "bo@example.org"]).await;
    world.join("bo@example.org").await;
    assert_eq!(world.mails_by_address().len(), 2);
    assert_eq!(world.notice_kinds(), ["worker-joined"]);
    let owned = world.roster().owned.expect("written down now");
    assert!(owned.group.is_some() && owned.work_team.is_some() && owned.adopted.is_none());
}

#[tokio::test]
async fn stopped_between_making_and_writing_down_it_is_the_teams_all_the_same() {
    for operation in ["CreateGroup", "CreateWorkteam"] {
        let world = World::new();
        world.drop_team("workers: [ana@example.org]");
        let faults = match operation {
            "CreateGroup" => &world.directory.faults,
            _ => &world.workforce.faults,
        };
        faults.fail_next(operation, CrewFault::ResponseLost);
        world.event(FILE).await;
        faults.clear();
        assert_eq!(world.event(FILE).await, json!([]), "{operation}");
        assert_eq!(world.mails_by_address().len(), 1, "{operation}");
        assert!(
            world.notice_kinds().is_empty(),
            "{operation}: {:?}",
            world.texts()
        );
    }
}

#[tokio::test]
async fn of_two_names_that_differ_in_case_the_first_wins() {
    let world = World::new();
    world.workers(&["ana@example.org"]).await;
    let twin = "teams/Numbers-Team.yaml";
    world
        .store
        .drop_file(twin, format!("{HEAD}workers: [bo@example.org]\n"));
    assert_eq!(world.event(twin).await, json!([]));
    world.sweep().await.unwrap();
    assert_eq!(world.notice_kinds(), ["team-refused"]);
    assert!(
        world.texts().contains("`numbers-team` already"),
        "{}",
        world.texts()
    );
    assert_eq!(world.directory.groups(), ["numbers-team"]);
    assert_eq!(
        world.mails_by_address().keys().collect::<Vec<_>>(),
        ["ana@example.org"]
    );
    assert_eq!(world.workforce.teams().len(), 1);
    world.workers(&["ana@example.org", "cho@example.org"]).await;
    assert_eq!(world.mails_by_address().len(), 2);
}

#[tokio::test]
async fn a_team_from_before_keeps_its_name_against_a_twin() {
    let world = World::new();
    world.workers(&["ana@example.org"]).await;
    world.store.remove(Bucket::Output, "crew-names/numbers-team");
    let twin = "teams/NUMBERS-team.yaml";
    world.store.drop_file(twin, HEAD);
    world.event(twin).await;
    assert_eq!(world.notice_kinds(), ["team-refused"]);
    assert_eq!(
        document(&world, "crew-names/numbers-team"),
        json!({"team": "numbers-team"})
    );
}

#[tokio::test]
async fn a_file_that_cannot_be_used_takes_no_name() {
    let world = World::new();
    world.store.drop_file("teams/Numbers-Team.yaml", "workers: [");
    world.event("teams/Numbers-Team.yaml").await;
    world.workers(&["ana@example.org"]).await;
    assert_eq!(world.mails_by_address().len(), 1);
}
