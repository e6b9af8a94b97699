//! The ports around people: the directory they sign in with (a Cognito user pool), the workforce they are part of,
//! and the mail they get when work waits.

use std::future::Future;

use super::CreateOutcome;

/// Key of the tag that says which stack made a work team.
pub const OWNER_TAG: &str = "groundcrew:stack";

/// Why the directory, the workforce or the topics did not do it.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CrewError {
    /// Throttled (after the adapter's own retries), timed out, 5xx: the same call may work later.
    #[error("{operation} did not go through, and may later: {reason}")]
    Transient { operation: &'static str, reason: String },
    /// Denied, invalid: an admin has to change something. The reason names no person.
    #[error("{operation} was refused: {reason}")]
    Refused { operation: &'static str, reason: String },
}

/// One account, as the directory shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Cognito's own name for the person: a UUID where people sign in with their e-mail address.
    pub username: String,
    /// `sub`: never reused, also in tokens and in worker responses.
    pub sub: String,
    pub email: String,
    pub status: AccountStatus,
    pub enabled: bool,
    /// `email_verified`: the person has proved that the address is theirs, or an admin has said so. Without it any person
    /// may have given their own account this address.
    pub verified: bool,
    /// When anything of the account last changed.
    pub modified: jiff::Timestamp,
}

impl Account {
    /// Whether it is the account of the person who reads mail at its address: the address is verified, no password has
    /// been set yet, or the account is known by its `sub` from before.
    pub fn is_theirs(&self, known: Option<&str>) -> bool {
        self.verified || self.status != AccountStatus::Confirmed || known == Some(self.sub.as_str())
    }
}

/// UserStatus, as far as it makes a difference here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AccountStatus {
    /// FORCE_CHANGE_PASSWORD: invited, and has not set a password yet.
    Invited,
    /// CONFIRMED, and any other state in which the person has signed in.
    Confirmed,
    /// UNCONFIRMED: signed up by themselves and never proved the address; has no teams.
    Unconfirmed,
}

/// How an invitation (AdminCreateUser) ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InviteOutcome {
    /// The invitation is on its way.
    Sent(Account),
    /// UsernameExists: there is such an account already. Nothing was sent.
    AlreadyThere,
    /// CodeDeliveryFailure: the mail came back. The account may be there all the same.
    Bounced { reason: String },
    /// LimitExceeded: the day's mail is used up.
    NoMailLeft,
    /// InvalidParameter and its like, for this address: will not work as it is.
    Invalid { reason: String },
}

/// A group of the directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Empty where it has none.
    pub description: String,
    /// When it was made: a group deleted and made again is another one.
    pub created: jiff::Timestamp,
}

/// The app client's addresses, read and merged: UpdateUserPoolClient resets every setting that is not repeated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientUrls {
    pub callback: Vec<String>,
    pub logout: Vec<String>,
}

/// A Cognito user pool.
pub trait Directory: Send + Sync {
    /// CreateGroup; a group that exists is fine.
    fn create_group(
        &self,
        name: &str,
        description: &str,
    ) -> impl Future<Output = Result<CreateOutcome, CrewError>> + Send;

    /// GetGroup.
    fn group(&self, name: &str) -> impl Future<Output = Result<Option<Group>, CrewError>> + Send;

    /// AdminCreateUser: the address as user name, verified, invitation by e-mail only. Creating is the lock: a
    /// second call for the same address answers [`InviteOutcome::AlreadyThere`] and sends nothing.
    fn invite(
        &self,
        email: &str,
        team: &str,
    ) -> impl Future<Output = Result<InviteOutcome, CrewError>> + Send;

    /// AdminCreateUser with MessageAction RESEND: a new temporary password with a new time limit. Sends every time
    /// it is called; a person who has set a password since is refused by Cognito and answered `AlreadyThere`.
    fn invite_again(
        &self,
        email: &str,
        team: &str,
    ) -> impl Future<Output = Result<InviteOutcome, CrewError>> + Send;

    /// AdminGetUser by e-mail address or by user name.
    fn find(&self, email: &str) -> impl Future<Output = Result<Option<Account>, CrewError>> + Send;

    /// ListUsers, all pages.
    fn accounts(&self) -> impl Future<Output = Result<Vec<Account>, CrewError>> + Send;

    /// ListUsersInGroup, all pages.
    fn members(&self, group: &str) -> impl Future<Output = Result<Vec<Account>, CrewError>> + Send;

    /// AdminListGroupsForUser, all pages: the names of all groups. `None`: there is no such account (any more).
    fn groups_of(
        &self,
        username: &str,
    ) -> impl Future<Output = Result<Option<Vec<String>>, CrewError>> + Send;

    /// AdminAddUserToGroup; already in it is fine. `false`: there is no such account (any more).
    fn add_to_group(
        &self,
        username: &str,
        group: &str,
    ) -> impl Future<Output = Result<bool, CrewError>> + Send;

