//! Invitations, worded against a store in memory.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use shared::crew::{Invitation, InvitationText, Membership, Person, Roster};
use shared::layout;
use shared::name::TeamName;
use testkit::{FakeMetrics, FakeStore};

use crate::{Deps, handle};

const POOL: &str = "us-east-1_abc";
const ANA: &str = "ana@example.org";

struct World {
    store: FakeStore,
    metrics: FakeMetrics,
    deps: Deps<FakeStore>,
}

impl World {
    fn new() -> Self {
        let store = FakeStore::at("2026-11-22T10:00:00Z");
        let metrics = FakeMetrics::default();
        let deps = Deps {
            store: store.clone(),
            budget: Duration::from_millis(300),
            metrics: metrics.metrics(),
        };
        let world = Self { store, metrics, deps };
        world.team("numbers", |_| {});
        world
    }

    fn team(&self, name: &str, change: impl FnOnce(&mut Roster)) {
        let mut roster = Roster {
            team: name.to_owned(),
            file_etag: String::new(),
            at: self.store.now(),
            organization: "Example Lab <&>".to_owned(),
            contact: "labels@example.org".to_owned(),
            description: "People who label numbers".to_owned(),
            portal_url: "https://portal.example.org".to_owned(),
            workteam_arn: String::new(),
            topic_arn: None,
            owned: None,
            invitation: None,
            adoptable: false,
            members: Vec::new(),
            problems: Vec::new(),
            settled: false,
        };
        change(&mut roster);
        let key = layout::roster(&TeamName::new(name).unwrap());
        self.store
            .put_output(&key, serde_json::to_vec(&roster).unwrap(), &[]);
    }

    fn person(&self, user_pool: &str, teams: &[&str], mailed_for: Option<&str>) {
        let since = self.store.now();
        let teams = teams
            .iter()
            .map(|team| ((*team).to_owned(), Membership { since, group: None }));
        let person = Person {
            email: ANA.to_owned(),
            user_pool: user_pool.to_owned(),
            username: None,
            sub: None,
            teams: teams.collect(),
            invitation: Invitation {
                team: mailed_for.map(str::to_owned),
                ..Invitation::default()
            },
        };
        let key = layout::person(&layout::person_id(ANA));
        self.store
            .put_output(&key, serde_json::to_vec(&person).unwrap(), &[]);
    }

    async fn answer(&self, event: Value) -> Value {
        handle(&self.deps, event).await.unwrap()
    }

    async fn passes(&self, event: Value) {
        assert_eq!(self.answer(event.clone()).await, event);
    }

    async fn html(&self, event: Value) -> String {
        let answer = self.answer(event).await;
        answer["response"]["emailMessage"].as_str().unwrap().to_owned()
    }
}

/// As captured from AdminCreateUser.
fn event(team: Option<&str>) -> Value {
    let metadata = team.map_or(json!(null), |team| json!({"team": team}));
    json!({
        "version": "1", "triggerSource": "CustomMessage_AdminCreateUser", "region": "us-east-1",
        "userPoolId": POOL, "userName": "8f4d",
        "callerContext": {"awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": "CLIENT_ID_NOT_APPLICABLE"},
        "request": {
            "userAttributes": {"sub": "8f4d", "cognito:user_status": "FORCE_CHANGE_PASSWORD", "email": ANA},
            "codeParameter": "{####}", "linkParameter": "{##Click Here##}", "usernameParameter": "{username}",
            "clientMetadata": metadata,
        },
        "response": {"smsMessage": null, "emailMessage": null, "emailSubject": null},
    })
}

#[tokio::test]
async fn an_invitation_names_everything_a_worker_needs() {
    let world = World::new();
    let answer = world.answer(event(Some("numbers"))).await;
    let subject = answer["response"]["emailSubject"].as_str().unwrap();
    assert!(subject.contains("Example Lab"), "{subject}");
    let html = answer["response"]["emailMessage"].as_str().unwrap();
    for part in [
        "{username}",
        "{####}",
        "labels@example.org",
        "https://portal.example.org",
        "numbers",
    ] {
        assert!(html.contains(part), "{part}: {html}");
    }
    let mut rest = answer.clone();
    rest["response"] = event(None)["response"].clone();
    assert_eq!(rest, event(Some("numbers")));
    assert_eq!(answer["response"]["smsMessage"], json!(null));
}

#[tokio::test]
async fn the_places_of_name_and_password_are_those_the_event_names() {
    let world = World::new();
    let mut event = event(Some("numbers"));
    event["request"]["codeParameter"] = json!("####");
    event["request"]["usernameParameter"] = json!("{other-name}");
    let html = world.html(event).await;
    assert!(html.contains("{other-name}") && html.contains("####"), "{html}");
    assert!(!html.contains("{####}") && !html.contains("{username}"), "{html}");
}

