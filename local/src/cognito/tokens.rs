//! Tokens: their claims, their signature, and refresh tokens. A refresh token is `<user name>.<sign-in>.<secret>`; only the
//! hash of the secret is kept.
//! <https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-tokens-with-identity-providers.html>

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::client::{Client, SELF_SERVICE, is_same_secret};
use super::error::PoolError;
use super::grants::Authentication;
use super::identity::Identity;
use super::passwords;
use super::pool::Cognito;
use super::store::record::{RefreshToken, User};
use super::triggers::TriggerSource;

/// The parts of a refresh token.
struct TokenParts {
    username: String,
    sign_in: String,
    secret: String,
}

fn split_token(token: &str) -> Option<TokenParts> {
    let decoded = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
    let mut parts = decoded.split('.').map(str::to_owned);
    Some(TokenParts {
        username: parts.next()?,
        sign_in: parts.next()?,
        secret: parts.next()?,
    })
}

/// The hash that is kept of a secret.
pub(super) fn digest(secret: &str) -> String {
    hex::encode(Sha256::digest(secret.as_bytes()))
}

impl Cognito {
    /// ID, access and refresh token of a new sign-in, with the fields of the token endpoint.
    pub(super) async fn issue_tokens(
        &self,
        identity: &Identity,
        client: &Client,
        authentication: &Authentication,
    ) -> Result<Value, PoolError> {
        let now = self.pool.time.timestamp();
        let (sign_in, secret) = (uuid::Uuid::new_v4().to_string(), passwords::random_secret());
        let username = identity.user.username.clone();
        let refresh = RefreshToken {
            client_id: client.id.clone(),
            hash: digest(&secret),
            until: now + client.settings.refresh_life(),
            auth_time: authentication.auth_time,
            scope: authentication.scope.clone(),
        };
        let token = URL_SAFE_NO_PAD.encode(format!("{username}.{sign_in}.{secret}"));
        let mut tokens = self.sign_tokens(identity, client, authentication, &sign_in)?;
        let write = self.pool.store.write(move |transaction| {
            transaction.remove_expired_tokens(&username, now)?;
            transaction.put_token(&username, &sign_in, &refresh)
        });
        write.await?;
        tokens["refresh_token"] = json!(token);
        Ok(tokens)
    }

    /// New ID and access tokens for a refresh token, with the groups as they are now.
    pub(super) async fn refresh_tokens(
        &self,
        token: &str,
        client: &Client,
        metadata: Option<&Map<String, Value>>,
    ) -> Result<Value, PoolError> {
        let invalid = || PoolError::not_authorized("Invalid Refresh Token.");
        let (parts, refresh) = self.known_token(token)?;
        if refresh.client_id != client.id {
            return Err(invalid());
        }
        if refresh.until <= self.pool.time.timestamp() {
            return Err(PoolError::not_authorized("Refresh Token has expired"));
        }
        let user = self.pool.store.view()?.find(&parts.username)?;
        let user = user.filter(|user| user.username == parts.username);
        let user = user.ok_or_else(invalid)?;
        let identity = self
            .identify(user, TriggerSource::TokenRefresh, &client.id, metadata)
            .await?;
        let authentication = Authentication {
            auth_time: refresh.auth_time,
            scope: refresh.scope,
            nonce: None,
        };
        self.sign_tokens(&identity, client, &authentication, &parts.sign_in)
    }

    /// The user a refresh token names, valid or not.
    pub(super) fn token_owner(&self, token: &str) -> Result<Option<User>, PoolError> {
        match split_token(token) {
            Some(parts) => self.pool.store.view()?.find(&parts.username),
            None => Ok(None),
        }
    }

    fn known_token(&self, token: &str) -> Result<(TokenParts, RefreshToken), PoolError> {
        let invalid = || PoolError::not_authorized("Invalid Refresh Token.");
        let parts = split_token(token).ok_or_else(invalid)?;
        let refresh = self
            .pool
            .store
            .view()?
            .token(&parts.username, &parts.sign_in)?
            .ok_or_else(|| PoolError::not_authorized("Refresh Token has been revoked"))?;
        if is_same_secret(&refresh.hash, &digest(&parts.secret)) {
            Ok((parts, refresh))
        } else {
            Err(invalid())
        }
    }

