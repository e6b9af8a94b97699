//! A user pool in memory, with Cognito's rules: addresses whatever their case, one account each, a day's mail, rates.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use shared::port::CreateOutcome;
use shared::port::crew::{Account, AccountStatus, ClientUrls, CrewError, Directory, Group, InviteOutcome};
use tokio::time::Instant;

use super::faults::{Faults, throttling_error};
use aws::pace::{Category, Pace};

/// A user pool whose people sign in with their e-mail addresses.
#[derive(Clone)]
pub struct FakeDirectory {
    pub faults: Faults,
    state: Arc<Mutex<State>>,
    clock: Option<Arc<Mutex<Clock>>>,
}

/// Asks at the adapter's own pace, and moves only when that says to wait.
struct Clock {
    pace: Pace,
    begun: Instant,
    now: Instant,
    recent: BTreeMap<Category, VecDeque<Instant>>,
    throttled: usize,
}

/// An invitation that went out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentInvitation {
    /// Lower case.
    pub email: String,
    /// ClientMetadata, for the invitation's words.
    pub team: String,
    /// RESEND.
    pub again: bool,
}

#[derive(Default)]
struct State {
    /// By lower-cased address.
    accounts: BTreeMap<String, Account>,
    made: u64,
    groups: BTreeMap<String, BTreeSet<String>>,
    /// What is known of each group.
    described: BTreeMap<String, Group>,
    mailed: Vec<SentInvitation>,
    mail_left: Option<usize>,
    made_without_mail: bool,
    bouncing: BTreeSet<String>,
    invalid: BTreeSet<String>,
    urls: ClientUrls,
    days: u16,
    now: Timestamp,
}

impl Default for FakeDirectory {
    fn default() -> Self {
        let state = State {
            days: 7,
            ..State::default()
        };
        Self {
            faults: Faults::default(),
            state: Arc::new(Mutex::new(state)),
            clock: None,
        }
    }
}

impl FakeDirectory {
    /// Is asked at the adapter's own pace, and refuses what goes beyond Cognito's rates. No call really waits: the time
    /// it would take is counted in [`FakeDirectory::time_waited`].
    pub fn with_pace() -> Self {
        let now = Instant::now();
        let clock = Clock {
            pace: Pace::default(),
            begun: now,
            now,
            recent: BTreeMap::new(),
            throttled: 0,
        };
        Self {
            clock: Some(Arc::new(Mutex::new(clock))),
            ..Self::default()
        }
    }

