//! A sign-in as Cognito hands it to the trigger, and what the answer makes of its token.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::POOL;
use crate::world::pool::PoolAccount;

/// Whose sign-in it is, and what the pool says of them.
#[derive(Clone, Debug)]
pub(crate) struct Who {
    pub(crate) username: String,
    pub(crate) email: String,
    pub(crate) verified: bool,
    /// Those they are in when the trigger is called.
    pub(crate) groups: Vec<String>,
}

impl Who {
    pub(crate) fn of(account: &PoolAccount, groups: Vec<String>) -> Self {
        Self {
            username: account.username.clone(),
            email: account.email.clone(),
            verified: account.verified,
            groups,
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct SignIn {
    pub(crate) who: Who,
    pool: &'static str,
    source: &'static str,
    version: &'static str,
}

impl SignIn {
    /// The first password, or a later sign-in.
    pub(crate) fn token(who: Who, first: bool) -> Self {
        let (source, version) = match first {
            true => ("TokenGeneration_NewPasswordChallenge", "1"),
            false => ("TokenGeneration_HostedAuth", "2"),
        };
        Self {
            who,
            pool: POOL,
            source,
            version,
        }
    }

    pub(crate) fn post_confirmation(who: Who) -> Self {
        Self {
            source: "PostConfirmation_ConfirmSignUp",
            ..Self::token(who, true)
        }
    }

    pub(crate) fn of_another_pool(who: Who) -> Self {
        Self {
            pool: "us-east-1_other",
            ..Self::token(who, true)
        }
    }

    pub(crate) fn is_token(&self) -> bool {
        self.source.starts_with("TokenGeneration")
    }

    pub(crate) fn is_ours(&self) -> bool {
        self.pool == POOL
    }

    pub(crate) fn event(&self) -> Value {
        let Who {
            username,
            email,
            verified,
            groups,
        } = &self.who;
        json!({
            "version": self.version, "triggerSource": self.source, "region": "us-east-1",
            "userPoolId": self.pool, "userName": username,
            "request": {
                "userAttributes": {
                    "sub": username, "cognito:user_status": "CONFIRMED",
                    "email_verified": verified.to_string(), "email": email,
                },
                "groupConfiguration": {"groupsToOverride": groups, "iamRolesToOverride": [], "preferredRole": null},
            },
            "response": {},
        })
    }

    /// The groups in the token: the pool's own, unless the answer says others.
    pub(crate) fn token_of(&self, answer: &Value) -> BTreeSet<String> {
        let details = match self.version {
            "1" => "claimsOverrideDetails",
            _ => "claimsAndScopeOverrideDetails",
        };
        let said = answer
            .pointer(&format!(
                "/response/{details}/groupOverrideDetails/groupsToOverride"
            ))
            .and_then(Value::as_array);
        match said {
            Some(said) => said
                .iter()
                .filter_map(|group| Some(group.as_str()?.to_owned()))
                .collect(),
            None => self.who.groups.iter().cloned().collect(),
        }
    }
}
