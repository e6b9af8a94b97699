//! A browser's side of a session: the cookie, and the worker of a request that brings it.
use super::PortalState;
use super::refusal::Refusal;
use super::seal::Secret;
use crate::work::Worker;
use axum::extract::FromRequestParts;
use axum_extra::extract::PrivateCookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use http::request::Parts;

const NAME: &str = "groundcrew-session";

/// The cookie that says which session this browser has.
pub(super) fn cookie(secret: &Secret, secure: bool) -> Cookie<'static> {
    sealed(NAME, secret.cookie().to_owned(), "/", secure)
}

/// A cookie no script can read and no other site's form can send.
pub(super) fn sealed(name: &'static str, value: String, path: &'static str, secure: bool) -> Cookie<'static> {
    Cookie::build((name, value))
        .path(path)
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(secure)
        .build()
}

/// The cookie to take away at sign-out.
pub(super) fn ended() -> Cookie<'static> {
    Cookie::build(NAME).path("/").build()
}

pub(super) fn secret(jar: &PrivateCookieJar) -> Option<Secret> {
    jar.get(NAME).map(|cookie| Secret::from_cookie(cookie.value()))
}

/// The signed-in worker of a request.
pub(super) struct SignedIn(pub(super) Worker);

impl FromRequestParts<PortalState> for SignedIn {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &PortalState) -> Result<Self, Refusal> {
        if let Some(worker) = &state.0.everyone {
            return Ok(SignedIn(worker.clone()));
        }
        let jar = PrivateCookieJar::from_headers(&parts.headers, state.0.key.clone());
        let secret = secret(&jar).ok_or(Refusal::SignedOut)?;
        state.0.sessions.worker(secret).await.map(SignedIn)
    }
}
