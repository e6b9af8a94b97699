//! Tokens: what is in them, signing them, and sign-ins that last by a refresh token. The refresh token is
//! `<user name>.<sign-in>.<secret>`; only the secret's hash is kept.
//! <https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-tokens-with-identity-providers.html>

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::client::{Client, SELF_SERVICE, same};
use super::error::PoolError;
use super::store::record::{Refresh, Status, User};
use super::triggers::Occasion;
use super::{SignIn, passwords};
use crate::wiring::Trigger;

/// What the claims are made from: the user, and what the PreTokenGeneration trigger made of the user's groups.
#[derive(Clone, Debug)]
pub(super) struct Identity {
    pub(super) user: User,
    groups: Vec<String>,
    roles: Vec<String>,
    preferred_role: Option<String>,
    added: Map<String, Value>,
    suppressed: Vec<String>,
}

/// Why tokens are made.
#[derive(Clone, Debug)]
pub(super) struct Signed {
    pub(super) auth_time: Timestamp,
    pub(super) scope: String,
    pub(super) nonce: Option<String>,
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

impl Identity {
    fn new(user: User, answer: Option<Map<String, Value>>) -> Result<Self, PoolError> {
        let mut identity = Self {
            groups: user.groups.iter().cloned().collect(),
            roles: Vec::new(),
            preferred_role: None,
            added: Map::new(),
            suppressed: Vec::new(),
            user,
        };
        let details = answer.and_then(|mut answer| answer.remove("claimsOverrideDetails"));
        match details {
            None | Some(Value::Null) => {}
            Some(Value::Object(details)) => identity.apply(details)?,
            Some(_) => return Err(PoolError::TriggerAnswer),
        }
        Ok(identity)
    }

    fn apply(&mut self, mut details: Map<String, Value>) -> Result<(), PoolError> {
        match details.remove("claimsToAddOrOverride") {
            None | Some(Value::Null) => {}
            Some(Value::Object(claims)) if claims.values().all(Value::is_string) => self.added = claims,
            Some(_) => return Err(PoolError::TriggerAnswer),
        }
        self.suppressed = strings(details.remove("claimsToSuppress"))?;
        // There and empty, or null, it takes every group away; absent, it leaves them alone.
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
            Some(_) => return Err(PoolError::TriggerAnswer),
        }
        Ok(())
    }

    fn add_groups(&self, claims: &mut Map<String, Value>) {
        if !self.groups.is_empty() {
            claims.insert("cognito:groups".to_owned(), json!(self.groups));
        }
    }
}

fn strings(value: Option<Value>) -> Result<Vec<String>, PoolError> {
    match value {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(value) => serde_json::from_value(value).map_err(|_| PoolError::TriggerAnswer),
    }
}

/// User name, sign-in and secret of a refresh token.
fn read_token(token: &str) -> Option<(String, String, String)> {
    let decoded = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
    let mut parts = decoded.split('.').map(str::to_owned);
    Some((parts.next()?, parts.next()?, parts.next()?))
}

/// The hash that is kept of a secret.
pub(super) fn digest(secret: &str) -> String {
    hex::encode(Sha256::digest(secret.as_bytes()))
}

impl SignIn {
    /// Before tokens are made, for whatever reason: PreTokenGeneration has its say.
    pub(super) async fn identify(
        &self,
        user: User,
        source: &'static str,
        client_id: &str,
        metadata: Option<&Map<String, Value>>,
    ) -> Result<Identity, PoolError> {
        let groups = json!({
            "groupsToOverride": user.groups, "iamRolesToOverride": [], "preferredRole": null,
        });
        let occasion = Occasion {
            source,
            client_id: Some(client_id),
            metadata,
            request: Map::from_iter([("groupConfiguration".to_owned(), groups)]),
            response: json!({"claimsOverrideDetails": null}),
        };
        let answer = self.fire(Trigger::PreTokenGeneration, &user, occasion).await?;
        Identity::new(user, answer)
    }

