//! Queue messages: a team file was dropped, or a worker has joined.

use std::collections::{BTreeMap, BTreeSet};

use lambda::event::{QueueMessage, failed_messages};
use lambda::message_body::CreatedObject;
use lambda::pending_work::{HandledEvents, MessageId, PendingWork};
use serde_json::Value;
use shared::layout::{self, InputKey, JoinMarkerKey};
use shared::name::{TeamFileNameError, TeamName};
use shared::notice::Notice;

use crate::error::SyncError;
use crate::member::join_notice::announce_joined;
use crate::member::unlisted_account::announce_sign_in;
use crate::ports::{Ports, Settings};
use crate::reconcile::reconcile;
use crate::run::Run;

/// What created objects ask for, each thing with the messages that fail if it fails.
#[derive(Debug, Default)]
struct TeamEvents {
    /// One message for each team.
    teams: BTreeMap<TeamName, MessageId>,
    misnamed: BTreeMap<String, (TeamFileNameError, MessageId)>,
    joined: BTreeMap<TeamName, (BTreeSet<String>, Vec<MessageId>)>,
    unlisted: BTreeMap<String, MessageId>,
}

pub(crate) async fn handle_messages<P: Ports>(ports: &P, messages: Vec<QueueMessage>) -> Value {
    let all: Vec<MessageId> = messages.iter().map(|message| message.id.clone()).collect();
    let settings = ports.settings();
    let handled = HandledEvents {
        buckets: &[&settings.input_bucket, &settings.output_bucket],
        ended_jobs: false,
    };
    let work = PendingWork::read(messages, handled, ports.metrics());
    let mut failed = work.unreadable;
    let events = TeamEvents::of(work.dropped, settings);
    if !events.is_empty() {
        match Run::begin(ports).await {
            Ok(run) => {
                failed.extend(events.handle(&run).await);
                run.end().await;
            }
            Err(error) => {
                tracing::error!(%error, "failed to list team files; all messages will be retried");
                failed = all;
            }
        }
    }
    failed.sort();
    failed.dedup();
    failed_messages(failed.iter().map(String::as_str))
}

impl TeamEvents {
    fn of(dropped: Vec<(MessageId, CreatedObject)>, settings: &Settings) -> Self {
        let mut events = Self::default();
        for (message, object) in dropped {
            if object.bucket == settings.input_bucket {
                events.add_team_file(message, object.key);
            } else {
                events.add_marker(message, &object.key);
            }
        }
        events
    }

    /// No AWS call is needed then.
    fn is_empty(&self) -> bool {
        self.teams.is_empty()
            && self.misnamed.is_empty()
            && self.joined.is_empty()
            && self.unlisted.is_empty()
    }

    fn add_team_file(&mut self, message: MessageId, key: String) {
        match InputKey::parse(&key) {
            InputKey::Team(team) => {
                self.teams.entry(team).or_insert(message);
            }
            InputKey::BadTeam(error) => {
                self.misnamed.insert(key, (error, message));
            }
            _ => {}
        }
    }

    fn add_marker(&mut self, message: MessageId, key: &str) {
        match layout::parse_join_marker(key) {
            Some(JoinMarkerKey::Team(team, person)) => {
                let (people, messages) = self.joined.entry(team).or_default();
                people.insert(person);
                messages.push(message);
            }
            Some(JoinMarkerKey::Unlisted(hash)) => {
                self.unlisted.insert(hash, message);
            }
            None => {}
        }
    }

    /// The messages to be retried.
    async fn handle<P: Ports>(self, run: &Run<'_, P>) -> Vec<MessageId> {
        let mut failed = Vec::new();
        for (team, message) in self.teams {
            let result = reconcile(run, &team).await.map(|_| ());
            add_failure(result, Some(&team), [message], &mut failed);
        }
        for (key, (error, message)) in self.misnamed {
            let result = run.announce(&Notice::team_misnamed(&key, &error)).await;
            add_failure(result, None, [message], &mut failed);
        }
        for (team, (people, messages)) in self.joined {
            let result = announce_joined(run, &team, &people).await;
            add_failure(result, Some(&team), messages, &mut failed);
        }
        for (hash, message) in self.unlisted {
            let result = announce_sign_in(run, &hash).await;
            add_failure(result, None, [message], &mut failed);
        }
        failed
    }
}

fn add_failure(
    result: Result<(), SyncError>,
    team: Option<&TeamName>,
    messages: impl IntoIterator<Item = MessageId>,
    failed: &mut Vec<MessageId>,
) {
    if let Err(error) = result {
        let team = team.map(TeamName::as_str);
        tracing::error!(team, %error, "reconcile failed; message will be retried");
        failed.extend(messages);
    }
}
