//! Undoing what keeps people and teams safe.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use shared::crew::group_description;
use shared::layout;
use shared::name::TeamName;
use shared::port::crew::{
    Account, AccountStatus, ClientUrls, CrewError, Directory, Group, InviteOutcome, TeamChangeOutcome,
    WorkTeam, WorkTeamDescription, WorkTopics, Workforce, WorkforceDescription,
};
use shared::port::{Bucket, CreateOutcome, ReplaceOutcome, Store, StoreError, StoredObject};

use super::{Ports, Safeguard};
use crate::OUTPUT;
use crate::world::store::ANY;

fn read(bytes: &[u8]) -> Map<String, Value> {
    serde_json::from_slice(bytes).unwrap_or_default()
}

fn teams(person: &Map<String, Value>) -> Vec<String> {
    let teams = person.get("teams").and_then(Value::as_object);
    teams
        .into_iter()
        .flatten()
        .map(|(team, _)| team.clone())
        .collect()
}

impl Ports {
    /// What a document about people is shown as.
    pub(super) fn crew_shown(&self, key: &str, fetched: &mut StoredObject) {
        let mut document = read(&fetched.bytes);
        match self.without {
            Some(Safeguard::TrustCheck) if key.starts_with(layout::PEOPLE) => {
                if let Some(asking) = self.port.current_call() {
                    document.insert("sub".to_owned(), json!(asking));
                }
            }
            Some(Safeguard::MailCount) if key.starts_with(layout::PEOPLE) => {
                let invitation = document.get_mut("invitation").and_then(Value::as_object_mut);
                if let Some(times) = invitation.and_then(|invitation| invitation.get_mut("times")) {
                    *times = json!(times.as_u64().unwrap_or(0).min(1));
                }
            }
            Some(Safeguard::MailLedger) if key.starts_with("mail/") => {
                document.insert("claimed".to_owned(), json!(0));
            }
            _ => return,
        }
        fetched.bytes = Value::Object(document).to_string().into_bytes();
    }

    /// The write as it is carried out; `None`: it is not.
    pub(super) async fn crew_replace(
        &self,
        key: &str,
        body: Vec<u8>,
        etag: Option<&str>,
    ) -> Result<ReplaceOutcome, StoreError> {
        let mut body = body;
        let (person, roster) = (key.starts_with(layout::PEOPLE), key.starts_with(layout::CREW));
        let before = self
            .port
            .current(key)
            .map(|bytes| read(&bytes))
            .unwrap_or_default();
        match self.without {
            Some(Safeguard::MailClaim) if person => {
                let mut after = read(&body);
                if !self.port.has_mailed() {
                    let known = before.get("invitation").cloned();
                    after.insert("invitation".to_owned(), known.unwrap_or_else(|| json!({})));
                }
                body = Value::Object(after).to_string().into_bytes();
            }
            Some(Safeguard::ListedFirst) if person => {
                let after = read(&body);
                let comes = teams(&after).iter().any(|team| !teams(&before).contains(team));
                if comes && !self.port.has_mailed() {
                    return Ok(ReplaceOutcome::Done { etag: String::new() });
                }
            }
            Some(Safeguard::LeavesListFirst) if person => {
                let after = teams(&read(&body));
                let username = before.get("username").and_then(Value::as_str);
                let gone = teams(&before).into_iter().find(|team| !after.contains(team));
                if let Some((username, team)) = username.zip(gone) {
                    // Whatever comes of it: the same is tried once more.
                    let _ = self.port.remove_from_group(username, &team).await;
                }
            }
            Some(Safeguard::WriteAhead) if roster => {
                let mut after = read(&body);
                let old = |member: &Value| {
                    let known = before
                        .get("members")
                        .and_then(Value::as_array)
                        .into_iter()
                        .flatten();
                    known
                        .into_iter()
                        .any(|old| old.get("person") == member.get("person"))
                };
                if let Some(members) = after.get_mut("members").and_then(Value::as_array_mut) {
                    members.retain(old);
                }
                body = Value::Object(after).to_string().into_bytes();
            }
            _ => {}
        }
        let etag = match self.without {
            Some(Safeguard::PersonUnchanged) if person => Some(ANY),
            Some(Safeguard::RosterUnchanged) if roster => Some(ANY),
            _ => etag,
        };
        self.port.replace(key, body, etag).await
    }
}

impl Directory for Ports {
    async fn create_group(&self, name: &str, description: &str) -> Result<CreateOutcome, CrewError> {
        self.port.create_group(name, description).await
    }

    async fn group(&self, name: &str) -> Result<Option<Group>, CrewError> {
        let group = self.port.group(name).await?;
        Ok(match (self.without, TeamName::new(name)) {
            (Some(Safeguard::GroupMark), Ok(team)) => group.map(|group| Group {
                description: group_description(OUTPUT, &team),
                ..group
            }),
            _ => group,
        })
    }