    /// ID, access and refresh token of a new sign-in; the fields as the token endpoint names them.
    pub(super) async fn begin_tokens(
        &self,
        identity: &Identity,
        client: &Client,
        signed: &Signed,
    ) -> Result<Value, PoolError> {
        let now = self.pool.time.now();
        let (id, secret) = (uuid::Uuid::new_v4().to_string(), passwords::random_secret());
        let username = identity.user.username.clone();
        let refresh = Refresh {
            client_id: client.id.clone(),
            hash: digest(&secret),
            until: now + client.settings.refresh_life(),
            auth_time: signed.auth_time,
            scope: signed.scope.clone(),
        };
        let token = URL_SAFE_NO_PAD.encode(format!("{username}.{id}.{secret}"));
        let mut answer = self.mint(identity, client, signed, &id)?;
        self.pool
            .store
            .write(move |changes| {
                changes.prune_tokens(&username, now)?;
                changes.put_token(&username, &id, &refresh)
            })
            .await?;
        answer["refresh_token"] = json!(token);
        Ok(answer)
    }

    /// New ID and access tokens for a sign-in that lasts, with the groups as they are now.
    pub(super) async fn refresh(
        &self,
        token: &str,
        client: &Client,
        metadata: Option<&Map<String, Value>>,
    ) -> Result<Value, PoolError> {
        let (username, id, refresh) = self.known_refresh(token)?;
        if refresh.client_id != client.id {
            return Err(PoolError::not_authorized("Invalid Refresh Token."));
        }
        if refresh.until <= self.pool.time.now() {
            return Err(PoolError::not_authorized("Refresh Token has expired"));
        }
        let user = self
            .pool
            .store
            .view()?
            .find(&username)?
            .filter(|user| user.username == username);
        let user = user.ok_or_else(|| PoolError::not_authorized("Invalid Refresh Token."))?;
        if !user.enabled {
            return Err(PoolError::not_authorized("User is disabled."));
        }
        let source = "TokenGeneration_RefreshTokens";
        let identity = self.identify(user, source, &client.id, metadata).await?;
        let signed = Signed {
            auth_time: refresh.auth_time,
            scope: refresh.scope,
            nonce: None,
        };
        self.mint(&identity, client, &signed, &id)
    }

    /// Whom a refresh token names, good or not: it says so itself.
    pub(super) fn owner_of(&self, token: &str) -> Result<Option<User>, PoolError> {
        match read_token(token) {
            Some((username, ..)) => self.pool.store.view()?.find(&username),
            None => Ok(None),
        }
    }

    /// Whose refresh token this is, and which of theirs.
    fn known_refresh(&self, token: &str) -> Result<(String, String, Refresh), PoolError> {
        let invalid = || PoolError::not_authorized("Invalid Refresh Token.");
        let (username, id, secret) = read_token(token).ok_or_else(invalid)?;
        let refresh = self.pool.store.view()?.token(&username, &id)?;
        let refresh = refresh.ok_or_else(|| PoolError::not_authorized("Refresh Token has been revoked"))?;
        if !same(&refresh.hash, &digest(&secret)) {
            return Err(invalid());
        }
        Ok((username, id, refresh))
    }

    /// The sign-in ends: its refresh token, and the access tokens made by it. One that is not known is over already.
    pub(super) async fn revoke(&self, token: &str, client: &Client) -> Result<(), PoolError> {
        let Ok((username, id, refresh)) = self.known_refresh(token) else {
            return Ok(());
        };
        if refresh.client_id != client.id {
            return Err(PoolError::not_authorized("Token was not issued to the client"));
        }
        let write = self
            .pool
            .store
            .write(move |changes| changes.remove_token(&username, &id));
        write.await
    }

    fn mint(
        &self,
        identity: &Identity,
        client: &Client,
        signed: &Signed,
        sign_in: &str,
    ) -> Result<Value, PoolError> {
        let sign = |claims: Map<String, Value>| self.pool.key.sign(&claims).map_err(PoolError::internal);
        let access_life = client.settings.access_life();
        let mut tokens = json!({
            "access_token": sign(self.access_claims(identity, client, signed, sign_in))?,
            "token_type": "Bearer",
            "expires_in": access_life.as_secs(),
        });
        if signed
            .scope
            .split(' ')
            .any(|scope| scope == "openid" || scope == SELF_SERVICE)
        {
            tokens["id_token"] = json!(sign(self.id_claims(identity, client, signed, sign_in))?);
        }
        Ok(tokens)
    }

