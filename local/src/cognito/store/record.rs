//! What is kept of people, groups and sign-ins, as JSON.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::cognito::error::PoolError;

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
    pub(in crate::cognito) status: Status,
    /// argon2id. Without one the person cannot sign in.
    pub(in crate::cognito) password_hash: Option<String>,
    /// When a temporary password expires.
    #[serde(default)]
    pub(in crate::cognito) temporary_until: Option<Timestamp>,
    pub(in crate::cognito) groups: BTreeSet<String>,
    /// The code that was mailed last, until it is used.
    #[serde(default)]
    pub(in crate::cognito) code: Option<Code>,
    /// Sign-ins older than this have ended.
    #[serde(default)]
    pub(in crate::cognito) signed_out: Option<Timestamp>,
    /// The ClientMetadata of an invitation that may not have been mailed yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::cognito) mail_due: Option<Map<String, Value>>,
}

/// UserStatus, in Cognito's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(in crate::cognito) enum Status {
    Confirmed,
    ForceChangePassword,
}

impl Status {
    pub(in crate::cognito) fn name(self) -> &'static str {
        match self {
            Self::Confirmed => "CONFIRMED",
            Self::ForceChangePassword => "FORCE_CHANGE_PASSWORD",
        }
    }
}

/// A code for a new password.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::cognito) struct Code {
    /// HMAC of user name and code, by a key of this pool: from a plain hash, six digits are found at once.
    pub(in crate::cognito) hash: String,
    pub(in crate::cognito) until: Timestamp,
    /// Codes compared with this one so far.
    #[serde(default)]
    pub(in crate::cognito) attempts: u8,
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
            status,
            password_hash: None,
            temporary_until: None,
            groups: BTreeSet::new(),
            code: None,
            signed_out: None,
            mail_due: None,
        }
    }

    /// By name, as the API, the triggers and the tokens know them; `sub` first.
    pub(in crate::cognito) fn named_attributes(&self) -> Vec<(&str, &str)> {
        let verified = if self.email_verified { "true" } else { "false" };
        let fixed = [
            ("sub", self.username.as_str()),
            ("email_verified", verified),
            ("email", self.email.as_str()),
        ];
        let others = self
            .attributes
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        fixed.into_iter().chain(others).collect()
    }

    /// A password of the person's own: a temporary one, a code and every earlier sign-in end with it.
    pub(in crate::cognito) fn set_own_password(&mut self, hash: String, now: Timestamp) {
        self.password_hash = Some(hash);
        self.status = Status::Confirmed;
        self.temporary_until = None;
        self.mail_due = None;
        self.code = None;
        self.signed_out = Some(now);
    }

    /// Whether a sign-in of that time still counts.
    pub(in crate::cognito) fn is_signed_in_since(&self, auth_time: Timestamp) -> bool {
        let not_ended = self.signed_out.is_none_or(|out| auth_time >= out);
        self.status == Status::Confirmed && not_ended
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
}

pub(in crate::cognito) fn checked_group_name(name: &str) -> Result<String, PoolError> {
    let length = name.chars().count();
    if !(1..=128).contains(&length) || name.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err(PoolError::invalid(
            "1 validation error detected: Value at 'groupName' failed to satisfy constraint: from 1 to 128 characters, \
             no spaces",
        ));
    }
    Ok(name.to_owned())
}

/// One sign-in, for as long as its refresh token is valid. The token itself is not kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::cognito) struct RefreshToken {
    pub(in crate::cognito) client_id: String,
    /// SHA-256 of the secret part of the token.
    pub(in crate::cognito) hash: String,
    pub(in crate::cognito) until: Timestamp,
    pub(in crate::cognito) auth_time: Timestamp,
    pub(in crate::cognito) scope: String,
}
