//! `/oauth2/token`, `/oauth2/revoke` and `/oauth2/userInfo`: a code, or a refresh token, becomes tokens with Cognito's
//! claims. <https://docs.aws.amazon.com/cognito/latest/developerguide/token-endpoint.html>

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Form, Json};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::cognito::SignIn;
use crate::cognito::client::Client;
use crate::cognito::error::PoolError;

#[derive(Deserialize)]
pub(super) struct TokenRequest {
    #[serde(default)]
    grant_type: String,
    code: Option<String>,
    redirect_uri: Option<String>,
    code_verifier: Option<String>,
    refresh_token: Option<String>,
    /// To revoke.
    token: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
}

struct Refusal(StatusCode, &'static str, Option<String>);
const BAD_GRANT: Refusal = Refusal(StatusCode::BAD_REQUEST, "invalid_grant", None);
const BAD_REQUEST: Refusal = Refusal(StatusCode::BAD_REQUEST, "invalid_request", None);

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Self(status, error, description) = self;
        let mut body = json!({"error": error});
        if let Some(description) = description {
            body["error_description"] = json!(description);
        }
        (status, [(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
    }
}

impl From<PoolError> for Refusal {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Internal(reason) => {
                tracing::error!(reason, "tokens could not be made");
                Self(StatusCode::INTERNAL_SERVER_ERROR, "server_error", None)
            }
            error if error.is_of_a_trigger() => Self(
                StatusCode::BAD_REQUEST,
                "invalid_request",
                Some(error.to_string()),
            ),
            _ => BAD_GRANT,
        }
    }
}

pub(super) async fn exchange(
    State(sign_in): State<SignIn>,
    headers: HeaderMap,
    Form(request): Form<TokenRequest>,
) -> Response {
    match sign_in.tokens(&headers, &request).await {
        Ok(tokens) => ([(header::CACHE_CONTROL, "no-store")], Json(tokens)).into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

/// RFC 7009: what is not a token any more is as good as revoked.
pub(super) async fn revoke(
    State(sign_in): State<SignIn>,
    headers: HeaderMap,
    Form(request): Form<TokenRequest>,
) -> Response {
    let client = match sign_in.client_shown(&headers, &request) {
        Ok(client) => client,
        Err(refusal) => return refusal.into_response(),
    };
    match sign_in
        .revoke(request.token.as_deref().unwrap_or_default(), &client)
        .await
    {
        Ok(()) => StatusCode::OK.into_response(),
        Err(error) => Refusal::from(error).into_response(),
    }
}

impl SignIn {
    async fn tokens(&self, headers: &HeaderMap, request: &TokenRequest) -> Result<Value, Refusal> {
        let client = self.client_shown(headers, request)?;
        match request.grant_type.as_str() {
            "authorization_code" => self.tokens_for_code(&client, request).await,
            "refresh_token" => {
                let token = request.refresh_token.as_deref().ok_or(BAD_REQUEST)?;
                Ok(self.refresh(token, &client, None).await?)
            }
            _ => Err(Refusal(StatusCode::BAD_REQUEST, "unsupported_grant_type", None)),
        }
    }

    async fn tokens_for_code(&self, client: &Client, request: &TokenRequest) -> Result<Value, Refusal> {
        let code = request.code.as_deref().ok_or(BAD_REQUEST)?;
        let grant = self
            .pool
            .grants
            .redeem(code, self.pool.time.instant())
            .ok_or(BAD_GRANT)?;
        let same_place = request.redirect_uri.as_deref() == Some(grant.redirect_uri.as_str());
        let verified = grant.verifier_fits(request.code_verifier.as_deref());
        if !same_place || !verified || grant.client_id != client.id {
            return Err(BAD_GRANT);
        }
        // Switched off, or signed out everywhere, since the page.
        let user = self
            .pool
            .store
            .view()?
            .find(&grant.identity.user.username)?
            .ok_or(BAD_GRANT)?;
        if !Self::still_counts(&user, grant.signed.auth_time) {
            return Err(BAD_GRANT);
        }
        Ok(self.begin_tokens(&grant.identity, client, &grant.signed).await?)
    }

    /// Basic authentication or form fields; a client that has a secret shows it.
    fn client_shown(&self, headers: &HeaderMap, request: &TokenRequest) -> Result<Client, Refusal> {
        let basic = basic_credentials(headers);
        let (id, secret) = match &basic {
            Some((id, secret)) => (Some(id.as_str()), Some(secret.as_str())),
            None => (request.client_id.as_deref(), request.client_secret.as_deref()),
        };
        let client = self.client(id.unwrap_or_default()).ok();
        client.filter(|client| client.has_secret(secret)).ok_or(Refusal(
            StatusCode::UNAUTHORIZED,
            "invalid_client",
            None,
        ))
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
    let user = token.and_then(|token| sign_in.bearer(token, "openid").ok());
    let Some(user) = user else {
        return (StatusCode::UNAUTHORIZED, Json(json!({"error": "invalid_token"}))).into_response();
    };
    let own = [("username", user.username.as_str())];
    let claims = own.into_iter().chain(user.shown_attributes());
    let claims: Map<String, Value> = claims
        .map(|(name, value)| (name.to_owned(), json!(value)))
        .collect();
    Json(claims).into_response()
}