    async fn invite(&self, email: &str, team: &str) -> Result<InviteOutcome, CrewError> {
        match self.port.invite(email, team).await? {
            InviteOutcome::AlreadyThere if self.without == Some(Safeguard::AccountIsLock) => {
                self.port.invite_again(email, team).await
            }
            invited => Ok(invited),
        }
    }

    async fn invite_again(&self, email: &str, team: &str) -> Result<InviteOutcome, CrewError> {
        self.port.invite_again(email, team).await
    }

    async fn find(&self, email: &str) -> Result<Option<Account>, CrewError> {
        self.port.find(email).await
    }

    async fn accounts(&self) -> Result<Vec<Account>, CrewError> {
        let mut accounts = self.port.accounts().await?;
        if self.without == Some(Safeguard::Repair) {
            for account in &mut accounts {
                account.status = AccountStatus::Invited;
            }
        }
        Ok(accounts)
    }

    async fn members(&self, group: &str) -> Result<Vec<Account>, CrewError> {
        self.port.members(group).await
    }

    async fn groups_of(&self, username: &str) -> Result<Option<Vec<String>>, CrewError> {
        self.port.groups_of(username).await
    }

    async fn add_to_group(&self, username: &str, group: &str) -> Result<bool, CrewError> {
        if self.without == Some(Safeguard::JoinedLast)
            && let Some(person) = self.port.person_of(username)
        {
            let key = format!("{}{group}/{person}", layout::JOINED);
            let joined = json!({"at": self.port.date(), "username": username, "sub": username});
            // Whatever comes of it: the same is tried once more.
            let _ = Store::create(
                &self.port,
                &key,
                joined.to_string().into_bytes(),
                &BTreeMap::new(),
            )
            .await;
        }
        self.port.add_to_group(username, group).await
    }

    async fn remove_from_group(&self, username: &str, group: &str) -> Result<(), CrewError> {
        self.port.remove_from_group(username, group).await
    }

    async fn add_client_urls(&self, wanted: &ClientUrls) -> Result<bool, CrewError> {
        self.port.add_client_urls(wanted).await
    }

    async fn invitation_days(&self) -> Result<u16, CrewError> {
        self.port.invitation_days().await
    }
}

impl Workforce for Ports {
    async fn workforce(&self) -> Result<Option<WorkforceDescription>, CrewError> {
        self.port.workforce().await
    }

    async fn create_workforce(
        &self,
        name: &str,
        user_pool: &str,
        client_id: &str,
    ) -> Result<TeamChangeOutcome, CrewError> {
        self.port.create_workforce(name, user_pool, client_id).await
    }

    async fn set_networks(&self, workforce: &str, cidrs: &[String]) -> Result<TeamChangeOutcome, CrewError> {
        self.port.set_networks(workforce, cidrs).await
    }

    async fn team(&self, name: &str) -> Result<Option<WorkTeamDescription>, CrewError> {
        self.port.team(name).await
    }

    async fn create_team(
        &self,
        workforce: &str,
        team: &WorkTeam,
        owner: &str,
    ) -> Result<TeamChangeOutcome, CrewError> {
        self.port.create_team(workforce, team, owner).await
    }

    async fn team_owner(&self, arn: &str) -> Result<Option<String>, CrewError> {
        match self.without {
            Some(Safeguard::WorkTeamMark) => Ok(Some(OUTPUT.to_owned())),
            _ => self.port.team_owner(arn).await,
        }
    }

    async fn update_team(&self, team: &WorkTeam) -> Result<TeamChangeOutcome, CrewError> {
        self.port.update_team(team).await
    }
}

impl WorkTopics for Ports {
    async fn ensure_topic(&self, team: &str) -> Result<String, CrewError> {
        self.port.ensure_topic(team).await
    }

    async fn subscribers(&self, topic_arn: &str) -> Result<Vec<String>, CrewError> {
        self.port.subscribers(topic_arn).await
    }

    async fn subscribe(&self, topic_arn: &str, email: &str) -> Result<(), CrewError> {
        self.port.subscribe(topic_arn, email).await
    }

    async fn unsubscribe(&self, topic_arn: &str, email: &str) -> Result<(), CrewError> {
        self.port.unsubscribe(topic_arn, email).await
    }
}

/// Whether the store is asked about people.
pub(super) fn is_about_people(bucket: Bucket, key: &str) -> bool {
    let ours = [layout::PEOPLE, layout::CREW, "mail/"];
    bucket == Bucket::Output && ours.iter().any(|prefix| key.starts_with(prefix))
}
