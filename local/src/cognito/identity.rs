//! Who tokens are made for: the user, and what the PreTokenGeneration trigger made of the user's groups and claims.
//! <https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-pre-token-generation.html>

use serde_json::{Map, Value, json};

use super::error::PoolError;
use super::pool::Cognito;
use super::store::record::User;
use super::triggers::{TriggerCall, TriggerSource};

#[derive(Clone, Debug)]
pub(super) struct Identity {
    pub(super) user: User,
    groups: Vec<String>,
    roles: Vec<String>,
    preferred_role: Option<String>,
    added_claims: Map<String, Value>,
    suppressed_claims: Vec<String>,
}

/// Claims a trigger may not touch.
const RESERVED: [&str; 17] = [
    "acr",
    "amr",
    "at_hash",
    "aud",
    "auth_time",
    "azp",
    "exp",
    "iat",
    "iss",
    "jti",
    "nbf",
    "nonce",
    "origin_jti",
    "sub",
    "token_use",
    "cognito:username",
    "identities",
];

impl Cognito {
    /// Asks the PreTokenGeneration trigger, before any token is made.
    pub(super) async fn identify(
        &self,
        user: User,
        source: TriggerSource,
        client_id: &str,
        metadata: Option<&Map<String, Value>>,
    ) -> Result<Identity, PoolError> {
        let groups = json!({
            "groupsToOverride": user.groups, "iamRolesToOverride": [], "preferredRole": null,
        });
        let call = TriggerCall {
            source,
            client_id: Some(client_id),
            metadata,
            request: Map::from_iter([("groupConfiguration".to_owned(), groups)]),
            response: json!({"claimsOverrideDetails": null}),
        };
        let response = self.fire(&user, call).await?;
        Identity::new(user, response)
    }
}

impl Identity {
    fn new(user: User, mut response: Map<String, Value>) -> Result<Self, PoolError> {
        let mut identity = Self {
            groups: user.groups.iter().cloned().collect(),
            roles: Vec::new(),
            preferred_role: None,
            added_claims: Map::new(),
            suppressed_claims: Vec::new(),
            user,
        };
        match response.remove("claimsOverrideDetails") {
            None | Some(Value::Null) => {}
            Some(Value::Object(details)) => identity.apply(details)?,
            Some(_) => return Err(PoolError::BadTriggerResponse),
        }
        Ok(identity)
    }

    fn apply(&mut self, mut details: Map<String, Value>) -> Result<(), PoolError> {
        match details.remove("claimsToAddOrOverride") {
            None | Some(Value::Null) => {}
            Some(Value::Object(claims)) if claims.values().all(Value::is_string) => {
                self.added_claims = claims;
            }
            Some(_) => return Err(PoolError::BadTriggerResponse),
        }
        self.suppressed_claims = strings(details.remove("claimsToSuppress"))?;
        // Present and empty, or null, it removes every group; absent, it changes none.
        match details.remove("groupOverrideDetails") {
            None => {}
            Some(Value::Null) => self.groups = Vec::new(),
            Some(Value::Object(mut groups)) => {
                self.groups = strings(groups.remove("groupsToOverride"))?;
                self.roles = strings(groups.remove("iamRolesToOverride"))?;
                self.preferred_role = groups
                    .remove("preferredRole")
                    .and_then(|role| role.as_str().map(str::to_owned));
            }
            Some(_) => return Err(PoolError::BadTriggerResponse),
        }
        Ok(())
    }

    pub(super) fn add_groups(&self, claims: &mut Map<String, Value>) {
        if !self.groups.is_empty() {
            claims.insert("cognito:groups".to_owned(), json!(self.groups));
        }
    }

    /// What only an ID token gets: roles, and the claims the trigger added or suppressed.
    pub(super) fn override_claims(&self, claims: &mut Map<String, Value>) {
        if !self.roles.is_empty() {
            claims.insert("cognito:roles".to_owned(), json!(self.roles));
        }
        if let Some(role) = &self.preferred_role {
            claims.insert("cognito:preferred_role".to_owned(), json!(role));
        }
        let may_change = |name: &str| !RESERVED.contains(&name);
        for name in self.suppressed_claims.iter().filter(|name| may_change(name)) {
            claims.remove(name);
        }
        let added = self.added_claims.clone().into_iter();
        claims.extend(added.filter(|(name, _)| may_change(name)));
    }
}

fn strings(value: Option<Value>) -> Result<Vec<String>, PoolError> {
    match value {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(value) => serde_json::from_value(value).map_err(|_| PoolError::BadTriggerResponse),
    }
}
