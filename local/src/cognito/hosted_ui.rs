//! The hosted sign-in under `/cognito/<pool id>`: discovery, authorization with code and PKCE, the pages people see,
//! signing out. <https://docs.aws.amazon.com/cognito/latest/developerguide/authorization-endpoint.html>

mod authorize;
mod browser;
mod forgot;
mod forms;
mod login;
mod logout;
mod new_password;
mod pages;
mod request;
mod token;

use axum::extract::{DefaultBodyLimit, State};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router, routing};
use serde_json::json;

use super::client::SCOPES;
use super::pool::{Cognito, POOL_ID};

/// An address, two passwords, a code and a session fit many times; nothing larger is read.
const LARGEST_FORM: usize = 16 * 1024;

impl Cognito {
    /// On the web port.
    pub(crate) fn hosted_ui(&self) -> Router {
        let routes = Router::new()
            .route("/.well-known/openid-configuration", routing::get(discovery))
            .route(
                "/.well-known/jwks.json",
                routing::get(async |State(cognito): State<Cognito>| Json(cognito.pool.key.jwks())),
            )
            .route("/oauth2/authorize", routing::get(authorize::authorize))
            .route("/login", routing::get(login::show).post(login::log_in))
            .route("/newPassword", routing::post(new_password::choose))
            .route(
                "/forgotPassword",
                routing::get(forgot::show).post(forgot::send_code),
            )
            .route("/confirmForgotPassword", routing::post(forgot::reset))
            .route("/oauth2/token", routing::post(token::exchange))
            .route("/oauth2/revoke", routing::post(token::revoke))
            .route("/oauth2/userInfo", routing::get(token::user_info))
            .route("/logout", routing::get(logout::log_out))
            .layer(DefaultBodyLimit::max(LARGEST_FORM))
            .with_state(self.clone());
        Router::new().nest(&format!("/cognito/{POOL_ID}"), routes)
    }
}

async fn discovery(State(cognito): State<Cognito>) -> Response {
    let issuer = cognito.issuer();
    Json(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/oauth2/authorize"),
        "token_endpoint": format!("{issuer}/oauth2/token"),
        "userinfo_endpoint": format!("{issuer}/oauth2/userInfo"),
        "revocation_endpoint": format!("{issuer}/oauth2/revoke"),
        "end_session_endpoint": format!("{issuer}/logout"),
        "jwks_uri": format!("{issuer}/.well-known/jwks.json"),
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": SCOPES,
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "code_challenge_methods_supported": ["S256"],
        "claims_supported": ["sub", "email", "email_verified", "cognito:username", "cognito:groups", "auth_time"],
    }))
    .into_response()
}
