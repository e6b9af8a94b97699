//! A worker's session: an encrypted cookie, so that any engine process that has the key can read it and none keeps it.
use super::PortalState;
use super::refusal::Refusal;
use crate::sign_in::SignInError;
use crate::work::Worker;
use axum::extract::FromRequestParts;
use axum_extra::extract::PrivateCookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use http::request::Parts;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

const NAME: &str = "groundcrew-session";
/// A working day: groups and names are as they were at sign-in until then.
const LASTS: SignedDuration = SignedDuration::from_hours(12);
/// Browsers drop a cookie over 4,096 bytes; encryption and base64 make 4 bytes of 3, and add 40.
const MAX_VALUE: usize = 2_800;

#[derive(Deserialize, Serialize)]
struct Session {
    id: String,
    sub: String,
    issuer: String,
    name: String,
    groups: Vec<String>,
    until: Timestamp,
}

/// The cookie that says who this browser's worker is.
pub(super) fn cookie(worker: &Worker, secure: bool) -> Result<Cookie<'static>, SignInError> {
    let session = Session {
        id: worker.id.clone(),
        sub: worker.sub.clone(),
        issuer: worker.issuer.clone(),
        name: worker.name.chars().take(80).collect(),
        groups: worker.groups.clone(),
        until: Timestamp::now() + LASTS,
    };
    let value = serde_json::to_string(&session).map_err(|error| SignInError::Untrusted(error.to_string()))?;
    if value.len() > MAX_VALUE {
        return Err(SignInError::TooManyGroups);
    }
    Ok(sealed(NAME, value, "/", secure))
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

/// The signed-in worker of a request.
pub(super) struct SignedIn(pub(super) Worker);

impl FromRequestParts<PortalState> for SignedIn {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &PortalState) -> Result<Self, Refusal> {
        if let Some(worker) = &state.0.everyone {
            return Ok(SignedIn(worker.clone()));
        }
        let jar = PrivateCookieJar::from_headers(&parts.headers, state.0.key.clone());
        let session: Option<Session> = jar
            .get(NAME)
            .and_then(|cookie| serde_json::from_str(cookie.value()).ok());
        let session = session
            .filter(|session| session.until > Timestamp::now())
            .ok_or(Refusal::SignedOut)?;
        let Session {
            id,
            sub,
            issuer,
            name,
            groups,
            ..
        } = session;
        Ok(SignedIn(Worker {
            id,
            sub,
            issuer,
            name,
            groups,
        }))
    }
}
