//! Mails: how many, how soon after each other, and how many a day.

use super::super::{CheckResult, Promise, hold};
use super::CrewTruth;
use crate::time::{MINUTE, Ms};
use crate::world::World;
use crate::world::pool::day;

/// An invitation that Cognito sent.
#[derive(Clone, Debug)]
pub(super) struct Mail {
    at: Ms,
    of: u32,
    /// Lower-cased.
    pub(super) email: String,
    pub(super) username: String,
    /// It did not come back.
    delivered: bool,
    /// The invocation that asked for it, or one that asked at the same time, never got the answer.
    unsure: bool,
}

/// A mail may be under way for so long after it was written down.
const UNDER_WAY: Ms = 15 * MINUTE;

impl CrewTruth {
    /// How often an admin has asked for this person to be invited: by putting them into a file, or by deleting their
    /// account.
    fn invitation_requests(&self, email: &str) -> u32 {
        let entries = |team: &String| {
            let mut before = false;
            let mut entries = 0;
            for file in self.usable(team) {
                let named = file.people.contains(email);
                entries += u32::from(named && !before);
                before = named;
            }
            entries
        };
        let asked: u32 = self.files.keys().map(entries).sum();
        asked + self.deleted.get(email).copied().unwrap_or(0)
    }

    /// Mails of today, but for those of invocations that have been under way since yesterday.
    pub(super) fn mails_today(&self, now: Ms, begun: impl Fn(u32) -> Ms) -> u32 {
        let today = self.mails.iter().filter(|mail| day(mail.at) == day(now));
        let today = today.filter(|mail| day(begun(mail.of)) == day(now));
        u32::try_from(today.count()).unwrap_or(u32::MAX)
    }

    pub(crate) fn has_mailed(&self, of: u32) -> bool {
        self.mails.iter().any(|mail| mail.of == of)
    }

    pub(super) fn was_mailed(&self, username: &str) -> bool {
        self.mails.iter().any(|mail| mail.username == username)
    }

    fn within_budget(&self, now: Ms, begun: impl Fn(u32) -> Ms) -> CheckResult {
        let today = self.mails_today(now, begun);
        let within = self.mails_a_day.is_none_or(|most| today <= most);
        hold(within, Promise::MailWithinBudget, || {
            format!("{today} mails in a day of {:?}", self.mails_a_day)
        })
    }

    fn invited_once(&self, mail: &Mail) -> CheckResult {
        let email = &mail.email;
        let before = self.mails.iter().filter(|before| before.email == *email);
        let count = before.clone().count() + 1;
        let most = self.invitations * self.invitation_requests(email);
        hold(count <= most as usize, Promise::InvitedOnce, || {
            format!(
                "#{} sends mail {count} to {email}, and {most} are the most",
                mail.of
            )
        })?;
        let last = before.rev().find(|before| before.username == mail.username);
        let soon = last
            .filter(|last| last.delivered && !last.unsure && mail.at < last.at + self.life / 2 - UNDER_WAY);
        hold(soon.is_none(), Promise::InvitedOnce, || {
            format!(
                "#{} mails {email} again while a good invitation is there: {soon:?}",
                mail.of
            )
        })
    }
}

impl World {
    /// Cognito sends a mail.
    pub(crate) fn check_mail(
        &mut self,
        of: u32,
        email: &str,
        team: &str,
        first: bool,
        delivered: bool,
    ) -> CheckResult {
        let email = email.to_lowercase();
        let username = self
            .pool
            .by_address(&email)
            .map(|account| account.username.clone());
        let mail = Mail {
            at: self.now,
            of,
            email,
            username: username.unwrap_or_default(),
            delivered,
            unsure: false,
        };
        self.note(|| format!("  a mail to {}, the first: {first}", mail.email));
        hold(
            self.truth.crew.ever_named(team, &mail.email),
            Promise::MemberTrue,
            || {
                format!(
                    "#{of} invites {} into {team}, whose file never named them",
                    mail.email
                )
            },
        )?;
        self.is_listed(of, team, &mail.email)?;
        self.truth.crew.invited_once(&mail)?;
        self.truth.crew.mails.push(mail);
        let begun = &self.truth.begun;
        let begun = |of| begun.get(&of).copied().unwrap_or_default();
        self.truth.crew.within_budget(self.now, begun)
    }

    /// The answer of the call was lost. Another invocation that tries the same at that time cannot know whose mail went.
    pub(crate) fn answer_lost(&mut self, of: u32, about: &str) {
        self.truth.crew.trouble(of);
        let mut mails = self.truth.crew.mails.iter_mut().rev();
        if let Some(last) = mails.find(|mail| mail.email.eq_ignore_ascii_case(about))
            && (last.of == of || self.now < last.at + UNDER_WAY)
        {
            last.unsure = true;
        }
    }
}
