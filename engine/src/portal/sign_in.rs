//! The sign-in's three addresses: going to the provider, coming back, signing out.
use super::{PortalState, SIGN_OUT, pages, session};
use crate::sign_in::{Pending, SignInError};
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::PrivateCookieJar;
use axum_extra::extract::cookie::Cookie;
use http::header::HOST;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;

/// Holds what `Pending` says while the person is away; only the way back gets it.
const PENDING: &str = "groundcrew-sign-in";
const WAY_BACK: &str = "/oauth2";
/// Says that the person went to the provider to sign out.
const LEAVING: &str = "groundcrew-signing-out";

#[derive(Deserialize)]
pub(super) struct Start {
    #[serde(default)]
    next: String,
    /// Set once a request was sent over from another name of this host, so that it is not sent again.
    #[serde(default)]
    moved: bool,
}

pub(super) async fn login(
    State(state): State<PortalState>,
    Query(start): Query<Start>,
    headers: HeaderMap,
    jar: PrivateCookieJar,
) -> Response {
    let next = own_page(&start.next).to_owned();
    if !start.moved && elsewhere(&headers, &state.0.portal_url) {
        let query = encoded(&next);
        return Redirect::to(&format!("{}/login?moved=true&next={query}", state.0.portal_url))
            .into_response();
    }
    match state.0.sign_in.begin(next).await {
        Ok((url, pending)) => {
            let kept = serde_json::to_string(&pending).unwrap_or_default();
            let cookie = session::sealed(PENDING, kept, WAY_BACK, state.secure());
            (jar.add(cookie), Redirect::to(url.as_str())).into_response()
        }
        Err(error) => sorry(&error),
    }
}

/// What the provider sends the person back with.
#[derive(Deserialize)]
pub(super) struct Return {
    #[serde(default)]
    state: String,
    code: Option<String>,
    error: Option<String>,
}

pub(super) async fn back(
    State(state): State<PortalState>,
    Query(given): Query<Return>,
    jar: PrivateCookieJar,
) -> Response {
    let pending = jar
        .get(PENDING)
        .and_then(|cookie| serde_json::from_str::<Pending>(cookie.value()).ok());
    let jar = jar.remove(Cookie::build(PENDING).path(WAY_BACK).build());
    let result = match (pending, given.code) {
        (Some(pending), Some(code)) => enter(&state, pending, &given.state, code).await,
        (None, _) => Err(SignInError::StateMismatch),
        (_, None) => Err(SignInError::Refused(
            given
                .error
                .map_or("no code", |_| "refused by the provider")
                .to_owned(),
        )),
    };
    match result {
        Ok((cookie, next)) => {
            // Whose it was, nobody can end it any more once this browser has forgotten it.
            if let Some(before) = session::secret(&jar)
                && let Err(error) = state.0.sessions.end(&before).await
            {
                tracing::warn!(%error, "a session could not be ended");
            }
            (jar.add(cookie), Redirect::to(&next)).into_response()
        }
        Err(error) => (jar, sorry(&error)).into_response(),
    }
}

async fn enter(
    state: &PortalState,
    pending: Pending,
    returned: &str,
    code: String,
) -> Result<(Cookie<'static>, String), SignInError> {
    let next = pending.next.clone();
    let vouched = state.0.sign_in.finish(pending, returned, code).await?;
    let worker = &vouched.worker;
    tracing::info!(worker = worker.id, groups = worker.groups.len(), "signed in");
    let secret = state.0.sessions.begin(vouched).await?;
    Ok((session::cookie(&secret, state.secure()), next))
}

/// First the session, so that no copy of the cookie is worth anything, then the sign-in at the provider.
pub(super) async fn logout(
    State(state): State<PortalState>,
    headers: HeaderMap,
    jar: PrivateCookieJar,
) -> Response {
    // The way back is the way out (the provider knows no other address), and must not lead out again.
    let is_back = session::secret(&jar).is_none() && jar.get(LEAVING).is_some();
    if is_back || from_elsewhere(&headers) {
        let jar = jar.remove(Cookie::build(LEAVING).path(SIGN_OUT).build());
        return (jar, Redirect::to("/")).into_response();
    }
    if let Some(secret) = session::secret(&jar)
        && let Err(error) = state.0.sessions.end(&secret).await
    {
        tracing::warn!(%error, "a session could not be ended");
        return pages::message(
            StatusCode::SERVICE_UNAVAILABLE,
            "You are still signed in",
            "Signing out did not work just now. Please try again in a minute.",
        );
    }
    let address = state.0.sign_in.sign_out_url().await;
    let leaving = session::sealed(LEAVING, "1".to_owned(), SIGN_OUT, state.secure());
    let jar = jar.remove(session::ended()).add(leaving);
    (jar, Redirect::to(&address)).into_response()
}

fn sorry(error: &SignInError) -> Response {
    tracing::warn!(cause = error.cause(), "a sign-in failed");
    let status = match error {
        SignInError::Unreachable(_) => StatusCode::BAD_GATEWAY,
        SignInError::NotKept(_) => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::FORBIDDEN,
    };
    pages::message(status, "Signing in did not work", &error.to_string())
}

/// Only a page of the portal itself may be returned to.
fn own_page(next: &str) -> &str {
    let plain = next.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    if plain && next.starts_with("/work/") {
        next
    } else {
        "/"
    }
}

/// A link or a picture of another site would sign people out in the middle of their work.
fn from_elsewhere(headers: &HeaderMap) -> bool {
    headers
        .get("sec-fetch-site")
        .is_some_and(|site| site != "same-origin" && site != "none")
}

/// A cookie set for `localhost` is not sent to `127.0.0.1`: the sign-in must start under the name it comes back to.
fn elsewhere(headers: &HeaderMap, portal_url: &str) -> bool {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let own = portal_url.split_once("://").map(|(_, host)| host);
    host.zip(own)
        .is_some_and(|(host, own)| !host.eq_ignore_ascii_case(own))
}

fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

#[cfg(test)]
mod tests {
    use super::own_page;

    #[test]
    fn only_the_portals_own_pages_are_returned_to() {
        for (next, expected) in [
            ("/work/numbers-000001", "/work/numbers-000001"),
            ("//evil.test", "/"),
            ("https://evil.test", "/"),
            ("/work/x\r\nset-cookie: a", "/"),
            ("/\\evil.test", "/"),
            ("", "/"),
        ] {
            assert_eq!(own_page(next), expected);
        }
    }
}