    /// Ends the sign-in: its refresh token, and the access tokens made from it. An unknown token is revoked already.
    pub(super) async fn revoke_token(&self, token: &str, client: &Client) -> Result<(), PoolError> {
        let Ok((parts, refresh)) = self.known_token(token) else {
            return Ok(());
        };
        if refresh.client_id != client.id {
            return Err(PoolError::not_authorized("Token was not issued to the client"));
        }
        let write = self
            .pool
            .store
            .write(move |transaction| transaction.remove_token(&parts.username, &parts.sign_in));
        write.await
    }

    fn sign_tokens(
        &self,
        identity: &Identity,
        client: &Client,
        authentication: &Authentication,
        sign_in: &str,
    ) -> Result<Value, PoolError> {
        let sign = |claims: Map<String, Value>| self.pool.key.sign(&claims).map_err(PoolError::internal);
        let common = self.common_claims(identity, authentication, sign_in);
        let mut tokens = json!({
            "access_token": sign(self.access_claims(common.clone(), identity, client, authentication))?,
            "token_type": "Bearer",
            "expires_in": client.settings.access_life().as_secs(),
        });
        let mut scopes = authentication.scope.split(' ');
        if scopes.any(|scope| scope == "openid" || scope == SELF_SERVICE) {
            tokens["id_token"] = json!(sign(self.id_claims(common, identity, client, authentication))?);
        }
        Ok(tokens)
    }

    fn common_claims(
        &self,
        identity: &Identity,
        authentication: &Authentication,
        sign_in: &str,
    ) -> Map<String, Value> {
        let mut claims = Map::new();
        let common = [
            ("sub", json!(identity.user.username)),
            ("iss", json!(self.pool.issuer)),
            ("origin_jti", json!(sign_in)),
            ("event_id", json!(uuid::Uuid::new_v4().to_string())),
            ("auth_time", json!(authentication.auth_time.as_second())),
            ("iat", json!(self.pool.time.timestamp().as_second())),
        ];
        extend(&mut claims, common);
        identity.add_groups(&mut claims);
        claims
    }

    fn id_claims(
        &self,
        mut claims: Map<String, Value>,
        identity: &Identity,
        client: &Client,
        authentication: &Authentication,
    ) -> Map<String, Value> {
        let user = &identity.user;
        for (name, value) in user.named_attributes() {
            let value = if name.ends_with("_verified") {
                json!(value == "true")
            } else {
                json!(value)
            };
            claims.insert(name.to_owned(), value);
        }
        let expires = self.pool.time.timestamp() + client.settings.id_life();
        let own = [
            ("jti", json!(uuid::Uuid::new_v4().to_string())),
            ("aud", json!(client.id)),
            ("token_use", json!("id")),
            ("cognito:username", json!(user.username)),
            ("exp", json!(expires.as_second())),
        ];
        extend(&mut claims, own);
        if let Some(nonce) = &authentication.nonce {
            claims.insert("nonce".to_owned(), json!(nonce));
        }
        identity.override_claims(&mut claims);
        claims
    }

    fn access_claims(
        &self,
        mut claims: Map<String, Value>,
        identity: &Identity,
        client: &Client,
        authentication: &Authentication,
    ) -> Map<String, Value> {
        let expires = self.pool.time.timestamp() + client.settings.access_life();
        let own = [
            ("jti", json!(uuid::Uuid::new_v4().to_string())),
            ("client_id", json!(client.id)),
            ("token_use", json!("access")),
            ("username", json!(identity.user.username)),
            ("scope", json!(authentication.scope)),
            ("exp", json!(expires.as_second())),
        ];
        extend(&mut claims, own);
        claims
    }

    /// The user of an access token with this scope, unless it has expired or its sign-in has ended.
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
        let now = self.pool.time.timestamp().as_second();
        if claims["exp"].as_i64().is_none_or(|expires| expires <= now) {
            return Err(PoolError::not_authorized("Access Token has expired"));
        }
        let (username, sign_in) = (claims["sub"].as_str(), claims["origin_jti"].as_str());
        let view = self.pool.store.view()?;
        let user = view.find(username.unwrap_or_default())?;
        let user = user.ok_or(PoolError::NoSuchUser)?;
        if view.token(&user.username, sign_in.unwrap_or_default())?.is_none() {
            return Err(PoolError::not_authorized("Access Token has been revoked"));
        }
        let scopes = claims["scope"].as_str().unwrap_or_default();
        if !scopes.split(' ').any(|has| has == scope) {
            return Err(PoolError::not_authorized(
                "Access Token does not have required scopes",
            ));
        }
        Ok(user)
    }
}

fn extend<const N: usize>(claims: &mut Map<String, Value>, more: [(&str, Value); N]) {
    claims.extend(more.map(|(name, value)| (name.to_owned(), value)));
}
