//! The user pool as Cognito keeps it: accounts, groups, temporary passwords, and a sender that mails.

use std::collections::{BTreeMap, BTreeSet};

use shared::port::crew::{Account, AccountStatus};

use super::World;
use crate::crew::ADMINISTRATOR;
use crate::fault::Fault;
use crate::time::{DAY, Ms, SECOND, timestamp, whole_second};

#[derive(Clone, Debug)]
pub(crate) struct PoolAccount {
    pub(crate) username: String,
    pub(crate) email: String,
    pub(crate) status: AccountStatus,
    /// Found by this address; others may only claim to have it.
    pub(crate) verified: bool,
    pub(crate) made: Ms,
    pub(crate) modified: Ms,
    /// The temporary password is good until then.
    pub(crate) good_until: Ms,
    /// An admin made it.
    pub(crate) by_hand: bool,
}

#[derive(Default)]
pub(crate) struct Pool {
    pub(crate) accounts: Vec<PoolAccount>,
    /// User names by group.
    pub(crate) groups: BTreeMap<String, BTreeSet<String>>,
    /// Description of each group, and when it was made.
    pub(crate) described: BTreeMap<String, (String, Ms)>,
    made: u32,
    /// Days a temporary password is good.
    pub(crate) days: u16,
    pub(crate) bouncing: BTreeSet<String>,
    pub(crate) refused: BTreeSet<String>,
    pub(crate) urls: BTreeSet<String>,
    /// What the sender still sends on a day on which others send too.
    sender: BTreeMap<Ms, Option<u32>>,
}

/// How AdminCreateUser ends, as Cognito would say it.
#[derive(Clone, Debug)]
pub(crate) enum MailOutcome {
    Sent(Account),
    AlreadyThere,
    Bounced,
    NoMailLeft,
    NotTaken,
}

/// The mail quota's day: it begins at nine, as the schedule does.
pub(crate) fn day(at: Ms) -> Ms {
    at.div_euclid(DAY)
}

impl PoolAccount {
    pub(crate) fn to_account(&self) -> Account {
        Account {
            username: self.username.clone(),
            sub: self.username.clone(),
            email: self.email.clone(),
            status: self.status,
            enabled: true,
            verified: self.verified,
            modified: timestamp(whole_second(self.modified)),
        }
    }
}

impl Pool {
    pub(crate) fn by_address(&self, email: &str) -> Option<&PoolAccount> {
        let mut found = self.accounts.iter().filter(|account| account.verified);
        found.find(|account| account.email.eq_ignore_ascii_case(email))
    }

    pub(crate) fn by_address_mut(&mut self, email: &str) -> Option<&mut PoolAccount> {
        let mut found = self.accounts.iter_mut().filter(|account| account.verified);
        found.find(|account| account.email.eq_ignore_ascii_case(email))
    }

    pub(crate) fn by_name(&self, username: &str) -> Option<&PoolAccount> {
        self.accounts.iter().find(|account| account.username == username)
    }

    pub(crate) fn groups_of(&self, username: &str) -> Vec<String> {
        let groups = self.groups.iter();
        let groups = groups.filter(|(_, members)| members.contains(username));
        groups.map(|(name, _)| name.clone()).collect()
    }

    pub(crate) fn is_in(&self, group: &str, username: &str) -> bool {
        self.groups
            .get(group)
            .is_some_and(|members| members.contains(username))
    }

    pub(crate) fn make(&mut self, email: &str, status: AccountStatus, now: Ms) -> String {
        self.made += 1;
        // In no order that has anything to do with the order in which they are made.
        let username = format!(
            "{:08x}-0000-4000-8000-000000000000",
            self.made.wrapping_mul(0x9e37_79b1)
        );
        self.accounts.push(PoolAccount {
            username: username.clone(),
            email: email.to_owned(),
            status,
            verified: true,
            made: now,
            modified: now,
            good_until: now + Ms::from(self.days) * DAY,
            by_hand: false,
        });
        username
    }

    pub(crate) fn make_group(&mut self, name: &str, description: &str, now: Ms) {
        self.groups.insert(name.to_owned(), BTreeSet::new());
        self.described
            .insert(name.to_owned(), (description.to_owned(), now));
    }

    /// The account leaves its groups.
    pub(crate) fn delete(&mut self, email: &str) {
        let Some(username) = self.by_address(email).map(|gone| gone.username.clone()) else {
            return;
        };
        self.accounts.retain(|account| account.username != username);
        for members in self.groups.values_mut() {
            members.remove(&username);
        }
    }
}

