//! App clients: made, described, and updated as Cognito updates them, which resets what is not repeated.

use rand::Rng;
use rand::distr::Alphanumeric;
use serde::Deserialize;
use serde_json::{Value, json};

use super::listing::Page;
use super::{Answer, check_pool, seconds, unreadable};
use crate::cognito::client::{Client, ClientSettings};
use crate::cognito::error::PoolError;
use crate::cognito::{CLIENT_ID, POOL_ID, SignIn, random_secret};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct OneClient {
    user_pool_id: String,
    client_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct ListOfClients {
    user_pool_id: String,
    max_results: Option<usize>,
    next_token: Option<String>,
}

/// The fields that are not settings, taken out of the request.
fn take(request: &mut Value, name: &str) -> Option<Value> {
    request.as_object_mut().and_then(|fields| fields.remove(name))
}

fn text(value: Option<Value>) -> String {
    value
        .and_then(|value| value.as_str().map(str::to_owned))
        .unwrap_or_default()
}

impl SignIn {
    pub(super) async fn create_client(&self, mut request: Value) -> Answer {
        check_pool(&text(take(&mut request, "UserPoolId")))?;
        let secret = take(&mut request, "GenerateSecret") == Some(Value::Bool(true));
        let settings: ClientSettings = serde_json::from_value(request).map_err(|error| unreadable(&error))?;
        if settings.client_name.trim().is_empty() {
            return Err(PoolError::invalid("ClientName is missing"));
        }
        settings.check(&self.pool.web_origin)?;
        let now = self.pool.time.now();
        let client = Client {
            id: client_id(),
            secret: secret.then(random_secret),
            created: now,
            modified: now,
            settings,
        };
        let answer = shown(&client);
        let write = self
            .pool
            .store
            .write(move |changes| changes.put_client(&client.id, &client));
        write.await?;
        Ok(json!({"UserPoolClient": answer}))
    }

    pub(super) fn describe_client(&self, request: &OneClient) -> Answer {
        check_pool(&request.user_pool_id)?;
        Ok(json!({"UserPoolClient": shown(&self.client(&request.client_id)?)}))
    }

    /// The request is the new state: what it leaves out goes back to Cognito's default, the addresses included.
    pub(super) async fn update_client(&self, mut request: Value) -> Answer {
        check_pool(&text(take(&mut request, "UserPoolId")))?;
        let id = text(take(&mut request, "ClientId"));
        let settings: ClientSettings = serde_json::from_value(request).map_err(|error| unreadable(&error))?;
        settings.check(&self.pool.web_origin)?;
        let now = self.pool.time.now();
        let updated = self.pool.store.write(move |changes| {
            let missing = || PoolError::NotFound(format!("User pool client {id} does not exist."));
            let mut client: Client = changes.client(&id)?.ok_or_else(missing)?;
            let name = std::mem::take(&mut client.settings.client_name);
            client.settings = settings;
            if client.settings.client_name.is_empty() {
                client.settings.client_name = name;
            }
            client.modified = now;
            changes.put_client(&id, &client)?;
            Ok(client)
        });
        Ok(json!({"UserPoolClient": shown(&updated.await?)}))
    }

    pub(super) async fn delete_client(&self, request: &OneClient) -> Answer {
        check_pool(&request.user_pool_id)?;
        self.client(&request.client_id)?;
        if request.client_id == CLIENT_ID {
            return Err(PoolError::unsupported(format!(
                "{CLIENT_ID} is what the portal of this stack signs in with: it stays"
            )));
        }
        let id = request.client_id.clone();
        self.pool
            .store
            .write(move |changes| changes.remove_client(&id))
            .await?;
        Ok(json!({}))
    }

    pub(super) fn list_clients(&self, request: &ListOfClients) -> Answer {
        check_pool(&request.user_pool_id)?;
        let page = Page::read(request.max_results, request.next_token.as_deref())?;
        let view = self.pool.store.view()?;
        let clients = view.clients_after::<Client>(&page.after)?;
        page.answer("UserPoolClients", "NextToken", clients, |(id, client)| {
            let name = &client.settings.client_name;
            (
                id.clone(),
                json!({"ClientId": id, "ClientName": name, "UserPoolId": POOL_ID}),
            )
        })
    }
}

/// 26 lower-case letters and digits, as Cognito's.
fn client_id() -> String {
    let drawn = rand::rng().sample_iter(Alphanumeric).take(26);
    drawn.map(|byte| char::from(byte).to_ascii_lowercase()).collect()
}

fn shown(client: &Client) -> Value {
    let mut shown = serde_json::to_value(&client.settings).unwrap_or_default();
    if let Some(fields) = shown.as_object_mut() {
        let empty = |value: &Value| {
            value.as_array().is_some_and(Vec::is_empty)
                || value
                    .as_object()
                    .is_some_and(|map| map.values().all(Value::is_null))
        };
        // An empty list of attributes says that nothing can be written: it is no absence.
        fields.retain(|name, value| !value.is_null() && (name.ends_with("Attributes") || !empty(value)));
    }
    let settings = &client.settings;
    for (name, value) in [
        ("UserPoolId", json!(POOL_ID)),
        ("ClientId", json!(client.id)),
        ("CreationDate", json!(seconds(client.created))),
        ("LastModifiedDate", json!(seconds(client.modified))),
        ("ExplicitAuthFlows", json!(settings.flows())),
        (
            "RefreshTokenValidity",
            json!(settings.refresh_token_validity.unwrap_or(30)),
        ),
        ("EnableTokenRevocation", json!(settings.revocable())),
        ("AuthSessionValidity", json!(settings.challenge_minutes())),
    ] {
        shown[name] = value;
    }
    if let Some(secret) = &client.secret {
        shown["ClientSecret"] = json!(secret);
    }
    shown
}
