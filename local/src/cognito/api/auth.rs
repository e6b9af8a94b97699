//! Signing in and out through the API: passwords, refresh tokens, and what a person may do with an access token.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Answer, check_pool};
use crate::cognito::client::{Client, SELF_SERVICE};
use crate::cognito::error::PoolError;
use crate::cognito::flow::password::Checked;
use crate::cognito::spraying::Guest;
use crate::cognito::store::record::User;
use crate::cognito::tokens::Signed;
use crate::cognito::{SignIn, passwords};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
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
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct AdminInitiateAuth {
    user_pool_id: String,
    client_id: String,
    auth_flow: String,
    #[serde(default)]
    auth_parameters: Map<String, Value>,
    client_metadata: Option<Map<String, Value>>,
    #[serde(rename = "AnalyticsMetadata")]
    _analytics: Option<Value>,
    #[serde(rename = "ContextData")]
    _context: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct WithAccessToken {
    access_token: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct ChangePassword {
    access_token: String,
    previous_password: String,
    proposed_password: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct RevokeToken {
    token: String,
    client_id: String,
    client_secret: Option<String>,
}

/// What both kinds of InitiateAuth ask for.
struct Asked {
    client: Client,
    flow: String,
    parameters: Map<String, Value>,
    metadata: Option<Map<String, Value>>,
    guest: Guest,
}

impl Asked {
    fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).and_then(Value::as_str)
    }

    fn required(&self, name: &'static str) -> Result<&str, PoolError> {
        self.parameter(name)
            .ok_or_else(|| PoolError::invalid(format!("Missing required parameter {name}")))
    }
}

impl SignIn {
    pub(super) async fn initiate_auth(&self, request: InitiateAuth) -> Answer {
        let asked = Asked {
            client: self.client(&request.client_id)?,
            flow: request.auth_flow,
            parameters: request.auth_parameters,
            metadata: request.client_metadata,
            guest: Guest::default(),
        };
        match asked.flow.as_str() {
            "USER_PASSWORD_AUTH" | "REFRESH_TOKEN_AUTH" | "REFRESH_TOKEN" => self.authenticate(&asked).await,
            other => Err(no_such_flow(other)),
        }
    }

    pub(super) async fn admin_initiate_auth(&self, request: AdminInitiateAuth) -> Answer {
        check_pool(&request.user_pool_id)?;
        let flow = match request.auth_flow.as_str() {
            "ADMIN_NO_SRP_AUTH" => "ADMIN_USER_PASSWORD_AUTH".to_owned(),
            _ => request.auth_flow,
        };
        let asked = Asked {
            client: self.client(&request.client_id)?,
            flow,
            parameters: request.auth_parameters,
            metadata: request.client_metadata,
            guest: Guest::admin(),
        };
        match asked.flow.as_str() {
            "ADMIN_USER_PASSWORD_AUTH" | "USER_PASSWORD_AUTH" | "REFRESH_TOKEN_AUTH" | "REFRESH_TOKEN" => {
                self.authenticate(&asked).await
            }
            other => Err(no_such_flow(other)),
        }
    }

    async fn authenticate(&self, asked: &Asked) -> Answer {
        let client = &asked.client;
        if asked.flow.starts_with("REFRESH_TOKEN") {
            if !client.settings.allows("REFRESH_TOKEN_AUTH") {
                return Err(PoolError::invalid("Auth flow not enabled for this client"));
            }
            let token = asked.required("REFRESH_TOKEN")?;
            let given = asked.parameter("SECRET_HASH");
            // Cognito takes the secret itself here, too.
            if client.secret.is_none() || !client.has_secret(given) {
                let owner = self.owner_of(token)?;
                let names = owner
                    .iter()
                    .flat_map(|user| [user.username.as_str(), user.email.as_str()]);
                client.check_secret_hash(&names.collect::<Vec<_>>(), given)?;
            }
            let tokens = self.refresh(token, client, asked.metadata.as_ref()).await?;
            return Ok(result(&tokens));
        }
        if !client.settings.allows(&asked.flow) {
            let flow = &asked.flow;
            return Err(PoolError::invalid(format!(
                "{flow} flow not enabled for this client"
            )));
        }
        let name = asked.required("USERNAME")?;
        client.check_secret_hash(&[name], asked.parameter("SECRET_HASH"))?;
        let password = asked.required("PASSWORD")?;
        match self.check_password_for(asked, name, password).await? {
            Checked::In(user) => {
                // ClientMetadata of InitiateAuth does not reach PreTokenGeneration.
                self.signed_in(user, client, "TokenGeneration_Authentication", None)
                    .await
            }
            Checked::Temporary(user) => Ok(self.challenge(&user, client)),
            Checked::RunOut => Err(PoolError::not_authorized(
                "Temporary password has expired and must be reset by an administrator.",
            )),
        }
    }

    /// A client set to LEGACY may learn that there is no such account.
    async fn check_password_for(
        &self,
        asked: &Asked,
        name: &str,
        password: &str,
    ) -> Result<Checked, PoolError> {
        let checked = self.check_password(name, password, &asked.guest).await;
        let known = asked.client.settings.hides_who_exists() || self.pool.store.view()?.find(name)?.is_some();
        match checked {
            Err(PoolError::NotAuthorized(_)) if !known => Err(PoolError::NoSuchUser),
            checked => checked,
        }
    }

    /// Tokens for somebody who has shown who they are.
    pub(super) async fn signed_in(
        &self,
        user: User,
        client: &Client,
        source: &'static str,
        metadata: Option<&Map<String, Value>>,
    ) -> Answer {
        let signed = Signed {
            auth_time: self.pool.time.now(),
            scope: SELF_SERVICE.to_owned(),
            nonce: None,
        };
        let identity = self.identify(user, source, &client.id, metadata).await?;
        Ok(result(&self.begin_tokens(&identity, client, &signed).await?))
    }

    pub(super) fn get_user(&self, request: &WithAccessToken) -> Answer {
        let user = self.bearer(&request.access_token, SELF_SERVICE)?;
        let attributes: Vec<Value> = user
            .shown_attributes()
            .into_iter()
            .map(|(name, value)| json!({"Name": name, "Value": value}))
            .collect();
        Ok(json!({"Username": user.username, "UserAttributes": attributes}))
    }

    pub(super) async fn global_sign_out(&self, request: &WithAccessToken) -> Answer {
        let user = self.bearer(&request.access_token, SELF_SERVICE)?;
        self.sign_out_everywhere(&user.username).await?;
        Ok(json!({}))
    }

    pub(super) async fn revoke_token(&self, request: &RevokeToken) -> Answer {
        let client = self.client(&request.client_id)?;
        if !client.has_secret(request.client_secret.as_deref()) {
            return Err(PoolError::not_authorized("Invalid client secret"));
        }
        if !client.settings.revocable() {
            return Err(PoolError::unsupported(
                "Token revocation is not enabled for this client.",
            ));
        }
        self.revoke(&request.token, &client).await?;
        Ok(json!({}))
    }

    /// Whoever holds the token goes on being signed in; so does Cognito have it.
    pub(super) async fn api_change_password(&self, request: ChangePassword) -> Answer {
        let user = self.bearer(&request.access_token, SELF_SERVICE)?;
        match self
            .check_password(&user.email, &request.previous_password, &Guest::default())
            .await?
        {
            Checked::In(_) => {}
            _ => return Err(PoolError::not_authorized("Incorrect username or password.")),
        }
        self.settings()?
            .policies
            .password_policy
            .allows(&request.proposed_password)?;
        let hash = passwords::hash(&request.proposed_password).await?;
        self.change_user(&user.username, move |user| {
            user.password_hash = Some(hash);
            Ok(())
        })
        .await?;
        Ok(json!({}))
    }
}

fn no_such_flow(flow: &str) -> PoolError {
    PoolError::unsupported(format!(
        "the flow {flow} is not supported by the sign-in of this stack: USER_PASSWORD_AUTH, ADMIN_USER_PASSWORD_AUTH (of \
         AdminInitiateAuth) and REFRESH_TOKEN_AUTH are"
    ))
}

/// Tokens as the API names them.
fn result(tokens: &Value) -> Value {
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
