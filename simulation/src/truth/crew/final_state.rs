//! What must hold in the end of a schedule about people.

use std::collections::BTreeMap;

use serde_json::Value;
use shared::crew::Person;
use shared::layout;
use shared::port::crew::AccountStatus;

use super::super::{CheckResult, Promise, hold};
use super::{File, document, layout_roster, members, text};
use crate::time::Ms;
use crate::world::World;
use crate::world::pool::PoolAccount;

/// A team as its roster shows it.
struct TeamView<'a> {
    team: &'a str,
    roster: Value,
    members: BTreeMap<String, String>,
}

impl World {
    pub(crate) fn check_final_crew_state(&self) -> CheckResult {
        for (team, files) in &self.truth.crew.files {
            if let Some(file) = files.last() {
                self.team_closing(team, file)?;
            }
        }
        self.no_digest_is_owed()?;
        self.check_others_announced()
    }

    fn team_closing(&self, team: &str, file: &File) -> CheckResult {
        let roster = document(self.output.get(&layout_roster(team)));
        hold(
            text(&roster, "file_etag") == Some(file.etag.as_str()),
            Promise::RosterTrue,
            || format!("the roster of {team} is not of its file {}", file.etag),
        )?;
        let shown = TeamView {
            team,
            members: members(&roster),
            roster,
        };
        if file.broken {
            return hold(
                self.is_announced(team, &file.sha256),
                Promise::EveryoneServed,
                || format!("it was not announced that the file of {team} cannot be used"),
            );
        }
        hold(
            !file.bad_entries || self.is_announced(team, "/addresses/"),
            Promise::EveryoneServed,
            || format!("no notice names the bad addresses of {team}"),
        )?;
        for (person, state) in &shown.members {
            let email = self.truth.crew.people.get(person).cloned().unwrap_or_default();
            if !file.people.contains(&email) {
                self.is_out(&shown, &email, state)?;
            }
        }
        if self.truth.crew.is_taken(team) {
            return hold(
                self.is_announced(team, "/refused/"),
                Promise::EveryoneServed,
                || format!("it was not announced that others have the name of {team}"),
            );
        }
        if !self.crowd.teams.contains_key(team) {
            let full = self.crowd.teams.len() >= self.crowd.room;
            return hold(
                full && self.is_announced(team, "/refused/"),
                Promise::EveryoneServed,
                || format!("{team} has no work team, full: {full}, or it was not announced"),
            );
        }
        file.people
            .iter()
            .try_for_each(|email| self.is_served(&shown, email))
    }

    fn is_announced(&self, team: &str, part: &str) -> bool {
        let mut announced = self.truth.crew.announced.iter();
        announced.any(|(about, id)| about == team && id.contains(part))
    }

    fn is_out(&self, shown: &TeamView<'_>, email: &str, state: &str) -> CheckResult {
        let account = self.pool.by_address(email);
        let is_in = account.is_some_and(|account| self.pool.is_in(shown.team, &account.username));
        hold(!is_in && state == "left", Promise::MemberTrue, || {
            format!(
                "{email} was taken out of {}, is {state}, in its group: {is_in}",
                shown.team
            )
        })
    }

    fn is_served(&self, shown: &TeamView<'_>, email: &str) -> CheckResult {
        let person = layout::person_id(email);
        let state = shown.members.get(&person).map_or("missing", String::as_str);
        let account = self.pool.by_address(email);
        let fine = match account.map(|account| account.status) {
            _ if state == "waiting" => return self.waits_for_mail(shown, email),
            None => state == "unreachable" && self.may_be_missing(email),
            // A person who signs up again after their account was deleted is still invited until they show the address.
            Some(AccountStatus::Unconfirmed) => {
                state == "unreachable" || self.truth.crew.deleted.contains_key(email)
            }
            Some(AccountStatus::Confirmed) => return self.has_joined(shown, email, state),
            Some(AccountStatus::Invited) => match state {
                "invited" => self.was_mailed(&person, account),
                // For another team they may have been invited since, or later than was written down.
                "expired" => {
                    let sure = self.truth.crew.troubled.is_empty() && !self.is_on_two_lists(email);
                    !sure || account.is_some_and(|account| account.good_until <= self.now)
                }
                "unreachable" => self.pool.bouncing.contains(email) || self.may_be_missing(email),
                _ => false,
            },
        };
        hold(fine, Promise::EveryoneServed, || {
            format!(
                "{email} of {} is {state}, and the account {account:?}",
                shown.team
            )
        })
    }

