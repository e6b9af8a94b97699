//! NEW_PASSWORD_REQUIRED: what somebody with a temporary password is asked, and the answer to it.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Answer, check_pool};
use crate::cognito::SignIn;
use crate::cognito::client::Client;
use crate::cognito::error::PoolError;
use crate::cognito::flow::invite::Attributes;
use crate::cognito::grants::Challenge;
use crate::cognito::store::record::User;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Respond {
    client_id: String,
    challenge_name: String,
    session: Option<String>,
    #[serde(default)]
    challenge_responses: Map<String, Value>,
    client_metadata: Option<Map<String, Value>>,
    #[serde(rename = "AnalyticsMetadata")]
    _analytics: Option<Value>,
    #[serde(rename = "UserContextData")]
    _context: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct AdminRespond {
    user_pool_id: String,
    client_id: String,
    challenge_name: String,
    session: Option<String>,
    #[serde(default)]
    challenge_responses: Map<String, Value>,
    client_metadata: Option<Map<String, Value>>,
    #[serde(rename = "AnalyticsMetadata")]
    _analytics: Option<Value>,
    #[serde(rename = "ContextData")]
    _context: Option<Value>,
}

impl SignIn {
    pub(super) fn challenge(&self, user: &User, client: &Client) -> Value {
        let challenge = Challenge {
            username: user.username.clone(),
            client_id: client.id.clone(),
            temporary: user.password_hash.clone(),
        };
        let life = Duration::from_secs(60 * client.settings.challenge_minutes());
        let session = self
            .pool
            .grants
            .challenge(challenge, self.pool.time.instant(), life);
        let attributes: Map<String, Value> = user
            .shown_attributes()
            .into_iter()
            .filter(|(name, _)| *name != "sub")
            .map(|(name, value)| (name.to_owned(), json!(value)))
            .collect();
        json!({
            "ChallengeName": "NEW_PASSWORD_REQUIRED",
            "Session": session,
            "ChallengeParameters": {
                "USER_ID_FOR_SRP": user.username,
                "requiredAttributes": "[]",
                "userAttributes": Value::Object(attributes).to_string(),
            },
        })
    }

    pub(super) async fn admin_respond(&self, request: AdminRespond) -> Answer {
        check_pool(&request.user_pool_id)?;
        self.respond(Respond {
            client_id: request.client_id,
            challenge_name: request.challenge_name,
            session: request.session,
            challenge_responses: request.challenge_responses,
            client_metadata: request.client_metadata,
            _analytics: None,
            _context: None,
        })
        .await
    }

    pub(super) async fn respond(&self, request: Respond) -> Answer {
        let client = self.client(&request.client_id)?;
        if request.challenge_name != "NEW_PASSWORD_REQUIRED" {
            return Err(PoolError::unsupported(format!(
                "the challenge {} is not supported by the sign-in of this stack: NEW_PASSWORD_REQUIRED is",
                request.challenge_name
            )));
        }
        let said = |name: &'static str| {
            let value = request.challenge_responses.get(name).and_then(Value::as_str);
            value.ok_or_else(|| PoolError::invalid(format!("Missing required parameter {name}")))
        };
        let name = said("USERNAME")?;
        client.check_secret_hash(&[name], said("SECRET_HASH").ok())?;
        let session = request.session.as_deref().unwrap_or_default();
        let expired = "Invalid session for the user, session is expired.";
        let challenge = self.pool.grants.challenged(session, self.pool.time.instant());
        let challenge = challenge
            .filter(|challenge| challenge.client_id == client.id)
            .ok_or_else(|| PoolError::not_authorized(expired))?;
        let named = self.pool.store.view()?.find(name)?;
        if named.is_none_or(|user| user.username != challenge.username) {
            return Err(PoolError::not_authorized("Invalid session for the user."));
        }
        let attributes = writable(&client, &request.challenge_responses)?;
        let password = said("NEW_PASSWORD")?;
        let user = self
            .choose_password(&challenge.username, challenge.temporary, password, |user| {
                attributes.apply(user);
            })
            .await?;
        self.pool.grants.met(session, self.pool.time.instant());
        let source = "TokenGeneration_NewPasswordChallenge";
        self.signed_in(user, &client, source, request.client_metadata.as_ref())
            .await
    }
}

/// `userAttributes.<name>`: only what the client may write, and never the address, which is whom the person was
/// invited as.
fn writable(client: &Client, responses: &Map<String, Value>) -> Result<Attributes, PoolError> {
    let mut given = Vec::new();
    for (name, value) in responses {
        let Some(name) = name.strip_prefix("userAttributes.") else {
            continue;
        };
        if name == "email" {
            return Err(PoolError::not_authorized(
                "Cannot modify an already provided email",
            ));
        }
        if !client.settings.may_write(name) {
            return Err(PoolError::not_authorized(
                "A client attempted to write unauthorized attribute",
            ));
        }
        given.push((name, value.as_str().unwrap_or_default()));
    }
    Attributes::read(given)
}
