//! What is kept of people, groups and sign-ins, as JSON.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The pool takes e-mail addresses to sign in with, so the user name is Cognito's own: the `sub`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::cognito) struct User {
    pub(in crate::cognito) username: String,
    pub(in crate::cognito) email: String,
    pub(in crate::cognito) email_verified: bool,
    /// Standard attributes other than the address.
    #[serde(default)]
    pub(in crate::cognito) attributes: BTreeMap<String, String>,
    pub(in crate::cognito) created: Timestamp,
    pub(in crate::cognito) modified: Timestamp,
    pub(in crate::cognito) enabled: bool,
    pub(in crate::cognito) status: Status,
    /// argon2id. Without one nobody can sign in.
    pub(in crate::cognito) password_hash: Option<String>,
    /// When a temporary password stops being good.
    #[serde(default)]
    pub(in crate::cognito) temporary_until: Option<Timestamp>,
    pub(in crate::cognito) groups: BTreeSet<String>,
    /// A code that was mailed and waits to come back.
    #[serde(default)]
    pub(in crate::cognito) code: Option<Code>,
    /// Sign-ins older than this are over.
    #[serde(default)]
    pub(in crate::cognito) signed_out: Option<Timestamp>,
    /// An invitation that may not have been mailed yet, with the ClientMetadata it was asked for with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::cognito) mail_due: Option<Map<String, Value>>,
}

/// UserStatus, in Cognito's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(in crate::cognito) enum Status {
    Unconfirmed,
    Confirmed,
    ForceChangePassword,
    ResetRequired,
}

impl Status {
    pub(in crate::cognito) fn name(self) -> &'static str {
        match self {
            Self::Unconfirmed => "UNCONFIRMED",
            Self::Confirmed => "CONFIRMED",
            Self::ForceChangePassword => "FORCE_CHANGE_PASSWORD",
            Self::ResetRequired => "RESET_REQUIRED",
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::cognito) struct Code {
    pub(in crate::cognito) purpose: Purpose,
    /// HMAC of user name and code, by a key of this pool: six digits alone are found from a plain hash at once.
    pub(in crate::cognito) hash: String,
    pub(in crate::cognito) until: Timestamp,
    /// Codes compared with this one so far.
    #[serde(default)]
    pub(in crate::cognito) tries: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::cognito) enum Purpose {
    SignUp,
    Password,
}

impl User {
    pub(in crate::cognito) fn new(email: &str, status: Status, now: Timestamp) -> Self {
        Self {
            username: uuid::Uuid::new_v4().to_string(),
            email: email.to_owned(),
            email_verified: false,
            attributes: BTreeMap::new(),
            created: now,
            modified: now,
            enabled: true,
            status,
            password_hash: None,
            temporary_until: None,
            groups: BTreeSet::new(),
            code: None,
            signed_out: None,
            mail_due: None,
        }
    }

    /// By name, as the API, the triggers and the tokens know them; `sub` first, the rest in no order that matters.
    pub(in crate::cognito) fn shown_attributes(&self) -> Vec<(&str, &str)> {
        let verified = if self.email_verified { "true" } else { "false" };
        let own = [
            ("sub", self.username.as_str()),
            ("email_verified", verified),
            ("email", self.email.as_str()),
        ];
        let others = self
            .attributes
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        own.into_iter().chain(others).collect()
    }

    /// Takes a password for good: nothing temporary, no code and no earlier sign-in is worth anything after it.
    pub(in crate::cognito) fn settle_password(&mut self, hash: String, now: Timestamp) {
        self.password_hash = Some(hash);
        self.status = Status::Confirmed;
        self.temporary_until = None;
        self.mail_due = None;
        self.code = None;
        self.signed_out = Some(now);
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::cognito) struct Group {
    pub(in crate::cognito) name: String,
    pub(in crate::cognito) description: Option<String>,
    #[serde(default)]
    pub(in crate::cognito) precedence: Option<u32>,
    #[serde(default)]
    pub(in crate::cognito) role_arn: Option<String>,
    pub(in crate::cognito) created: Timestamp,
    #[serde(default)]
    pub(in crate::cognito) modified: Option<Timestamp>,
}

/// One sign-in, as long as its refresh token is good. The token itself is not kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::cognito) struct Refresh {
    pub(in crate::cognito) client_id: String,
    /// SHA-256 of the secret part of the token.
    pub(in crate::cognito) hash: String,
    pub(in crate::cognito) until: Timestamp,
    pub(in crate::cognito) auth_time: Timestamp,
    pub(in crate::cognito) scope: String,
}
