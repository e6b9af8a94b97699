//! Sign-ins against ports in memory, fault by fault.

mod events;
mod faults;
mod forgery;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use shared::crew::{Invitation, Membership, Person, group_description};
use shared::layout;
use shared::name::TeamName;
use shared::port::crew::{Account, AccountStatus};
use testkit::{FakeDirectory, FakeMetrics, FakeStore};

use crate::{Deps, handle};

const POOL: &str = "us-east-1_abc";
const ANA: &str = "Ana@example.org";

struct World {
    store: FakeStore,
    metrics: FakeMetrics,
    directory: FakeDirectory,
    deps: Deps<FakeStore, FakeDirectory>,
    ana: Account,
}

impl World {
    /// Ana has just set her password, and is on the lists of these teams.
    fn new(teams: &[&str]) -> Self {
        let (store, directory) = (FakeStore::at("2026-11-22T10:00:00Z"), FakeDirectory::default());
        let ana = directory.put_account(ANA, AccountStatus::Confirmed);
        for team in teams {
            let team = TeamName::new(team).expect(team);
            directory.put_described_group(team.as_str(), &group_description("out", &team));
        }
        let pool = directory.clone();
        let metrics = FakeMetrics::default();
        let deps = Deps {
            store: store.clone(),
            directory: Box::new(move |_| Arc::new(pool.clone())),
            stack: "out".to_owned(),
            // Long enough for everything that answers, short enough to wait for what does not.
            budget: Duration::from_millis(300),
            metrics: metrics.metrics(),
        };
        let world = Self {
            store,
            metrics,
            directory,
            deps,
            ana,
        };
        world.list(ANA, teams, |_| {});
        world
    }

    fn list(&self, email: &str, teams: &[&str], change: impl FnOnce(&mut Person)) {
        let since = self.store.now();
        let teams = teams
            .iter()
            .map(|team| ((*team).to_owned(), Membership { since, group: None }));
        let mut person = Person {
            email: email.to_owned(),
            user_pool: POOL.to_owned(),
            username: Some(self.ana.username.clone()),
            sub: Some(self.ana.sub.clone()),
            teams: teams.collect(),
            invitation: Invitation::default(),
        };
        change(&mut person);
        let key = layout::person(&layout::person_id(email));
        self.store
            .put_output(&key, serde_json::to_vec(&person).unwrap(), &[]);
    }

    /// As captured from a first sign-in with version 1 of the trigger.
    fn event(&self, groups: &[&str]) -> Value {
        json!({
            "version": "1", "triggerSource": "TokenGeneration_NewPasswordChallenge", "region": "us-east-1",
            "userPoolId": POOL, "userName": self.ana.username,
            "callerContext": {"awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": "client1"},
            "request": {
                "userAttributes": {
                    "sub": self.ana.sub, "cognito:user_status": "CONFIRMED", "email_verified": "true",
                    "email": ANA.to_lowercase(),
                },
                "groupConfiguration": {
                    "groupsToOverride": groups, "iamRolesToOverride": [], "preferredRole": null,
                },
            },
            "response": {"claimsOverrideDetails": null},
        })
    }

    async fn answer(&self, event: Value) -> Value {
        handle(&self.deps, event).await.unwrap()
    }

    /// The event comes back as it went in, and nothing was written or asked of Cognito.
    async fn passes(&self, event: Value) {
        let writes = self.store.writes();
        assert_eq!(self.answer(event.clone()).await, event);
        assert_eq!(self.store.writes(), writes, "written for {event}");
        assert_eq!(self.directory.faults.calls(), [], "asked for {event}");
    }

    fn markers(&self) -> Vec<String> {
        self.store.outputs(layout::JOINED)
    }
}

fn groups(answer: &Value) -> &Value {
    &answer["response"]["claimsOverrideDetails"]["groupOverrideDetails"]["groupsToOverride"]
}

fn marker(team: &str) -> String {
    format!("joined/{team}/{}", layout::person_id(ANA))
}
