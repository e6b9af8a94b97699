//! What is true of people and teams, kept apart from what the functions believe.

mod final_state;
mod list;
mod mail;
mod member;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use shared::layout;
use shared::port::NoticeMessage;
use shared::spec::Spec;

use super::{CheckResult, Promise, hold};
use crate::crew::{CrewPlan, Version};
use crate::time::{DAY, Ms};
use crate::world::World;
use crate::world::objects::StoredVersion;
use list::Listing;
use mail::Mail;

#[derive(Default)]
pub(crate) struct CrewTruth {
    mails_a_day: Option<u32>,
    /// MAX_INVITATIONS.
    invitations: u32,
    /// How long a temporary password is good.
    life: Ms,
    /// Every version of a team's file that ever lay there.
    files: BTreeMap<String, Vec<File>>,
    /// Address by the person's id.
    people: BTreeMap<String, String>,
    /// What `people/` says, by team and person.
    lists: BTreeMap<(String, String), Listing>,
    mails: Vec<Mail>,
    /// Invocations that were not answered as they should have been.
    troubled: BTreeSet<u32>,
    /// User names of accounts that Cognito made when no mail was left.
    pub(crate) made_without_mail: BTreeSet<String>,
    /// Groups that an admin changed by hand.
    pub(crate) disturbed: BTreeSet<String>,
    /// How often an admin deleted the account of this address.
    deleted: BTreeMap<String, u32>,
    /// Groups and the user names the functions put into them.
    ever_in: BTreeSet<(String, String)>,
    /// Since when the roster calls the person invited or joined, by team and person.
    called: BTreeMap<(String, String), Ms>,
    /// Groups, and work teams, that others made.
    pub(crate) groups_of_others: BTreeSet<String>,
    pub(crate) teams_of_others: BTreeSet<String>,
    /// Notices about each team: team and id.
    announced: BTreeSet<(String, String)>,
}

/// A version of a team's file.
struct File {
    etag: String,
    sha256: String,
    /// Lower-cased.
    people: BTreeSet<String>,
    bad_entries: bool,
    broken: bool,
}

impl CrewTruth {
    pub(crate) fn set_limits(&mut self, plan: &CrewPlan) {
        self.mails_a_day = plan.mails_a_day;
        self.invitations = plan.invitations;
        self.life = Ms::from(plan.days) * DAY;
    }

    pub(crate) fn record_drop(&mut self, version: &Version, etag: String, text: &str) {
        let people: BTreeSet<String> = version.people.iter().map(|email| email.to_lowercase()).collect();
        for email in &people {
            self.people.insert(layout::person_id(email), email.clone());
        }
        let file = File {
            etag,
            sha256: Spec::sha256(text.as_bytes()),
            people: if version.broken { BTreeSet::new() } else { people },
            bad_entries: version.bad_entries,
            broken: version.broken,
        };
        self.files.entry(version.team.to_owned()).or_default().push(file);
    }

    pub(crate) fn account_deleted(&mut self, email: &str) {
        *self.deleted.entry(email.to_lowercase()).or_default() += 1;
    }

    /// A call of this invocation failed, or its answer was lost.
    pub(crate) fn trouble(&mut self, of: u32) {
        self.troubled.insert(of);
    }

    pub(crate) fn is_troubled(&self, of: u32) -> bool {
        self.troubled.contains(&of)
    }

    /// Versions that can be used.
    fn usable(&self, team: &str) -> impl Iterator<Item = &File> {
        let files = self.files.get(team).into_iter().flatten();
        files.filter(|file| !file.broken)
    }

    fn ever_named(&self, team: &str, email: &str) -> bool {
        self.usable(team).any(|file| file.people.contains(email))
    }

    fn always_named(&self, team: &str, email: &str) -> bool {
        self.usable(team).all(|file| file.people.contains(email))
    }

    /// Whether the last file of the team can be used.
    pub(crate) fn is_usable(&self, team: &str) -> bool {
        let last = self.files.get(team).and_then(|files| files.last());
        last.is_some_and(|file| !file.broken)
    }

    /// Who is in the last file that could be used.
    pub(crate) fn last_people(&self, team: &str) -> Vec<String> {
        let last = self.usable(team).last();
        last.map(|file| file.people.iter().cloned().collect())
            .unwrap_or_default()
    }

