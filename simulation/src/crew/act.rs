//! What admins and people do, as it happens.

use shared::port::crew::AccountStatus;

use super::Version;
use super::sign_in::{SignIn, Who};
use crate::fault::Fault;
use crate::function::Function;
use crate::queue::team_dropped;
use crate::time::HOUR;
use crate::world::World;

/// One thing a person does.
#[derive(Clone, Debug)]
pub(crate) enum CrewAct {
    File(Version),
    /// A file in `teams/` whose name no team can have.
    Misnamed,
    /// The person tries to sign in, for the first time or again.
    SignIn {
        email: String,
    },
    /// By themselves, without having been invited.
    SignUp {
        email: String,
    },
    /// Shows that the address they signed up with is theirs.
    Confirm {
        email: String,
    },
    /// An admin makes the account; Cognito mails.
    Make {
        email: String,
        confirmed: bool,
    },
    DeleteAccount {
        email: String,
    },
    TakeOut {
        email: String,
        group: String,
    },
    DeleteGroup {
        group: String,
    },
    /// A stranger gives their own account this address, without showing that it is theirs, and signs in.
    Pretend {
        email: String,
    },
    /// A sign-in to another stack's pool.
    OtherPool {
        email: String,
    },
}

pub(crate) const MISNAMED: &str = "teams/my team.yaml";

impl World {
    pub(crate) fn crew_act(&mut self, act: CrewAct) {
        self.note(|| format!("  {act:?}"));
        match act {
            CrewAct::File(version) => self.drop_team(&version),
            CrewAct::Misnamed => self.drop_team_file(MISNAMED, "workers: []\n"),
            CrewAct::SignIn { email } => self.sign_in(&email),
            CrewAct::SignUp { email } => {
                if self.pool.by_address(&email).is_none() {
                    let now = self.now;
                    self.pool.make(&email, AccountStatus::Unconfirmed, now);
                }
            }
            CrewAct::Confirm { email } => self.confirm(&email),
            CrewAct::Make { email, confirmed } => self.make_account(&email, confirmed),
            CrewAct::DeleteAccount { email } => {
                self.truth.crew.account_deleted(&email);
                self.pool.delete(&email);
            }
            CrewAct::TakeOut { email, group } => {
                let username = self
                    .pool
                    .by_address(&email)
                    .map(|account| account.username.clone());
                if let (Some(members), Some(username)) = (self.pool.groups.get_mut(&group), username) {
                    members.remove(&username);
                    self.truth.crew.disturbed.insert(group);
                }
            }
            CrewAct::DeleteGroup { group } => {
                if self.pool.groups.remove(&group).is_some() {
                    self.truth.crew.disturbed.insert(group);
                }
            }
            CrewAct::Pretend { email } => self.pretend(&email),
            CrewAct::OtherPool { email } => {
                let who = Who {
                    username: "of-others".to_owned(),
                    email,
                    verified: true,
                    groups: Vec::new(),
                };
                self.triggers.push(SignIn::of_another_pool(who));
            }
        }
    }

    pub(crate) fn drop_team(&mut self, version: &Version) {
        let (key, text) = (version.key(), version.text());
        self.drop_team_file(&key, &text);
        let etag = self.input.get(&key).map(|stored| stored.etag.clone());
        self.truth
            .crew
            .record_drop(version, etag.unwrap_or_default(), &text);
    }

    fn drop_team_file(&mut self, key: &str, text: &str) {
        let now = self.now;
        self.input
            .put(key, text.as_bytes().to_vec(), Default::default(), now);
        self.send(Function::SyncTeam, &team_dropped(key, now));
    }

    fn make_account(&mut self, email: &str, confirmed: bool) {
        if self.pool.by_address(email).is_some() {
            return;
        }
        let now = self.now;
        let status = match confirmed {
            true => AccountStatus::Confirmed,
            false => AccountStatus::Invited,
        };
        self.pool.make(email, status, now);
        if let Some(account) = self.pool.by_address_mut(email) {
            account.by_hand = true;
        }
    }

    fn confirm(&mut self, email: &str) {
        let now = self.now;
        let Some(account) = self.pool.by_address_mut(email) else {
            return;
        };
        if account.status != AccountStatus::Unconfirmed {
            return;
        }
        account.status = AccountStatus::Confirmed;
        account.modified = now;
        let who = Who::of(account, Vec::new());
        self.trigger(SignIn::post_confirmation(who));
    }

    /// A first sign-in needs a temporary password that is still good.
    pub(crate) fn sign_in(&mut self, email: &str) {
        let now = self.now;
        let Some(account) = self.pool.by_address_mut(email) else {
            return;
        };
        let first = match account.status {
            AccountStatus::Unconfirmed => return,
            AccountStatus::Invited if account.good_until < now => return,
            AccountStatus::Invited => true,
            AccountStatus::Confirmed => false,
        };
        if first {
            account.status = AccountStatus::Confirmed;
            account.modified = now;
        }
        let account = account.clone();
        let groups = self.pool.groups_of(&account.username);
        self.trigger(SignIn::token(Who::of(&account, groups), first));
    }

    fn trigger(&mut self, sign_in: SignIn) {
        match self.strikes(Fault::TriggerLost) {
            true => self.note(|| "  the trigger is not called".to_owned()),
            false => self.triggers.push(sign_in),
        }
    }

    /// An account of their own, made at first.
    fn pretend(&mut self, email: &str) {
        let now = self.now - HOUR;
        let theirs = self.pool.accounts.iter().find(|account| !account.verified);
        let username = match theirs {
            Some(account) => account.username.clone(),
            None => {
                let username = self.pool.make(email, AccountStatus::Confirmed, now);
                if let Some(account) = self.pool.accounts.last_mut() {
                    account.verified = false;
                }
                username
            }
        };
        let who = Who {
            groups: self.pool.groups_of(&username),
            username,
            email: email.to_owned(),
            verified: false,
        };
        self.trigger(SignIn::token(who, false));
    }
}
