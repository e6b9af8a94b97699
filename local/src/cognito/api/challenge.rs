//! NEW_PASSWORD_REQUIRED: the challenge for a person with a temporary password, and the response to it.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::answers::ApiResult;
use super::auth::{parameter, required_parameter};
use crate::cognito::attributes::Attributes;
use crate::cognito::client::Client;
use crate::cognito::error::PoolError;
use crate::cognito::grants::Challenge;
use crate::cognito::pool::Cognito;
use crate::cognito::store::record::User;
use crate::cognito::triggers::TriggerSource;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RespondToAuthChallenge {
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

impl Cognito {
    pub(super) fn challenge_new_password(&self, user: &User, client: &Client) -> Value {
        let challenge = Challenge {
            username: user.username.clone(),
            client_id: client.id.clone(),
            temporary_hash: user.password_hash.clone(),
        };
        let life = Duration::from_secs(60 * client.settings.challenge_minutes());
        let now = self.pool.time.instant();
        let session = self.pool.grants.start_challenge(challenge, now, life);
        let attributes: Map<String, Value> = user
            .named_attributes()
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

    pub(super) async fn respond_to_challenge(&self, request: &RespondToAuthChallenge) -> ApiResult {
        let client = self.client(&request.client_id)?;
        if request.challenge_name != "NEW_PASSWORD_REQUIRED" {
            return Err(PoolError::not_supported(format!(
                "the challenge {} is not supported by the sign-in of this stack: NEW_PASSWORD_REQUIRED is",
                request.challenge_name
            )));
        }
        // Whose challenge it is.
        let responses = &request.challenge_responses;
        let name = required_parameter(responses, "USERNAME")?;
        client.check_secret_hash(&[name], parameter(responses, "SECRET_HASH"))?;
        let session = request.session.as_deref().unwrap_or_default();
        let challenge = self.pool.grants.challenge(session, self.pool.time.instant());
        let challenge = challenge
            .filter(|challenge| challenge.client_id == client.id)
            .ok_or_else(|| PoolError::not_authorized("Invalid session for the user, session is expired."))?;
        let named = self.pool.store.view()?.find(name)?;
        if named.is_none_or(|user| user.username != challenge.username) {
            return Err(PoolError::not_authorized("Invalid session for the user."));
        }
        // The password, and attributes with it.
        let attributes = writable_attributes(&client, responses)?;
        let password = required_parameter(responses, "NEW_PASSWORD")?;
        let user = self
            .choose_password(&challenge.username, challenge.temporary_hash, password, |user| {
                attributes.apply(user);
            })
            .await?;
        self.pool.grants.end_challenge(session, self.pool.time.instant());
        let metadata = request.client_metadata.as_ref();
        self.tokens_for(user, &client, TriggerSource::FirstPassword, metadata)
            .await
    }
}

/// `userAttributes.<name>`: only what the client may write, and never the address, which the person was invited by.
fn writable_attributes(client: &Client, responses: &Map<String, Value>) -> Result<Attributes, PoolError> {
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
