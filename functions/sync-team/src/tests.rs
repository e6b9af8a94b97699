//! What sync-team makes true, against ports in memory, fault by fault.

mod bad_input;
mod bounds;
mod faults;
mod foreign;
mod large;
mod logging;
mod mail;
mod onboarding;
mod sweep;

use std::collections::BTreeMap;

use serde_json::{Value, json};
use shared::crew::{JoinMarker, Member, MemberState, Person, Roster};
use shared::layout;
use shared::name::TeamName;
use shared::port::Bucket;
use testkit::{FakeDirectory, FakeMetrics, FakeStore, FakeTopic, FakeTopics, FakeWorkforce};

use crate::{Deps, HandlerError, Settings, handle};

const NOW: &str = "2026-11-23T10:00:00Z";
const HEAD: &str =
    "organization: Example Lab\ncontact: labels@example.org\ndescription: People who label numbers\n";
const FILE: &str = "teams/numbers-team.yaml";

type FakeDeps = Deps<FakeStore, FakeDirectory, FakeWorkforce, FakeTopics, FakeTopic>;

struct World {
    store: FakeStore,
    directory: FakeDirectory,
    workforce: FakeWorkforce,
    topics: FakeTopics,
    topic: FakeTopic,
    metrics: FakeMetrics,
    deps: FakeDeps,
}

impl World {
    fn new() -> Self {
        Self::with(FakeDirectory::default())
    }

    fn with(directory: FakeDirectory) -> Self {
        let store = FakeStore::at(NOW);
        directory.set_now(store.now());
        let workforce = FakeWorkforce::with_groups_of(&directory);
        let (topics, topic) = (FakeTopics::default(), FakeTopic::default());
        let metrics = FakeMetrics::default();
        let deps = Deps {
            store: store.clone(),
            directory: directory.clone(),
            workforce: workforce.clone(),
            work_topics: topics.clone(),
            topic: topic.clone(),
            metrics: metrics.metrics(),
            settings: Settings {
                input_bucket: "in".to_owned(),
                output_bucket: "out".to_owned(),
                user_pool: "us-east-1_pool".to_owned(),
                client_id: "client".to_owned(),
                invitations_per_day: None,
                max_invitations: 3,
                allowed_domains: Default::default(),
                networks_within: Default::default(),
                portal_url: None,
            },
        };
        Self {
            store,
            directory,
            workforce,
            topics,
            topic,
            metrics,
            deps,
        }
    }

    fn mails_a_day(mut self, mails: u32) -> Self {
        self.deps.settings.invitations_per_day = Some(mails);
        self
    }

    fn drop_team(&self, more: &str) {
        self.store.drop_file(FILE, format!("{HEAD}{more}\n"));
    }

    /// The file is dropped, and its event arrives.
    async fn team(&self, more: &str) -> Value {
        self.drop_team(more);
        self.event(FILE).await
    }

    async fn workers(&self, emails: &[&str]) -> Value {
        self.team(&format!("workers: [{}]", emails.join(", "))).await
    }

    /// The failed messages.
    async fn event(&self, key: &str) -> Value {
        let reply = handle(&self.deps, json!({"Records": [team_event("m", key)]}))
            .await
            .unwrap();
        reply["batchItemFailures"].clone()
    }

    async fn sweep(&self) -> Result<Value, HandlerError> {
        handle(&self.deps, json!({"sweep": "all"})).await
    }

    fn pass(&self, seconds: i64) {
        self.store.pass(seconds);
        self.directory.set_now(self.store.now());
    }

    fn pass_days(&self, days: i64) {
        self.pass(days * 86_400);
    }

    fn roster(&self) -> Roster {
        let text = self.store.output("crew/numbers-team.json").expect("a roster");
        serde_json::from_str(&text).unwrap()
    }

    fn member(&self, email: &str) -> Member {
        let person = layout::person_id(email);
        let found = self
            .roster()
            .members
            .into_iter()
            .find(|member| member.person == person);
        found.unwrap_or_else(|| panic!("{email} is not in the roster"))
    }

    fn states(&self) -> BTreeMap<String, MemberState> {
        let members = self.roster().members.into_iter();
        members.map(|member| (member.email, member.state)).collect()
    }

    fn count(&self, state: MemberState) -> usize {
        self.states().values().filter(|of| **of == state).count()
    }

    fn person(&self, email: &str) -> Person {
        let text = self
            .store
            .output(&layout::person(&layout::person_id(email)))
            .expect(email);
        serde_json::from_str(&text).unwrap()
    }

    /// Mails to each address.
    fn mails_by_address(&self) -> BTreeMap<String, usize> {
        self.directory
            .invitations()
            .into_iter()
            .fold(BTreeMap::new(), |mut mails, mail| {
                *mails.entry(mail.email).or_default() += 1;
                mails
            })
    }

    /// The kinds of the notices published to admins.
    fn notice_kinds(&self) -> Vec<String> {
        self.topic
            .messages()
            .iter()
            .map(|said| said.attributes["kind"].clone())
            .collect()
    }

    fn texts(&self) -> String {
        self.topic
            .messages()
            .iter()
            .map(|said| said.body.clone())
            .collect::<Vec<_>>()
            .join("\n")
    }

    /// The person sets a password; the trigger does what it does, and its event comes.
    async fn join(&self, email: &str) {
        self.directory.confirm(email);
        self.directory.put_member("numbers-team", email);
        let account = self.directory.account(email).expect(email);
        let key = layout::join_marker(&TeamName::new("numbers-team").unwrap(), &layout::person_id(email));
        let joined = JoinMarker {
            at: self.store.now(),
            username: account.username,
            sub: account.sub,
        };
        self.store
            .put_output(&key, serde_json::to_vec(&joined).unwrap(), &[]);
        let reply = handle(&self.deps, json!({"Records": [joined_event("j", &key)]}))
            .await
            .unwrap();
        assert_eq!(reply, json!({"batchItemFailures": []}));
    }
}

fn team_event(id: &str, key: &str) -> Value {
    let body = json!({
        "source": "aws.s3", "detail-type": "Object Created", "time": NOW,
        "detail": {"bucket": {"name": "in"}, "object": {"key": key}}
    });
    json!({"messageId": id, "body": body.to_string(), "eventSource": "aws:sqs"})
}

fn joined_event(id: &str, key: &str) -> Value {
    let body = json!({"Records": [{
        "eventVersion": "2.1", "eventName": "ObjectCreated:Put", "eventTime": NOW,
        "s3": {"bucket": {"name": "out"}, "object": {"key": key}}
    }]});
    json!({"messageId": id, "body": body.to_string(), "eventSource": "aws:sqs"})
}

/// So many people, as the file lists them.
fn people(count: usize) -> String {
    (0..count).fold("workers:\n".to_owned(), |list, n| {
        list + &format!("- worker-{n}@example.org\n")
    })
}

fn document(world: &World, key: &str) -> Value {
    let text = world.store.text(Bucket::Output, key);
    text.map_or(Value::Null, |text| serde_json::from_str(&text).expect(key))
}
