//! The hosted sign-in under `/cognito/<pool id>`: discovery, authorization with code and PKCE, the pages people see,
//! signing out. <https://docs.aws.amazon.com/cognito/latest/developerguide/authorization-endpoint.html>

mod asked;
mod forgot;
mod forms;
mod login;
mod token;

use axum::extract::{DefaultBodyLimit, Query, RawQuery, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Json, Router, routing};
use axum_extra::extract::cookie::CookieJar;
use serde::Deserialize;
use serde_json::json;

use super::client::SCOPES;
use super::error::PoolError;
use super::grants::{Grant, Session};
use super::tokens::Signed;
use super::{POOL_ID, SignIn};
use crate::page::page;
use asked::{Asked, back};

/// An address, two passwords, a code and a session fit many times; nobody may have more read before anything is checked.
const LARGEST_FORM: usize = 16 * 1024;
const COOKIE: &str = "groundcrew_sign_in";

pub(super) fn router(sign_in: SignIn) -> Router {
    let routes = Router::new()
        .route("/.well-known/openid-configuration", routing::get(discovery))
        .route(
            "/.well-known/jwks.json",
            routing::get(async |State(sign_in): State<SignIn>| Json(sign_in.pool.key.jwks())),
        )
        .route("/oauth2/authorize", routing::get(authorize))
        .route("/login", routing::get(login::show).post(login::log_in))
        .route("/newPassword", routing::post(login::choose))
        .route("/forgotPassword", routing::get(forgot::show).post(forgot::ask))
        .route("/confirmForgotPassword", routing::post(forgot::confirm))
        .route("/oauth2/token", routing::post(token::exchange))
        .route("/oauth2/revoke", routing::post(token::revoke))
        .route("/oauth2/userInfo", routing::get(token::user_info))
        .route("/logout", routing::get(log_out))
        .layer(DefaultBodyLimit::max(LARGEST_FORM))
        .with_state(sign_in);
    Router::new().nest(&format!("/cognito/{POOL_ID}"), routes)
}

async fn discovery(State(sign_in): State<SignIn>) -> Response {
    let issuer = sign_in.issuer();
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

impl SignIn {
    /// The trigger is asked now, while there is a page to show its refusal on; the tokens made for the code say what it
    /// said.
    async fn finish(&self, asked: &Asked, session: Session) -> Result<Redirect, PoolError> {
        let user = self.pool.store.view()?.find(&session.username)?;
        let user = user
            .filter(|user| Self::still_counts(user, session.auth_time))
            .ok_or_else(|| PoolError::not_authorized("The sign-in is over."))?;
        // Cognito's tables contradict each other here; the one about managed login names this source.
        let source = "TokenGeneration_Authentication";
        let identity = self.identify(user, source, &asked.client_id, None).await?;
        let grant = Grant {
            identity,
            client_id: asked.client_id.clone(),
            redirect_uri: asked.redirect_uri.clone(),
            challenge: asked.code_challenge.clone(),
            signed: Signed {
                auth_time: session.auth_time,
                scope: asked.scope.clone(),
                nonce: asked.nonce.clone(),
            },
        };
        let code = self.pool.grants.issue(grant, self.pool.time.instant());
        Ok(Redirect::to(&back(asked, &[("code", &code)])))
    }
}

/// Whoever signed in within the hour goes straight back with a code.
async fn authorize(State(sign_in): State<SignIn>, cookies: CookieJar, RawQuery(query): RawQuery) -> Response {
    let asked = match sign_in.asked(query.as_deref()) {
        Ok(asked) => asked,
        Err(refused) => return refused.into_response(),
    };
    let now = sign_in.pool.time.instant();
    let session = cookies
        .get(COOKIE)
        .and_then(|cookie| sign_in.pool.grants.session(cookie.value(), now));
    if let Some(session) = session {
        match sign_in.finish(&asked, session).await {
            Ok(redirect) => return redirect.into_response(),
            Err(error) if error.is_of_a_trigger() => {
                return login::form(
                    query.as_deref(),
                    StatusCode::BAD_REQUEST,
                    "",
                    Some(&error.to_string()),
                );
            }
            Err(_over) => {}
        }
    }
    Redirect::to(&here("login", query.as_deref())).into_response()
}

/// An address of these pages, with what the client asked for.
fn here(page: &str, query: Option<&str>) -> String {
    format!("/cognito/{POOL_ID}/{page}?{}", query.unwrap_or_default())
}

fn session_cookie(sign_in: &SignIn, value: &str, seconds: u32) -> HeaderValue {
    browser_cookie(sign_in, COOKIE, value, seconds)
}

fn browser_cookie(sign_in: &SignIn, name: &str, value: &str, seconds: u32) -> HeaderValue {
    let secure = if sign_in.pool.web_origin.starts_with("https://") {
        "; Secure"
    } else {
        ""
    };
    let text = format!("{name}={value}; Path=/cognito; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}");
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
}

#[derive(Deserialize)]
struct LogOut {
    client_id: Option<String>,
    logout_uri: Option<String>,
}

/// Forgets the sign-in; sends people on only to where the client may.
async fn log_out(State(sign_in): State<SignIn>, cookies: CookieJar, Query(asked): Query<LogOut>) -> Response {
    if let Some(cookie) = cookies.get(COOKIE) {
        sign_in
            .pool
            .grants
            .forget(cookie.value(), sign_in.pool.time.instant());
    }
    let client = asked.client_id.as_deref().and_then(|id| sign_in.client(id).ok());
    let known = |uri: &String| {
        client
            .as_ref()
            .is_some_and(|client| client.settings.logout_urls.contains(uri))
    };
    let onward = match asked.logout_uri.filter(known) {
        Some(uri) => Redirect::to(&uri).into_response(),
        None => page(
            StatusCode::OK,
            "Signed out",
            "<div class=\"card\"><h1>You are signed out</h1><p><a href=\"/\">To the portal</a></p></div>",
        ),
    };
    ([(header::SET_COOKIE, session_cookie(&sign_in, "", 0))], onward).into_response()
}
