//! Signing in and out through the API: passwords, refresh tokens, and what a person may do with an access token.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::answers::{ApiResult, describe_attributes};
use crate::cognito::client::{AuthFlow, Client, SELF_SERVICE};
use crate::cognito::error::PoolError;
use crate::cognito::grants::Authentication;
use crate::cognito::limits::client::Caller;
use crate::cognito::pool::Cognito;
use crate::cognito::sign_in::PasswordCheck;
use crate::cognito::store::record::User;
use crate::cognito::triggers::TriggerSource;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct InitiateAuth {
    client_id: String,
    auth_flow: String,
    #[serde(default)]
    auth_parameters: Map<String, Value>,
    client_metadata: Option<Map<String, Value>>,
    // Of threat protection, which is not here; harmless.
    #[serde(rename = "AnalyticsMetadata")]
    _analytics: Option<Value>,
    #[serde(rename = "UserContextData")]
    _context: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct AccessTokenRequest {
    access_token: String,
}

/// A parameter of InitiateAuth, or a response to a challenge.
pub(super) fn parameter<'a>(parameters: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    parameters.get(name).and_then(Value::as_str)
}

pub(super) fn required_parameter<'a>(
    parameters: &'a Map<String, Value>,
    name: &str,
) -> Result<&'a str, PoolError> {
    parameter(parameters, name)
        .ok_or_else(|| PoolError::invalid(format!("Missing required parameter {name}")))
}

impl Cognito {
    pub(super) async fn initiate_auth(&self, request: &InitiateAuth) -> ApiResult {
        let client = self.client(&request.client_id)?;
        let flow = match request.auth_flow.as_str() {
            "USER_PASSWORD_AUTH" => AuthFlow::Password,
            "REFRESH_TOKEN_AUTH" | "REFRESH_TOKEN" => AuthFlow::Refresh,
            other => {
                return Err(PoolError::not_supported(format!(
                    "the flow {other} is not supported by the sign-in of this stack: USER_PASSWORD_AUTH and \
                     REFRESH_TOKEN_AUTH are"
                )));
            }
        };
        match (client.settings.allows(flow), flow) {
            (true, AuthFlow::Password) => self.auth_by_password(&client, &request.auth_parameters).await,
            (true, AuthFlow::Refresh) => self.auth_by_refresh(&client, request).await,
            (false, AuthFlow::Password) => Err(PoolError::invalid(
                "USER_PASSWORD_AUTH flow not enabled for this client",
            )),
            (false, AuthFlow::Refresh) => Err(PoolError::invalid("Auth flow not enabled for this client")),
        }
    }

    async fn auth_by_refresh(&self, client: &Client, request: &InitiateAuth) -> ApiResult {
        let parameters = &request.auth_parameters;
        let token = required_parameter(parameters, "REFRESH_TOKEN")?;
        let hash = parameter(parameters, "SECRET_HASH");
        // Cognito takes the secret itself here, too.
        if !client.has_secret(hash) {
            let owner = self.token_owner(token)?;
            let names = owner
                .iter()
                .flat_map(|user| [user.username.as_str(), user.email.as_str()]);
            client.check_secret_hash(&names.collect::<Vec<_>>(), hash)?;
        }
        let tokens = self
            .refresh_tokens(token, client, request.client_metadata.as_ref())
            .await?;
        Ok(authentication_result(&tokens))
    }

    async fn auth_by_password(&self, client: &Client, parameters: &Map<String, Value>) -> ApiResult {
        let name = required_parameter(parameters, "USERNAME")?;
        client.check_secret_hash(&[name], parameter(parameters, "SECRET_HASH"))?;
        let password = required_parameter(parameters, "PASSWORD")?;
        let checked = self.check_password(name, password, &Caller::default()).await;
        // A client set to LEGACY may learn that there is no such account.
        let is_hidden =
            client.settings.hides_missing_users() || self.pool.store.view()?.find(name)?.is_some();
        match checked {
            Ok(PasswordCheck::Own(user)) => {
                // ClientMetadata of InitiateAuth does not reach PreTokenGeneration.
                self.tokens_for(user, client, TriggerSource::SignIn, None).await
            }
            Ok(PasswordCheck::Temporary(user)) => Ok(self.challenge_new_password(&user, client)),
            Ok(PasswordCheck::Expired) => Err(PoolError::not_authorized(
                "Temporary password has expired and must be reset by an administrator.",
            )),
            Err(PoolError::NotAuthorized(_)) if !is_hidden => Err(PoolError::NoSuchUser),
            Err(error) => Err(error),
        }
    }

    /// Tokens for a person who has signed in through the API.
    pub(super) async fn tokens_for(
        &self,
        user: User,
        client: &Client,
        source: TriggerSource,
        metadata: Option<&Map<String, Value>>,
    ) -> ApiResult {
        let authentication = Authentication {
            auth_time: self.pool.time.timestamp(),
            scope: SELF_SERVICE.to_owned(),
            nonce: None,
        };
        let identity = self.identify(user, source, &client.id, metadata).await?;
        let tokens = self.issue_tokens(&identity, client, &authentication).await?;
        Ok(authentication_result(&tokens))
    }

    pub(super) fn get_user(&self, request: &AccessTokenRequest) -> ApiResult {
        let user = self.bearer(&request.access_token, SELF_SERVICE)?;
        Ok(json!({"Username": user.username, "UserAttributes": describe_attributes(&user, None)}))
    }

    pub(super) async fn global_sign_out(&self, request: &AccessTokenRequest) -> ApiResult {
        let user = self.bearer(&request.access_token, SELF_SERVICE)?;
        self.sign_out_everywhere(&user.username).await?;
        Ok(json!({}))
    }
}

/// Tokens as the API names them.
fn authentication_result(tokens: &Value) -> Value {
    let mut result = json!({
        "AccessToken": tokens["access_token"],
        "IdToken": tokens["id_token"],
        "ExpiresIn": tokens["expires_in"],
        "TokenType": "Bearer",
    });
    if let Some(refresh) = tokens.get("refresh_token") {
        result["RefreshToken"] = refresh.clone();
    }
    json!({"AuthenticationResult": result, "ChallengeParameters": {}})
}