    fn clock(&self) -> Option<MutexGuard<'_, Clock>> {
        let clock = self.clock.as_ref()?;
        Some(clock.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// How long the pace has made callers wait, if they all wait for each other.
    pub fn time_waited(&self) -> Duration {
        self.clock()
            .map_or(Duration::ZERO, |clock| clock.now - clock.begun)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What `modified` says of accounts changed from now on.
    pub fn set_now(&self, now: Timestamp) {
        self.state().now = now;
    }

    /// Only so many mails, until this is called again (a new day).
    pub fn mail_left(&self, mails: usize) {
        self.state().mail_left = Some(mails);
    }

    /// Without mail left the account is made all the same, and the answer is an error.
    pub fn make_accounts_without_mail(&self) {
        self.state().made_without_mail = true;
    }

    /// Mail to this address comes back. The account is made.
    pub fn bounce(&self, email: &str) {
        self.state().bouncing.insert(email.to_lowercase());
    }

    /// Cognito does not take this for an address.
    pub fn refuse(&self, email: &str) {
        self.state().invalid.insert(email.to_lowercase());
    }

    /// An account that is there already.
    pub fn put_account(&self, email: &str, status: AccountStatus) -> Account {
        let mut state = self.state();
        let account = state.make(email);
        let account = Account { status, ..account };
        state.accounts.insert(email.to_lowercase(), account.clone());
        account
    }

    /// An account with this address without showing that it is theirs.
    pub fn put_unverified(&self, email: &str) {
        self.put_account(email, AccountStatus::Confirmed);
        if let Some(account) = self.state().accounts.get_mut(&email.to_lowercase()) {
            account.verified = false;
        }
    }

    /// The person sets a password.
    pub fn confirm(&self, email: &str) {
        let mut state = self.state();
        let now = state.now;
        if let Some(account) = state.accounts.get_mut(&email.to_lowercase()) {
            account.status = AccountStatus::Confirmed;
            account.modified = now;
        }
    }

    pub fn account(&self, email: &str) -> Option<Account> {
        self.state().accounts.get(&email.to_lowercase()).cloned()
    }

    /// A person deletes the account; it leaves its groups.
    pub fn remove_account(&self, email: &str) {
        let mut state = self.state();
        if let Some(gone) = state.accounts.remove(&email.to_lowercase()) {
            for members in state.groups.values_mut() {
                members.remove(&gone.username);
            }
        }
    }

    /// A group that is there already.
    pub fn put_group(&self, name: &str) {
        self.put_described_group(name, "Made by hand");
    }

    pub fn put_described_group(&self, name: &str, description: &str) {
        self.state().make_group(name, description);
    }

    /// A person deletes the group.
    pub fn remove_group(&self, name: &str) {
        let mut state = self.state();
        state.groups.remove(name);
        state.described.remove(name);
    }

    /// A person changes the group's description.
    pub fn describe_group(&self, name: &str, description: &str) {
        if let Some(group) = self.state().described.get_mut(name) {
            description.clone_into(&mut group.description);
        }
    }

    /// Puts an account into a group past every rule.
    pub fn put_member(&self, group: &str, email: &str) {
        let mut state = self.state();
        let username = state
            .accounts
            .get(&email.to_lowercase())
            .map(|a| a.username.clone());
        state.make_group(group, "Made by hand");
        let members = state.groups.entry(group.to_owned()).or_default();
        members.extend(username);
    }

    /// Names of the groups this address is in.
    pub fn groups_of(&self, email: &str) -> Vec<String> {
        let state = self.state();
        let Some(account) = state.accounts.get(&email.to_lowercase()) else {
            return Vec::new();
        };
        state.groups_of(&account.username)
    }

    pub fn groups(&self) -> Vec<String> {
        self.state().groups.keys().cloned().collect()
    }

    /// Invitations that went out, in order; what bounced is not among them.
    pub fn invitations(&self) -> Vec<SentInvitation> {
        self.state().mailed.clone()
    }

    pub fn urls(&self) -> ClientUrls {
        self.state().urls.clone()
    }

    pub fn put_urls(&self, urls: ClientUrls) {
        self.state().urls = urls;
    }

    /// Days a temporary password is good; 7 unless said.
    pub fn set_invitation_days(&self, days: u16) {
        self.state().days = days;
    }

    /// Calls refused for going beyond a rate.
    pub fn throttled_calls(&self) -> usize {
        self.clock().map_or(0, |clock| clock.throttled)
    }

    async fn call<T: Send>(
        &self,
        (operation, category): (&'static str, Category),
        about: &str,
        effect: impl FnOnce(&mut State) -> T + Send,
    ) -> Result<T, CrewError> {
        if self.clock().is_some_and(|mut clock| clock.refuses(category)) {
            return Err(throttling_error(operation));
        }
        let fault = self.faults.before(operation, about).await?;
        let done = effect(&mut self.state());
        Faults::after(operation, fault).await?;
        Ok(done)
    }
}

impl State {
    /// What is there stays as it is. No two are made at the same time.
    fn make_group(&mut self, name: &str, description: &str) {
        self.made += 1;
        let moment = i64::try_from(self.made).unwrap_or_default();
        let created = self.now + jiff::SignedDuration::from_millis(moment);
        let group = Group {
            description: description.to_owned(),
            created,
        };
        self.groups.entry(name.to_owned()).or_default();
        self.described.entry(name.to_owned()).or_insert(group);
    }

    fn make(&mut self, email: &str) -> Account {
        self.made += 1;
        let name = format!("5ec0de00-0000-4000-8000-{:012}", self.made);
        Account {
            username: name.clone(),
            sub: name,
            email: email.to_owned(),
            status: AccountStatus::Invited,
            enabled: true,
            verified: true,
            modified: self.now,
        }
    }

    fn invite(&mut self, email: &str, team: &str) -> InviteOutcome {
        let address = email.to_lowercase();
        if self.accounts.contains_key(&address) {
            return InviteOutcome::AlreadyThere;
        }
        if self.invalid.contains(&address) {
            return InviteOutcome::Invalid {
                reason: "InvalidParameterException: Username should be an email.".to_owned(),
            };
        }
        if self.mail_left == Some(0) && !self.made_without_mail {
            return InviteOutcome::NoMailLeft;
        }
        let account = self.make(email);
        self.accounts.insert(address, account.clone());
        self.mail(&account, team, false)
    }

    fn invite_again(&mut self, email: &str, team: &str) -> InviteOutcome {
        let now = self.now;
        let Some(account) = self.accounts.get_mut(&email.to_lowercase()) else {
            return InviteOutcome::Invalid {
                reason: "UserNotFoundException: User does not exist.".to_owned(),
            };
        };
        if account.status != AccountStatus::Invited {
            return InviteOutcome::AlreadyThere;
        }
        account.modified = now;
        let account = account.clone();
        self.mail(&account, team, true)
    }

    fn mail(&mut self, account: &Account, team: &str, again: bool) -> InviteOutcome {
        let email = account.email.to_lowercase();
        match &mut self.mail_left {
            Some(0) => return InviteOutcome::NoMailLeft,
            Some(left) => *left -= 1,
            None => {}
        }
        if self.bouncing.contains(&email) {
            return InviteOutcome::Bounced {
                reason: "CodeDeliveryFailureException: the mail could not be delivered".to_owned(),
            };
        }
        let team = team.to_owned();
        self.mailed.push(SentInvitation { email, team, again });
        InviteOutcome::Sent(account.clone())
    }

    fn groups_of(&self, username: &str) -> Vec<String> {
        let groups = self.groups.iter();
        let groups = groups.filter(|(_, members)| members.contains(username));
        groups.map(|(name, _)| name.clone()).collect()
    }

    fn is_there(&self, username: &str) -> bool {
        self.accounts.values().any(|account| account.username == username)
    }
}

impl Clock {
    /// Waits for this call's turn; whether it is one too many in its second all the same.
    fn refuses(&mut self, category: Category) -> bool {
        self.now = self.pace.take_token(category, self.now).unwrap_or(self.now);
        let recent = self.recent.entry(category).or_default();
        while recent
            .front()
            .is_some_and(|at| self.now - *at >= Duration::from_secs(1))
        {
            recent.pop_front();
        }
        let one_too_many = recent.len() >= category.quota() as usize;
        if one_too_many {
            self.throttled += 1;
            self.pace.slow_down(category, self.now);
        } else {
            recent.push_back(self.now);
        }
        one_too_many
    }
}

impl Directory for FakeDirectory {
    async fn create_group(&self, name: &str, description: &str) -> Result<CreateOutcome, CrewError> {
        self.call(("CreateGroup", Category::PoolResourceUpdate), name, |state| {
            if state.groups.contains_key(name) {
                return CreateOutcome::AlreadyThere;
            }
            state.make_group(name, description);
            CreateOutcome::New
        })
        .await
    }

    async fn group(&self, name: &str) -> Result<Option<Group>, CrewError> {
        self.call(("GetGroup", Category::PoolResourceRead), name, |state| {
            state.described.get(name).cloned()
        })
        .await
    }

    async fn invite(&self, email: &str, team: &str) -> Result<InviteOutcome, CrewError> {
        self.call(("AdminCreateUser", Category::UserCreation), email, |state| {
            state.invite(email, team)
        })
        .await
    }

    async fn invite_again(&self, email: &str, team: &str) -> Result<InviteOutcome, CrewError> {
        self.call(("AdminCreateUser", Category::UserCreation), email, |state| {
            state.invite_again(email, team)
        })
        .await
    }

    async fn find(&self, email: &str) -> Result<Option<Account>, CrewError> {
        self.call(("AdminGetUser", Category::UserRead), email, |state| {
            let by_name = || state.accounts.values().find(|account| account.username == email);
            state
                .accounts
                .get(&email.to_lowercase())
                .or_else(by_name)
                .cloned()
        })
        .await
    }

    async fn accounts(&self) -> Result<Vec<Account>, CrewError> {
        self.call(("ListUsers", Category::UserList), "", |state| {
            state.accounts.values().cloned().collect()
        })
        .await
    }

    async fn members(&self, group: &str) -> Result<Vec<Account>, CrewError> {
        self.call(("ListUsersInGroup", Category::UserList), group, |state| {
            let members = state.groups.get(group);
            let is_member =
                |account: &&Account| members.is_some_and(|members| members.contains(&account.username));
            state.accounts.values().filter(is_member).cloned().collect()
        })
        .await
    }

    async fn groups_of(&self, username: &str) -> Result<Option<Vec<String>>, CrewError> {
        let category = Category::UserResourceRead;
        self.call(("AdminListGroupsForUser", category), username, |state| {
            state.is_there(username).then(|| state.groups_of(username))
        })
        .await
    }

    async fn add_to_group(&self, username: &str, group: &str) -> Result<bool, CrewError> {
        let operation = "AdminAddUserToGroup";
        let there = self
            .call((operation, Category::UserUpdate), username, |state| {
                if !state.is_there(username) {
                    return Some(false);
                }
                state.groups.get_mut(group)?.insert(username.to_owned());
                Some(true)
            })
            .await?;
        there.ok_or_else(|| CrewError::Refused {
            operation,
            reason: "ResourceNotFoundException: Group not found.".to_owned(),
        })
    }

    async fn remove_from_group(&self, username: &str, group: &str) -> Result<(), CrewError> {
        self.call(
            ("AdminRemoveUserFromGroup", Category::UserUpdate),
            username,
            |state| {
                if let Some(members) = state.groups.get_mut(group) {
                    members.remove(username);
                }
            },
        )
        .await
    }

    async fn add_client_urls(&self, wanted: &ClientUrls) -> Result<bool, CrewError> {
        self.call(("UpdateUserPoolClient", Category::ClientUpdate), "", |state| {
            let before = state.urls.clone();
            for (have, want) in [
                (&mut state.urls.callback, &wanted.callback),
                (&mut state.urls.logout, &wanted.logout),
            ] {
                for url in want {
                    if !have.contains(url) {
                        have.push(url.clone());
                    }
                }
            }
            state.urls != before
        })
        .await
    }

    async fn invitation_days(&self) -> Result<u16, CrewError> {
        self.call(("DescribeUserPool", Category::PoolRead), "", |state| state.days)
            .await
    }
}
