//! Queue messages, each a hint: a team file was dropped, or somebody has joined.

use std::collections::{BTreeMap, BTreeSet};

use lambda::event::{Body, Dropped, Message, failed_messages};
use serde_json::Value;
use shared::layout::{self, InputKey, JoinedKey};
use shared::name::{TeamFileNameError, TeamName};
use shared::notice::Notice;

use crate::reconcile::reconcile;
use crate::run::Run;
use crate::{Ports, Settings, SyncError, joined, unlisted};

/// What a batch of messages asks for, each with the messages that ask for it.
#[derive(Debug, Default)]
struct Asked {
    /// One message stands for all that name the team.
    teams: BTreeMap<TeamName, String>,
    misnamed: BTreeMap<String, (TeamFileNameError, String)>,
    joined: BTreeMap<TeamName, (BTreeSet<String>, Vec<String>)>,
    unlisted: BTreeMap<String, String>,
    /// Messages that only the dead letters can be the end of.
    unreadable: Vec<String>,
    /// Events about another bucket.
    foreign: usize,
}

pub(crate) async fn answer<P: Ports>(ports: &P, messages: Vec<Message>) -> Value {
    let all: Vec<String> = messages.iter().map(|message| message.id.clone()).collect();
    let asked = Asked::read(messages, ports.settings());
    ports.metrics().foreign(asked.foreign);
    if asked.is_nothing() {
        return failed_messages(asked.unreadable.iter().map(String::as_str));
    }
    let run = match Run::begin(ports).await {
        Ok(run) => run,
        Err(error) => {
            tracing::error!(%error, "nothing could be looked at; the messages come again");
            return failed_messages(all.iter().map(String::as_str));
        }
    };
    let failed = asked.answer(&run).await;
    run.end().await;
    failed_messages(failed.iter().map(String::as_str))
}

impl Asked {
    fn read(messages: Vec<Message>, settings: &Settings) -> Self {
        let mut asked = Self::default();
        for Message {
            id,
            body,
            receive_count,
        } in messages
        {
            match Body::parse(&body) {
                Body::Dropped(dropped) => dropped.iter().for_each(|d| asked.dropped(d, &id, settings)),
                Body::Nothing(what) => tracing::info!(what, "acknowledged a message that says nothing"),
                Body::JobEnded(_) => tracing::warn!(why = "not about a team", "dropped an event"),
                Body::Unsupported(what) => {
                    tracing::error!(what, receive_count, "a message goes to the dead letters");
                    asked.unreadable.push(id);
                }
            }
        }
        asked
    }

    /// Nobody's call is needed: S3's test event, an event of others, a message for the dead letters.
    fn is_nothing(&self) -> bool {
        self.teams.is_empty()
            && self.misnamed.is_empty()
            && self.joined.is_empty()
            && self.unlisted.is_empty()
    }

    fn dropped(&mut self, dropped: &Dropped, message: &str, settings: &Settings) {
        if dropped.bucket == settings.input_bucket {
            match InputKey::parse(&dropped.key) {
                InputKey::Team(team) => {
                    self.teams.entry(team).or_insert_with(|| message.to_owned());
                }
                InputKey::BadTeam(error) => {
                    self.misnamed
                        .insert(dropped.key.clone(), (error, message.to_owned()));
                }
                _ => {}
            }
        } else if dropped.bucket == settings.output_bucket {
            match layout::parse_joined(&dropped.key) {
                Some(JoinedKey::Team(team, person)) => {
                    let (people, messages) = self.joined.entry(team).or_default();
                    people.insert(person);
                    messages.push(message.to_owned());
                }
                Some(JoinedKey::Unlisted(hash)) => {
                    self.unlisted.insert(hash, message.to_owned());
                }
                None => {}
            }
        } else {
            tracing::warn!(why = "another bucket", "dropped an event");
            self.foreign += 1;
        }
    }

    /// The messages that come again.
    async fn answer<P: Ports>(self, run: &Run<'_, P>) -> Vec<String> {
        let mut failed = self.unreadable;
        for (team, message) in self.teams {
            let done = reconcile(run, &team).await.map(|_| ());
            note(done, Some(&team), [message], &mut failed);
        }
        for (key, (error, message)) in self.misnamed {
            let done = run.tell(&Notice::team_misnamed(&key, &error)).await;
            note(done, None, [message], &mut failed);
        }
        for (team, (people, messages)) in self.joined {
            let done = joined::tell(run, &team, &people).await;
            note(done, Some(&team), messages, &mut failed);
        }
        for (hash, message) in self.unlisted {
            let done = unlisted::tell(run, &hash).await;
            note(done, None, [message], &mut failed);
        }
        failed.sort();
        failed.dedup();
        failed
    }
}

fn note(
    done: Result<(), SyncError>,
    team: Option<&TeamName>,
    messages: impl IntoIterator<Item = String>,
    failed: &mut Vec<String>,
) {
    if let Err(error) = done {
        let team = team.map(TeamName::as_str);
        tracing::error!(team, %error, "not done; its message comes again");
        failed.extend(messages);
    }
}