    fn is_on_two_lists(&self, email: &str) -> bool {
        let files = self.truth.crew.files.values().filter_map(|files| files.last());
        files.filter(|file| file.people.contains(email)).count() > 1
    }

    fn may_be_missing(&self, email: &str) -> bool {
        self.pool.refused.contains(email) || self.truth.crew.deleted.contains_key(email)
    }

    /// Where nothing went wrong around it: what is written down and not sent counts as sent until it would run out. So does
    /// an account that another invocation met while the one that made it heard that no mail is left: `person` says that none went.
    fn was_mailed(&self, person: &str, account: Option<&PoolAccount>) -> bool {
        let known = self.output.get(&layout::person(person));
        let known = known.and_then(|stored| serde_json::from_slice::<Person>(&stored.bytes).ok());
        let none_went = known.is_some_and(|person| person.invitation.sent.is_none());
        let crew = &self.truth.crew;
        if none_went && account.is_some_and(|account| crew.made_without_mail.contains(&account.username)) {
            return true;
        }
        let by_hand = account.is_some_and(|account| account.by_hand);
        by_hand
            || !crew.troubled.is_empty()
            || account.is_some_and(|account| crew.was_mailed(&account.username))
    }

    fn waits_for_mail(&self, shown: &TeamView<'_>, email: &str) -> CheckResult {
        let crew = &self.truth.crew;
        let begun = |of| self.truth.begun.get(&of).copied().unwrap_or_default();
        let sent = crew.mails_today(self.now, begun);
        hold(
            crew.mails_a_day.is_some_and(|most| sent >= most),
            Promise::EveryoneServed,
            || {
                format!(
                    "{email} of {} waits, and {sent} mails of {:?} went out today",
                    shown.team, crew.mails_a_day
                )
            },
        )
    }

    fn has_joined(&self, shown: &TeamView<'_>, email: &str, state: &str) -> CheckResult {
        let (team, person) = (shown.team, layout::person_id(email));
        let account = self.pool.by_address(email);
        let is_in = account.is_some_and(|account| self.pool.is_in(team, &account.username));
        hold(is_in && state == "joined", Promise::RosterTrue, || {
            format!("{email} has a password, is {state} in {team}, in its group: {is_in}")
        })?;
        hold(self.is_announced(team, &person), Promise::JoinedAnnounced, || {
            format!("it was not announced that {email} has joined {team}")
        })?;
        let topic = text(&shown.roster, "topic_arn");
        let people = topic.map(|arn| self.crowd.topics.get(arn));
        let subscribed = people.is_none_or(|people| people.is_some_and(|people| people.contains_key(email)));
        hold(subscribed, Promise::JoinedAnnounced, || {
            format!("{email} has joined {team} and hears of no work")
        })
    }

    /// Those on no list, and files that are no team's.
    fn check_others_announced(&self) -> CheckResult {
        let announced = |part: &str| self.truth.announced.keys().any(|id| id.starts_with(part));
        hold(
            self.input.get(crate::crew::MISNAMED).is_none() || announced("teams/misnamed/"),
            Promise::EveryoneServed,
            || "no notice names a file whose name no team can have".to_owned(),
        )?;
        let stranger = self.pool.by_address(crate::crew::STRANGER);
        // While a team's file cannot be used, no one is called a stranger: they may be in it.
        let sure = self
            .truth
            .crew
            .files
            .keys()
            .all(|team| self.truth.crew.is_usable(team));
        let there = stranger.is_some_and(|account| account.status == AccountStatus::Confirmed);
        hold(
            !there || !sure || announced("unlisted/"),
            Promise::JoinedAnnounced,
            || "no notice names the person on no list".to_owned(),
        )
    }

    /// Whether anyone still waits for the next day's mail.
    pub(crate) fn has_people_waiting(&self) -> bool {
        self.truth.crew.files.keys().any(|team| {
            let roster = members(&document(self.output.get(&layout_roster(team))));
            let crew = &self.truth.crew;
            let made = self.crowd.teams.contains_key(team) && crew.is_usable(team) && !crew.is_taken(team);
            made && roster.values().any(|state| state == "waiting")
        })
    }

    /// People who could sign in for the first time.
    pub(crate) fn invited_people(&self, now: Ms) -> Vec<String> {
        let accounts = self.pool.accounts.iter();
        let invited = accounts.filter(|account| {
            account.verified && account.status == AccountStatus::Invited && account.good_until > now
        });
        invited.map(|account| account.email.clone()).collect()
    }
}