impl World {
    /// A group that others made, with an administrator in it.
    pub(super) fn put_group_of_others(&mut self, name: &str) {
        let now = self.now;
        self.pool.make_group(name, "Administrators", now);
        self.truth.crew.groups_of_others.insert(name.to_owned());
        let username = match self.pool.by_address(ADMINISTRATOR) {
            Some(account) => account.username.clone(),
            None => self.pool.make(ADMINISTRATOR, AccountStatus::Confirmed, now),
        };
        self.pool
            .groups
            .entry(name.to_owned())
            .or_default()
            .insert(username);
    }

    /// Whether the sender still has a mail today.
    fn has_mail(&mut self) -> bool {
        let today = day(self.now);
        if self.faults.is_calm() {
            return true;
        }
        if !self.pool.sender.contains_key(&today) {
            let left = self.strikes(Fault::MailUsedUp).then(|| self.dice.below(3));
            self.pool.sender.insert(today, left);
        }
        self.pool
            .sender
            .get(&today)
            .is_none_or(|left| left.is_none_or(|left| left > 0))
    }

    fn mail(&mut self, of: u32, email: &str, team: &str, first: bool) -> MailOutcome {
        if let Some(Some(left)) = self.pool.sender.get_mut(&day(self.now)) {
            *left = left.saturating_sub(1);
        }
        let bounces = self.pool.bouncing.contains(&email.to_lowercase());
        let held = self.check_mail(of, email, team, first, !bounces);
        self.check(held);
        match self.pool.by_address(email) {
            Some(_) if bounces => MailOutcome::Bounced,
            Some(account) => MailOutcome::Sent(account.to_account()),
            None => MailOutcome::NotTaken,
        }
    }

    /// AdminCreateUser.
    pub(super) fn create_user(&mut self, of: u32, email: &str, team: &str) -> MailOutcome {
        if self.pool.by_address(email).is_some() {
            return MailOutcome::AlreadyThere;
        }
        if self.pool.refused.contains(&email.to_lowercase()) {
            return MailOutcome::NotTaken;
        }
        let mail = self.has_mail();
        if !mail && !self.strikes(Fault::MadeWithoutMail) {
            return MailOutcome::NoMailLeft;
        }
        self.writes += 1;
        let now = self.now;
        self.pool.make(email, AccountStatus::Invited, now);
        match mail {
            true => self.mail(of, email, team, true),
            false => {
                let made = self
                    .pool
                    .by_address(email)
                    .map(|account| account.username.clone());
                self.truth.crew.made_without_mail.extend(made);
                MailOutcome::NoMailLeft
            }
        }
    }

    /// AdminCreateUser with RESEND.
    pub(super) fn create_user_again(&mut self, of: u32, email: &str, team: &str) -> MailOutcome {
        let now = self.now;
        let until = now + Ms::from(self.pool.days) * DAY;
        match self.pool.by_address(email).map(|account| account.status) {
            None => return MailOutcome::NotTaken,
            Some(AccountStatus::Invited) => {}
            Some(_) => return MailOutcome::AlreadyThere,
        }
        if !self.has_mail() {
            return MailOutcome::NoMailLeft;
        }
        self.writes += 1;
        if let Some(account) = self.pool.by_address_mut(email) {
            account.modified = now;
            account.good_until = until;
        }
        self.mail(of, email, team, false)
    }

    /// ListUsers, in no order; what was just made may be missing.
    pub(super) fn list_users(&mut self) -> Vec<Account> {
        let lags = self.strikes(Fault::ListLags);
        let young = self.now - 60 * SECOND;
        let shown = self.pool.accounts.iter();
        let shown = shown.filter(|account| !lags || account.made < young);
        let mut shown: Vec<Account> = shown.map(PoolAccount::to_account).collect();
        shown.sort_by(|a, b| a.username.cmp(&b.username));
        shown
    }

    /// `None`: no such group. `Some(false)`: no such account.
    pub(super) fn put_into_group(&mut self, of: u32, username: &str, group: &str) -> Option<bool> {
        if self.pool.by_name(username).is_none() {
            return Some(false);
        }
        let members = self.pool.groups.get_mut(group)?;
        if members.insert(username.to_owned()) {
            self.writes += 1;
            let held = self.put_in(of, username, group);
            self.check(held);
        }
        Some(true)
    }

    pub(super) fn take_out_of_group(&mut self, of: u32, username: &str, group: &str) {
        let members = self.pool.groups.get_mut(group);
        if members.is_some_and(|members| members.remove(username)) {
            self.writes += 1;
            let held = self.taken_out(of, username, group);
            self.check(held);
        }
    }
}
