//! What an operator lets team files ask for.

use shared::crew::{AllowedDomains, Networks};
use shared::port::crew::{AccountStatus, Workforce};
use testkit::FakeWorkforce;

use super::*;

impl World {
    fn domains(mut self, domains: &str) -> Self {
        self.deps.settings.allowed_domains = AllowedDomains::parse(domains).unwrap();
        self
    }

    fn within(mut self, networks: &str) -> Self {
        self.deps.settings.networks_within = Networks::parse(networks).unwrap();
        self
    }
}

async fn cidrs(workforce: &FakeWorkforce) -> Vec<String> {
    workforce.workforce().await.unwrap().unwrap().cidrs
}

#[tokio::test]
async fn only_addresses_at_allowed_domains_are_invited_and_the_others_are_listed() {
    let world = World::new().domains("example.org, *.lab.test");
    world
        .directory
        .put_account("has@account.test", AccountStatus::Confirmed);
    let reply = world
        .workers(&[
            "Ana@EXAMPLE.org",
            "bo@sub.example.org",
            "cho@deep.lab.test",
            "dee@lab.test",
            "has@account.test",
        ])
        .await;
    assert_eq!(reply, json!([]));
    world.sweep().await.unwrap();
    let mailed: Vec<String> = world.mails_by_address().into_keys().collect();
    assert_eq!(mailed, ["ana@example.org", "cho@deep.lab.test"]);
    assert!(world.directory.groups_of("has@account.test").is_empty());
    let problems: Vec<String> = world.roster().problems.into_iter().map(|p| p.message).collect();
    for (problem, email) in problems.iter().zip(["bo@sub", "dee@lab", "has@account"]) {
        assert!(
            problem.contains(email) && problem.contains("example.org, *.lab.test"),
            "{problem}"
        );
    }
    assert_eq!(problems.len(), 3);
    assert!(world.notice_kinds().contains(&"team-problems".to_owned()));
}

#[tokio::test]
async fn a_joined_member_stays_when_the_domains_change_and_no_one_comes_back() {
    let world = World::new();
    world.workers(&["ana@example.org", "bo@example.org"]).await;
    world.join("ana@example.org").await;
    let world = world.domains("lab.test");
    world.event(FILE).await;
    world.sweep().await.unwrap();
    assert_eq!(world.member("ana@example.org").state, MemberState::Joined);
    assert_eq!(world.member("bo@example.org").state, MemberState::Left);
    world.workers(&[]).await;
    world.workers(&["ana@example.org"]).await;
    assert_eq!(world.member("ana@example.org").state, MemberState::Left);
}

#[tokio::test]
async fn networks_beyond_the_operators_bound_are_not_set_and_announced() {
    let world = World::new().within("203.0.113.0/24");
    world.team("networks: [203.0.113.0/25]").await;
    world.team("networks: [203.0.113.0/25, 198.51.100.0/24]").await;
    world.sweep().await.unwrap();
    assert_eq!(cidrs(&world.workforce).await, ["203.0.113.0/25"]);
    assert_eq!(world.notice_kinds(), ["team-problems"]);
    assert!(
        world.texts().contains("`198.51.100.0/24` is not set"),
        "{}",
        world.texts()
    );
    world.team("networks: [198.51.100.0/24]").await;
    assert_eq!(cidrs(&world.workforce).await, ["203.0.113.0/25"]);
}

#[tokio::test]
async fn opening_the_portal_to_more_networks_is_announced_and_closing_it_is_not() {
    let world = World::new();
    for (networks, notices) in [
        ("203.0.113.0/24", 0),
        ("203.0.113.0/25", 0),
        ("203.0.112.0/23", 1),
        ("203.0.113.0/25", 1),
        ("203.0.112.0/23", 1),
    ] {
        world.team(&format!("networks: [{networks}]")).await;
        assert_eq!(cidrs(&world.workforce).await, [networks]);
        assert_eq!(
            world.notice_kinds().len(),
            notices,
            "{networks}: {}",
            world.texts()
        );
    }
    assert!(world.texts().contains("203.0.112.0/23") && world.texts().contains("203.0.113.0/25"));
    world.pass_days(1);
    world.team("networks: [203.0.113.0/25]").await;
    world.team("networks: [203.0.112.0/23]").await;
    assert_eq!(world.notice_kinds().len(), 2);
}

#[tokio::test]
async fn a_file_that_would_let_everyone_in_changes_nothing() {
    let world = World::new();
    world.team("networks: [203.0.113.0/24]").await;
    for wide in ["0.0.0.0/0", "'::/0'", "0.0.0.0/1, 128.0.0.0/1"] {
        world.team(&format!("networks: [{wide}]")).await;
        assert_eq!(cidrs(&world.workforce).await, ["203.0.113.0/24"], "{wide}");
    }
    assert_eq!(world.notice_kinds(), ["team-rejected"; 3]);
}

#[test]
fn a_bound_that_cannot_be_read_starts_nothing() {
    for (name, value, fits) in [
        ("ALLOWED_EMAIL_DOMAINS", "example.org,*.lab.test", true),
        ("ALLOWED_EMAIL_DOMAINS", "@example.org", false),
        ("NETWORKS_WITHIN", "203.0.113.0/24", true),
        ("NETWORKS_WITHIN", "203.0.113.0", false),
    ] {
        let env = |asked: &str| match asked {
            _ if asked == name => Some(value.to_owned()),
            "INVITATIONS_PER_DAY" | "MAX_INVITATIONS" => Some("3".to_owned()),
            "ALLOWED_EMAIL_DOMAINS" | "NETWORKS_WITHIN" => None,
            _ => Some("x".to_owned()),
        };
        let sdk = aws::sdk::Sdk::default();
        assert_eq!(crate::deps(&env, sdk).is_ok(), fits, "{name}={value}");
    }
}
