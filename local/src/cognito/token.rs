//! `/oauth2/token` and `/oauth2/userInfo`: a code becomes an ID token and an access token with Cognito's claims.
//! <https://docs.aws.amazon.com/cognito/latest/developerguide/token-endpoint.html>

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Form, Json};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::grants::Grant;
use super::users::User;
use super::{CLIENT_ID, SESSION_SECONDS, SignIn};

#[derive(Deserialize)]
pub(super) struct TokenRequest {
    grant_type: String,
    code: Option<String>,
    redirect_uri: Option<String>,
    code_verifier: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Claims {
    sub: String,
    iss: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    aud: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
    token_use: String,
    auth_time: i64,
    iat: i64,
    exp: i64,
    jti: String,
    #[serde(rename = "cognito:groups", skip_serializing_if = "Vec::is_empty", default)]
    groups: Vec<String>,
    #[serde(rename = "cognito:username", skip_serializing_if = "Option::is_none")]
    cognito_username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email_verified: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<String>,
}

pub(super) async fn exchange(
    State(sign_in): State<SignIn>,
    headers: HeaderMap,
    Form(request): Form<TokenRequest>,
) -> Response {
    match sign_in.tokens(&headers, &request) {
        Ok(tokens) => ([(header::CACHE_CONTROL, "no-store")], Json(tokens)).into_response(),
        Err((status, error)) => (status, Json(json!({"error": error}))).into_response(),
    }
}

type Refusal = (StatusCode, &'static str);
const BAD_GRANT: Refusal = (StatusCode::BAD_REQUEST, "invalid_grant");
const BAD_REQUEST: Refusal = (StatusCode::BAD_REQUEST, "invalid_request");

impl SignIn {
    fn tokens(&self, headers: &HeaderMap, request: &TokenRequest) -> Result<serde_json::Value, Refusal> {
        if request.grant_type != "authorization_code" {
            return Err((StatusCode::BAD_REQUEST, "unsupported_grant_type"));
        }
        self.check_client(headers, request)?;
        let code = request.code.as_deref().ok_or(BAD_REQUEST)?;
        let grant = self.pool.grants.redeem(code).ok_or(BAD_GRANT)?;
        let same_place = request.redirect_uri.as_deref() == Some(grant.redirect_uri.as_str());
        if !same_place || !grant.verifier_fits(request.code_verifier.as_deref()) {
            return Err(BAD_GRANT);
        }
        let user = self.pool.users.find(&grant.username).ok_or(BAD_GRANT)?;
        let sign = |claims| {
            self.pool
                .key
                .sign(&claims)
                .map_err(|_| (StatusCode::INTERNAL_SERVER_ERROR, "server_error"))
        };
        let now = Timestamp::now();
        Ok(json!({
            "id_token": sign(self.id_claims(&user, &grant, now))?,
            "access_token": sign(self.access_claims(&user, &grant, now))?,
            "token_type": "Bearer",
            "expires_in": SESSION_SECONDS,
        }))
    }

    /// Basic authentication or form fields; the client has a secret, so it must be given.
    fn check_client(&self, headers: &HeaderMap, request: &TokenRequest) -> Result<(), Refusal> {
        let basic = basic_credentials(headers);
        let (id, secret) = match &basic {
            Some((id, secret)) => (Some(id.as_str()), Some(secret.as_str())),
            None => (request.client_id.as_deref(), request.client_secret.as_deref()),
        };
        let secret = secret.unwrap_or_default().as_bytes();
        let same =
            aws_lc_rs::constant_time::verify_slices_are_equal(secret, self.pool.client_secret.as_bytes())
                .is_ok();
        if id == Some(CLIENT_ID) && same {
            Ok(())
        } else {
            Err((StatusCode::UNAUTHORIZED, "invalid_client"))
        }
    }

    fn claims(&self, user: &User, grant: &Grant, now: Timestamp) -> Claims {
        Claims {
            sub: user.username.clone(),
            iss: self.pool.issuer.clone(),
            aud: None,
            client_id: None,
            token_use: String::new(),
            auth_time: grant.auth_time.as_second(),
            iat: now.as_second(),
            exp: now.as_second() + SESSION_SECONDS,
            jti: uuid::Uuid::new_v4().to_string(),
            groups: user.groups.iter().cloned().collect(),
            cognito_username: None,
            username: None,
            email: None,
            email_verified: None,
            scope: None,
            nonce: None,
        }
    }

    fn id_claims(&self, user: &User, grant: &Grant, now: Timestamp) -> Claims {
        Claims {
            aud: Some(CLIENT_ID.to_owned()),
            token_use: "id".to_owned(),
            cognito_username: Some(user.username.clone()),
            email: Some(user.email.clone()),
            email_verified: Some(true),
            nonce: grant.nonce.clone(),
            ..self.claims(user, grant, now)
        }
    }

    fn access_claims(&self, user: &User, grant: &Grant, now: Timestamp) -> Claims {
        Claims {
            client_id: Some(CLIENT_ID.to_owned()),
            token_use: "access".to_owned(),
            username: Some(user.username.clone()),
            scope: Some(grant.scope.clone()),
            ..self.claims(user, grant, now)
        }
    }
}

fn basic_credentials(headers: &HeaderMap) -> Option<(String, String)> {
    let encoded = headers
        .get(header::AUTHORIZATION)?
        .to_str()
        .ok()?
        .strip_prefix("Basic ")?;
    let decoded = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    // RFC 6749 2.3.1: both are form-encoded before they are joined.
    let plain = |text: &str| {
        percent_encoding::percent_decode_str(text)
            .decode_utf8()
            .map(|text| text.into_owned())
            .ok()
    };
    Some((plain(id)?, plain(secret)?))
}

pub(super) async fn user_info(State(sign_in): State<SignIn>, headers: HeaderMap) -> Response {
    let token = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let claims = token.and_then(|token| sign_in.pool.key.check::<Claims>(token, &sign_in.pool.issuer));
    let user = claims
        .filter(|claims| claims.token_use == "access")
        .and_then(|claims| sign_in.pool.users.find(&claims.sub));
    match user {
        Some(user) => Json(json!({
            "sub": user.username, "username": user.username, "email": user.email, "email_verified": "true",
        }))
        .into_response(),
        None => (StatusCode::UNAUTHORIZED, Json(json!({"error": "invalid_token"}))).into_response(),
    }
}