#[tokio::test]
async fn what_the_team_file_says_is_escaped() {
    let world = World::new();
    let html = world.html(event(Some("numbers"))).await;
    assert!(html.contains("Example Lab &lt;&amp;&gt;"), "{html}");
}

#[tokio::test]
async fn a_team_has_words_of_its_own() {
    let world = World::new();
    world.team("numbers", |roster| {
        roster.invitation = Some(InvitationText {
            subject: Some("Come and label for {organization}".to_owned()),
            text: Some("Dear **{username}**, use `{password}` at {portal}.".to_owned()),
        });
    });
    let answer = world.answer(event(Some("numbers"))).await;
    assert_eq!(
        answer["response"]["emailSubject"],
        "Come and label for Example Lab <&>"
    );
    let html = answer["response"]["emailMessage"].as_str().unwrap();
    assert!(
        html.contains("<strong><code>{username}</code></strong>"),
        "{html}"
    );
}

#[tokio::test]
async fn a_mail_keeps_to_the_limits_whatever_the_team_file_says() {
    let world = World::new();
    for text in ["x".repeat(30_000), "No placeholders".to_owned()] {
        world.team("numbers", |roster| {
            roster.organization = "Ö".repeat(500);
            roster.invitation = Some(InvitationText {
                subject: Some("y".repeat(400)),
                text: Some(text),
            });
        });
        let answer = world.answer(event(Some("numbers"))).await;
        let length = |field: &str| answer["response"][field].as_str().unwrap().chars().count();
        assert!(length("emailSubject") <= 140 && length("emailMessage") <= 20_000);
        let html = answer["response"]["emailMessage"].as_str().unwrap();
        assert!(html.contains("{username}") && html.contains("{####}"), "{html}");
    }
}

#[tokio::test]
async fn a_mail_that_cannot_be_made_to_fit_is_the_pools_own() {
    let world = World::new();
    world.team("numbers", |roster| roster.organization = "x".repeat(30_000));
    world.passes(event(Some("numbers"))).await;
}

#[tokio::test]
async fn a_person_invited_by_hand_gets_the_text_of_their_team() {
    let world = World::new();
    world.team("letters", |roster| {
        "Letter Lab".clone_into(&mut roster.organization);
    });
    world.person(POOL, &["letters", "numbers"], Some("numbers"));
    assert!(world.html(event(None)).await.contains("Example Lab"));
    world.person(POOL, &["letters", "numbers"], Some("left-meanwhile"));
    assert!(world.html(event(None)).await.contains("Letter Lab"));
}

#[tokio::test]
async fn an_unknown_team_leaves_the_pools_own_text() {
    let world = World::new();
    world.passes(event(None)).await;
    world.passes(event(Some("unknown"))).await;
    world.passes(event(Some("../people/x"))).await;
    world.person("us-east-1_other", &["numbers"], None);
    world.passes(event(None)).await;
    world.person(POOL, &[], None);
    world.passes(event(None)).await;
    let dropped = lambda::metric::Metric::DroppedForeignEvents;
    assert_eq!(world.metrics.values(dropped), [1]);
}

#[tokio::test]
async fn a_team_without_a_portal_leaves_the_pools_own_words() {
    let world = World::new();
    world.team("numbers", |roster| roster.portal_url.clear());
    world.passes(event(Some("numbers"))).await;
}

#[tokio::test]
async fn a_store_that_refuses_or_holds_something_else_leaves_the_pools_own_words() {
    let world = World::new();
    world.store.refuse_reads("crew/numbers.json");
    world.passes(event(Some("numbers"))).await;
    let world = World::new();
    world.store.put_output("crew/numbers.json", "{}", &[]);
    world.passes(event(Some("numbers"))).await;
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_not_waited_for_beyond_the_budget() {
    let world = World::new();
    world.store.hang_reads("crew/numbers.json");
    let begun = Instant::now();
    world.passes(event(Some("numbers"))).await;
    let took = begun.elapsed();
    assert!(took < world.deps.budget + Duration::from_secs(1), "{took:?}");
}

#[tokio::test]
async fn other_messages_and_other_shapes_pass_untouched() {
    let world = World::new();
    for source in [
        "CustomMessage_ForgotPassword",
        "CustomMessage_SignUp",
        "TokenGeneration_HostedAuth",
    ] {
        let mut event = event(Some("numbers"));
        event["triggerSource"] = json!(source);
        world.passes(event).await;
    }
    for pointer in [
        "/request",
        "/request/codeParameter",
        "/request/usernameParameter",
        "/response",
        "/userPoolId",
    ] {
        let mut event = event(Some("numbers"));
        *event.pointer_mut(pointer).unwrap() = json!(7);
        world.passes(event).await;
    }
    for event in [json!(null), json!([]), json!("x"), json!({})] {
        world.passes(event).await;
    }
    assert!(world.store.reads().is_empty());
}