    fn claims(&self, identity: &Identity, signed: &Signed, sign_in: &str) -> Map<String, Value> {
        let now = self.pool.time.now().as_second();
        let mut claims = Map::new();
        for (name, value) in [
            ("sub", json!(identity.user.username)),
            ("iss", json!(self.pool.issuer)),
            ("origin_jti", json!(sign_in)),
            ("event_id", json!(uuid::Uuid::new_v4().to_string())),
            ("auth_time", json!(signed.auth_time.as_second())),
            ("iat", json!(now)),
            ("jti", json!(uuid::Uuid::new_v4().to_string())),
        ] {
            claims.insert(name.to_owned(), value);
        }
        identity.add_groups(&mut claims);
        claims
    }

    fn id_claims(
        &self,
        identity: &Identity,
        client: &Client,
        signed: &Signed,
        sign_in: &str,
    ) -> Map<String, Value> {
        let mut claims = self.claims(identity, signed, sign_in);
        let user = &identity.user;
        for (name, value) in user.shown_attributes() {
            let value = if name.ends_with("_verified") {
                json!(value == "true")
            } else {
                json!(value)
            };
            claims.insert(name.to_owned(), value);
        }
        let expires = self.pool.time.now() + client.settings.id_life();
        claims.insert("aud".to_owned(), json!(client.id));
        claims.insert("token_use".to_owned(), json!("id"));
        claims.insert("cognito:username".to_owned(), json!(user.username));
        claims.insert("exp".to_owned(), json!(expires.as_second()));
        if let Some(nonce) = &signed.nonce {
            claims.insert("nonce".to_owned(), json!(nonce));
        }
        if !identity.roles.is_empty() {
            claims.insert("cognito:roles".to_owned(), json!(identity.roles));
        }
        if let Some(role) = &identity.preferred_role {
            claims.insert("cognito:preferred_role".to_owned(), json!(role));
        }
        let free = |name: &str| !RESERVED.contains(&name);
        for name in identity.suppressed.iter().filter(|name| free(name)) {
            claims.remove(name);
        }
        claims.extend(identity.added.clone().into_iter().filter(|(name, _)| free(name)));
        claims
    }

    fn access_claims(
        &self,
        identity: &Identity,
        client: &Client,
        signed: &Signed,
        sign_in: &str,
    ) -> Map<String, Value> {
        let mut claims = self.claims(identity, signed, sign_in);
        let expires = self.pool.time.now() + client.settings.access_life();
        claims.insert("client_id".to_owned(), json!(client.id));
        claims.insert("token_use".to_owned(), json!("access"));
        claims.insert("username".to_owned(), json!(identity.user.username));
        claims.insert("scope".to_owned(), json!(signed.scope));
        claims.insert("exp".to_owned(), json!(expires.as_second()));
        claims
    }

    /// Whom an access token with this scope stands for, unless it has run out or the sign-in it came from is over.
    pub(super) fn bearer(&self, token: &str, scope: &str) -> Result<User, PoolError> {
        let invalid = || PoolError::not_authorized("Invalid Access Token");
        let claims: Value = self
            .pool
            .key
            .check(token, &self.pool.issuer)
            .ok_or_else(invalid)?;
        if claims["token_use"] != "access" {
            return Err(invalid());
        }
        if claims["exp"]
            .as_i64()
            .is_none_or(|exp| exp <= self.pool.time.now().as_second())
        {
            return Err(PoolError::not_authorized("Access Token has expired"));
        }
        let (username, sign_in) = (claims["sub"].as_str(), claims["origin_jti"].as_str());
        let view = self.pool.store.view()?;
        let user = view.find(username.unwrap_or_default())?;
        let user = user.ok_or(PoolError::NoSuchUser)?;
        if view.token(&user.username, sign_in.unwrap_or_default())?.is_none() {
            return Err(PoolError::not_authorized("Access Token has been revoked"));
        }
        if !user.enabled {
            return Err(PoolError::not_authorized("User is disabled."));
        }
        let scopes = claims["scope"].as_str().unwrap_or_default();
        if !scopes.split(' ').any(|has| has == scope) {
            return Err(PoolError::not_authorized(
                "Access Token does not have required scopes",
            ));
        }
        Ok(user)
    }

    /// Whether a sign-in that is remembered still counts.
    pub(super) fn still_counts(user: &User, auth_time: Timestamp) -> bool {
        let since = user.signed_out.is_none_or(|out| auth_time >= out);
        user.enabled && user.status == Status::Confirmed && since
    }
}