    /// Whether something of others has the team's name: nothing is made, and no one is invited.
    pub(crate) fn is_taken(&self, team: &str) -> bool {
        self.groups_of_others.contains(team) || self.teams_of_others.contains(team)
    }

    pub(crate) fn has_limit(&self) -> bool {
        self.mails_a_day.is_some()
    }

    pub(crate) fn mails(&self) -> u64 {
        self.mails.len() as u64
    }
}

/// A JSON document's text under a name.
fn text<'a>(document: &'a Value, name: &str) -> Option<&'a str> {
    document.get(name)?.as_str()
}

fn document(stored: Option<&StoredVersion>) -> Value {
    let read = stored.and_then(|stored| serde_json::from_slice(&stored.bytes).ok());
    read.unwrap_or_default()
}

/// State by person.
fn members(roster: &Value) -> BTreeMap<String, String> {
    let members = roster.get("members").and_then(Value::as_array);
    let members = members.into_iter().flatten();
    members
        .filter_map(|member| {
            Some((
                text(member, "person")?.to_owned(),
                text(member, "state")?.to_owned(),
            ))
        })
        .collect()
}

impl CrewTruth {
    /// This notice about the team was published.
    pub(in crate::truth) fn record_notice(&mut self, team: String, id: String) {
        self.announced.insert((team, id));
    }
}

impl World {
    /// Something about people was written to the output bucket; `before` is what lay there.
    pub(in crate::truth) fn crew_written(
        &mut self,
        of: u32,
        key: &str,
        before: Option<&StoredVersion>,
    ) -> CheckResult {
        if let Some(person) = key.strip_prefix(layout::PEOPLE) {
            return self.person_written(of, person, before);
        }
        if let Some(team) = key.strip_prefix(layout::CREW) {
            return self.roster_written(of, team.trim_end_matches(".json"), before);
        }
        match key.strip_prefix(layout::JOINED) {
            Some(marker) => self.marker_written(of, marker),
            None => Ok(()),
        }
    }

    fn roster_written(&mut self, of: u32, team: &str, before: Option<&StoredVersion>) -> CheckResult {
        let before = members(&document(before));
        let after = members(&document(self.output.get(&layout_roster(team))));
        let forgotten = before.keys().find(|person| !after.contains_key(*person));
        hold(forgotten.is_none(), Promise::RosterTrue, || {
            format!("#{of} wrote a roster of {team} that forgets {forgotten:?}")
        })?;
        let now = self.now;
        for (person, state) in after {
            let key = (team.to_owned(), person);
            if matches!(state.as_str(), "invited" | "joined") {
                self.truth.crew.called.entry(key).or_insert(now);
            } else {
                self.truth.crew.called.remove(&key);
            }
        }
        Ok(())
    }

    /// `joined/<team>/<person>`: a marker stands for a person who was put into the group.
    fn marker_written(&mut self, of: u32, marker: &str) -> CheckResult {
        let written = document(self.output.get(&format!("{}{marker}", layout::JOINED)));
        let username = text(&written, "username").unwrap_or_default().to_owned();
        let Some((team, _)) = marker.split_once('/').filter(|(team, _)| *team != "_unlisted") else {
            return Ok(());
        };
        let put_in = self.truth.crew.ever_in.contains(&(team.to_owned(), username));
        hold(
            put_in || self.is_in_by_hand(team, &written),
            Promise::JoinedTrue,
            || format!("#{of} says that a person has joined {team} who was not put into the group"),
        )
    }

    fn is_in_by_hand(&self, team: &str, marker: &Value) -> bool {
        self.pool
            .is_in(team, text(marker, "username").unwrap_or_default())
    }

    pub(in crate::truth) fn check_crew_notice(&mut self, of: u32, message: &NoticeMessage) -> CheckResult {
        let attribute = |name: &str| message.attributes.get(name).cloned().unwrap_or_default();
        let (id, team) = (attribute("id"), attribute("team"));
        if id.starts_with("joined/") {
            let person = id.rsplit('/').next().unwrap_or_default();
            let marker = format!("{}{team}/{person}", layout::JOINED);
            hold(self.output.get(&marker).is_some(), Promise::JoinedTrue, || {
                format!("#{of} announced {id}, and there is no marker")
            })?;
        }
        self.truth.crew.record_notice(team, id);
        Ok(())
    }
}

fn layout_roster(team: &str) -> String {
    format!("{}{team}.json", layout::CREW)
}
