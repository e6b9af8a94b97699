//! The browser's side of a session: the cookie, and the worker of a request that has it.

use axum::extract::{FromRef, FromRequestParts};
use axum_extra::extract::PrivateCookieJar;
use axum_extra::extract::cookie::{Cookie, Key, SameSite};
use http::request::Parts;

use super::error::PortalError;
use super::seal::SessionSecret;
use super::state::PortalState;
use crate::worker::Worker;

const NAME: &str = "groundcrew-session";

/// The cookie that names and opens the browser's session.
pub(super) fn cookie(secret: &SessionSecret, secure: bool) -> Cookie<'static> {
    protected_cookie(NAME, secret.cookie().to_owned(), "/", secure)
}

/// A cookie that no script can read and no form of another site can send.
pub(super) fn protected_cookie(
    name: &'static str,
    value: String,
    path: &'static str,
    secure: bool,
) -> Cookie<'static> {
    Cookie::build((name, value))
        .path(path)
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(secure)
        .build()
}

/// The cookie to remove at sign-out.
pub(super) fn ended_cookie() -> Cookie<'static> {
    Cookie::build(NAME).path("/").build()
}

pub(super) fn secret(jar: &PrivateCookieJar) -> Option<SessionSecret> {
    jar.get(NAME)
        .map(|cookie| SessionSecret::from_cookie(cookie.value()))
}

/// The signed-in worker of a request.
pub(super) struct SignedIn(pub(super) Worker);

impl FromRequestParts<PortalState> for SignedIn {
    type Rejection = PortalError;

    async fn from_request_parts(parts: &mut Parts, state: &PortalState) -> Result<Self, PortalError> {
        let jar = PrivateCookieJar::from_headers(&parts.headers, Key::from_ref(state));
        let secret = secret(&jar).ok_or(PortalError::SignedOut)?;
        state.sessions.worker(secret).await.map(SignedIn)
    }
}
