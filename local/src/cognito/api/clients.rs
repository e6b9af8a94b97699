//! The portal's app client: described, and updated as Cognito updates one, which resets what is not repeated.

use serde::Deserialize;
use serde_json::{Value, json};

use super::answers::{ApiResult, check_pool, seconds};
use crate::cognito::client::{Client, ClientSettings};
use crate::cognito::error::PoolError;
use crate::cognito::pool::{CLIENT_ID, Cognito, POOL_ID};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ClientRequest {
    user_pool_id: String,
    client_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListUserPoolClients {
    user_pool_id: String,
    /// There is one client, and so one page.
    #[serde(rename = "MaxResults")]
    _max_results: Option<u32>,
    #[serde(rename = "NextToken")]
    _next_token: Option<String>,
}

impl Cognito {
    pub(super) fn describe_client(&self, request: &ClientRequest) -> ApiResult {
        check_pool(&request.user_pool_id)?;
        Ok(json!({"UserPoolClient": describe(&self.client(&request.client_id)?)}))
    }

    /// The request is the new state: what it leaves out goes back to Cognito's default, the addresses included.
    pub(super) async fn update_client(&self, mut settings: ClientSettings) -> ApiResult {
        check_pool(settings.user_pool_id.take().as_deref().unwrap_or_default())?;
        let id = settings.client_id.take().unwrap_or_default();
        settings.check(&self.pool.web_origin)?;
        let now = self.pool.time.timestamp();
        let updated = self.pool.store.write(move |transaction| {
            let missing = || PoolError::NotFound(format!("User pool client {id} does not exist."));
            let mut client: Client = transaction.client(&id)?.ok_or_else(missing)?;
            let name = std::mem::take(&mut client.settings.client_name);
            client.settings = settings;
            if client.settings.client_name.is_empty() {
                client.settings.client_name = name;
            }
            client.modified = now;
            transaction.put_client(&id, &client)?;
            Ok(client)
        });
        Ok(json!({"UserPoolClient": describe(&updated.await?)}))
    }

    pub(super) fn list_clients(&self, request: &ListUserPoolClients) -> ApiResult {
        check_pool(&request.user_pool_id)?;
        let name = self.client(CLIENT_ID)?.settings.client_name;
        Ok(json!({"UserPoolClients": [
            {"ClientId": CLIENT_ID, "ClientName": name, "UserPoolId": POOL_ID},
        ]}))
    }
}

fn describe(client: &Client) -> Value {
    let settings = &client.settings;
    let mut described = serde_json::to_value(settings).unwrap_or_default();
    if let Some(fields) = described.as_object_mut() {
        let is_empty = |value: &Value| {
            value.as_array().is_some_and(Vec::is_empty)
                || value
                    .as_object()
                    .is_some_and(|map| map.values().all(Value::is_null))
        };
        // An empty list of attributes says that nothing can be written: it is not the same as none.
        fields.retain(|name, value| !value.is_null() && (name.ends_with("Attributes") || !is_empty(value)));
    }
    for (name, value) in [
        ("UserPoolId", json!(POOL_ID)),
        ("ClientId", json!(client.id)),
        ("ClientSecret", json!(client.secret)),
        ("CreationDate", json!(seconds(client.created))),
        ("LastModifiedDate", json!(seconds(client.modified))),
        ("ExplicitAuthFlows", json!(settings.flows())),
        (
            "RefreshTokenValidity",
            json!(settings.refresh_token_validity.unwrap_or(30)),
        ),
        (
            "EnableTokenRevocation",
            json!(settings.enable_token_revocation.unwrap_or(true)),
        ),
        ("AuthSessionValidity", json!(settings.challenge_minutes())),
    ] {
        described[name] = value;
    }
    described
}