    /// AdminRemoveUserFromGroup; not in it, or no such account, is fine.
    fn remove_from_group(
        &self,
        username: &str,
        group: &str,
    ) -> impl Future<Output = Result<(), CrewError>> + Send;

    /// DescribeUserPoolClient; add what is missing; UpdateUserPoolClient with everything it said, only if something
    /// was missing. `true`: it was changed.
    fn add_client_urls(&self, wanted: &ClientUrls) -> impl Future<Output = Result<bool, CrewError>> + Send;

    /// How long a temporary password is good, in days (the pool's password policy).
    fn invitation_days(&self) -> impl Future<Output = Result<u16, CrewError>> + Send;
}

/// Where the workforce's people sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    Cognito {
        user_pool: String,
        client_id: String,
    },
    /// An OpenID Connect provider.
    Oidc {
        issuer: String,
    },
}

/// The account's one private workforce in this Region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkforceDescription {
    pub name: String,
    pub arn: String,
    pub identity: Identity,
    /// Active, Initializing, Updating, Deleting or Failed.
    pub status: String,
    pub failure_reason: Option<String>,
    /// Networks the portal answers to; empty: any.
    pub cidrs: Vec<String>,
    /// Host of the portal, without a scheme; empty while there is none.
    pub sub_domain: String,
}

/// A work team as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkTeam {
    pub name: String,
    /// 1 to 200 characters.
    pub description: String,
    pub members: Members,
    /// Where work notices go.
    pub topic_arn: Option<String>,
}

/// Whose work it is: 1 to 10 groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Members {
    Cognito {
        user_pool: String,
        client_id: String,
        groups: Vec<String>,
    },
    Oidc {
        groups: Vec<String>,
    },
}

/// A work team as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkTeamDescription {
    pub team: WorkTeam,
    pub arn: String,
    /// When it was made: a work team deleted and made again is another one.
    pub created: jiff::Timestamp,
    /// Host of the portal, without a scheme.
    pub sub_domain: String,
}

/// How creating or changing a workforce or a work team ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TeamChangeOutcome {
    Done,
    /// ResourceInUse: there is one of this name, or (a workforce) one already.
    Taken,
    /// ResourceLimitExceeded: 25 work teams in an account and Region.
    LimitReached {
        reason: String,
    },
    /// ValidationException and its like: will not work as it is.
    Invalid {
        reason: String,
    },
}

/// SageMaker's workforce and work teams.
pub trait Workforce: Send + Sync {
    /// ListWorkforces: the one there is.
    fn workforce(&self) -> impl Future<Output = Result<Option<WorkforceDescription>, CrewError>> + Send;

    /// CreateWorkforce with a Cognito pool.
    fn create_workforce(
        &self,
        name: &str,
        user_pool: &str,
        client_id: &str,
    ) -> impl Future<Output = Result<TeamChangeOutcome, CrewError>> + Send;

    /// UpdateWorkforce's SourceIpConfig.
    fn set_networks(
        &self,
        workforce: &str,
        cidrs: &[String],
    ) -> impl Future<Output = Result<TeamChangeOutcome, CrewError>> + Send;

    /// DescribeWorkteam.
    fn team(&self, name: &str)
    -> impl Future<Output = Result<Option<WorkTeamDescription>, CrewError>> + Send;

    /// CreateWorkteam in this workforce, with the tag [`OWNER_TAG`] of this value.
    fn create_team(
        &self,
        workforce: &str,
        team: &WorkTeam,
        owner: &str,
    ) -> impl Future<Output = Result<TeamChangeOutcome, CrewError>> + Send;

    /// ListTags: the value of the work team's [`OWNER_TAG`].
    fn team_owner(&self, arn: &str) -> impl Future<Output = Result<Option<String>, CrewError>> + Send;

    /// UpdateWorkteam.
    fn update_team(
        &self,
        team: &WorkTeam,
    ) -> impl Future<Output = Result<TeamChangeOutcome, CrewError>> + Send;
}

/// The topics that notify workers of work: one a team.
pub trait WorkTopics: Send + Sync {
    /// CreateTopic with the policy that lets the labeling service publish for work teams of this account; its ARN.
    /// Repeating it changes nothing.
    fn ensure_topic(&self, team: &str) -> impl Future<Output = Result<String, CrewError>> + Send;

    /// Addresses subscribed or asked to confirm, all pages.
    fn subscribers(&self, topic_arn: &str) -> impl Future<Output = Result<Vec<String>, CrewError>> + Send;

    /// Subscribe by e-mail; the person has to confirm.
    fn subscribe(&self, topic_arn: &str, email: &str) -> impl Future<Output = Result<(), CrewError>> + Send;

    /// Unsubscribe this address, where it is subscribed and confirmed.
    fn unsubscribe(&self, topic_arn: &str, email: &str)
    -> impl Future<Output = Result<(), CrewError>> + Send;
}
