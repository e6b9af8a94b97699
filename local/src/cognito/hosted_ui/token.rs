//! `/oauth2/token`, `/oauth2/revoke` and `/oauth2/userInfo`: tokens with Cognito's claims, for a code or a refresh token.
//! <https://docs.aws.amazon.com/cognito/latest/developerguide/token-endpoint.html>

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Form, Json};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::cognito::client::Client;
use crate::cognito::error::PoolError;
use crate::cognito::pool::Cognito;

#[derive(Deserialize)]
pub(super) struct TokenRequest {
    #[serde(default)]
    grant_type: String,
    code: Option<String>,
    redirect_uri: Option<String>,
    code_verifier: Option<String>,
    refresh_token: Option<String>,
    /// Of a request to revoke.
    token: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
}

/// Status, OAuth's name of the error, and a description where there is one.
pub(super) struct TokenError(StatusCode, &'static str, Option<String>);
const BAD_GRANT: TokenError = TokenError(StatusCode::BAD_REQUEST, "invalid_grant", None);
const BAD_REQUEST: TokenError = TokenError(StatusCode::BAD_REQUEST, "invalid_request", None);

impl IntoResponse for TokenError {
    fn into_response(self) -> Response {
        let Self(status, error, description) = self;
        let mut body = json!({"error": error});
        if let Some(description) = description {
            body["error_description"] = json!(description);
        }
        (status, [(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
    }
}

impl From<PoolError> for TokenError {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Internal(reason) => {
                tracing::error!(reason, "failed to make tokens");
                Self(StatusCode::INTERNAL_SERVER_ERROR, "server_error", None)
            }
            error if error.is_from_trigger() => Self(
                StatusCode::BAD_REQUEST,
                "invalid_request",
                Some(error.to_string()),
            ),
            _ => BAD_GRANT,
        }
    }
}

pub(super) async fn exchange(
    State(cognito): State<Cognito>,
    headers: HeaderMap,
    Form(request): Form<TokenRequest>,
) -> Result<Response, TokenError> {
    let tokens = cognito.tokens(&headers, &request).await?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(tokens)).into_response())
}

/// RFC 7009: an unknown token counts as revoked.
pub(super) async fn revoke(
    State(cognito): State<Cognito>,
    headers: HeaderMap,
    Form(request): Form<TokenRequest>,
) -> Result<StatusCode, TokenError> {
    let client = cognito.authenticated_client(&headers, &request)?;
    let token = request.token.as_deref().unwrap_or_default();
    cognito.revoke_token(token, &client).await?;
    Ok(StatusCode::OK)
}

impl Cognito {
    async fn tokens(&self, headers: &HeaderMap, request: &TokenRequest) -> Result<Value, TokenError> {
        let client = self.authenticated_client(headers, request)?;
        match request.grant_type.as_str() {
            "authorization_code" => self.tokens_for_code(&client, request).await,
            "refresh_token" => {
                let token = request.refresh_token.as_deref().ok_or(BAD_REQUEST)?;
                Ok(self.refresh_tokens(token, &client, None).await?)
            }
            _ => Err(TokenError(
                StatusCode::BAD_REQUEST,
                "unsupported_grant_type",
                None,
            )),
        }
    }

    async fn tokens_for_code(&self, client: &Client, request: &TokenRequest) -> Result<Value, TokenError> {
        let code = request.code.as_deref().ok_or(BAD_REQUEST)?;
        let grant = self
            .pool
            .grants
            .redeem_code(code, self.pool.time.instant())
            .ok_or(BAD_GRANT)?;
        let is_same_uri = request.redirect_uri.as_deref() == Some(grant.redirect_uri.as_str());
        let is_verified = grant.accepts_verifier(request.code_verifier.as_deref());
        if !is_same_uri || !is_verified || grant.client_id != client.id {
            return Err(BAD_GRANT);
        }
        // The person may have been signed out everywhere since the page.
        let user = self
            .pool
            .store
            .view()?
            .find(&grant.identity.user.username)?
            .ok_or(BAD_GRANT)?;
        if !user.is_signed_in_since(grant.authentication.auth_time) {
            return Err(BAD_GRANT);
        }
        Ok(self
            .issue_tokens(&grant.identity, client, &grant.authentication)
            .await?)
    }

    /// By basic authentication or form fields.
    fn authenticated_client(
        &self,
        headers: &HeaderMap,
        request: &TokenRequest,
    ) -> Result<Client, TokenError> {
        let basic = basic_credentials(headers);
        let (id, secret) = match &basic {
            Some((id, secret)) => (Some(id.as_str()), Some(secret.as_str())),
            None => (request.client_id.as_deref(), request.client_secret.as_deref()),
        };
        let client = self.client(id.unwrap_or_default()).ok();
        client
            .filter(|client| client.has_secret(secret))
            .ok_or(TokenError(StatusCode::UNAUTHORIZED, "invalid_client", None))
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
    let decode = |text: &str| {
        percent_encoding::percent_decode_str(text)
            .decode_utf8()
            .map(|text| text.into_owned())
            .ok()
    };
    Some((decode(id)?, decode(secret)?))
}

pub(super) async fn user_info(State(cognito): State<Cognito>, headers: HeaderMap) -> Response {
    let token = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let user = token.and_then(|token| cognito.bearer(token, "openid").ok());
    let Some(user) = user else {
        return (StatusCode::UNAUTHORIZED, Json(json!({"error": "invalid_token"}))).into_response();
    };
    let username = [("username", user.username.as_str())];
    let claims = username.into_iter().chain(user.named_attributes());
    let claims: Map<String, Value> = claims
        .map(|(name, value)| (name.to_owned(), json!(value)))
        .collect();
    Json(claims).into_response()
}
