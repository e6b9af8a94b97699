//! The sign-in's three paths: to the identity provider, back from it, and sign-out.

use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::PrivateCookieJar;
use axum_extra::extract::cookie::Cookie;
use http::header::HOST;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;

use super::state::PortalState;
use super::{pages, session};
use crate::sign_in::{PendingSignIn, SIGN_OUT_PATH, SignInError};

/// The cookie with the `PendingSignIn` while the person is at the provider. The browser sends it only to the return path.
const PENDING_COOKIE: &str = "groundcrew-sign-in";
const RETURN_PATH: &str = "/oauth2";
/// The cookie of a person who went to the provider to sign out.
const SIGNING_OUT_COOKIE: &str = "groundcrew-signing-out";

#[derive(Deserialize)]
pub(super) struct LoginQuery {
    #[serde(default)]
    next: String,
    /// Set when the request was redirected from another name of this host, so that it is redirected only once.
    #[serde(default)]
    moved: bool,
}

pub(super) async fn login(
    State(state): State<PortalState>,
    Query(query): Query<LoginQuery>,
    headers: HeaderMap,
    jar: PrivateCookieJar,
) -> Response {
    let next = own_page(&query.next).to_owned();
    if !query.moved && is_other_host(&headers, &state.portal_url) {
        let next = encode(&next);
        return Redirect::to(&format!("{}/login?moved=true&next={next}", state.portal_url)).into_response();
    }
    match state.sign_in.begin(next).await {
        Ok((url, pending)) => {
            let pending = serde_json::to_string(&pending).unwrap_or_default();
            let cookie = session::protected_cookie(PENDING_COOKIE, pending, RETURN_PATH, state.is_https());
            (jar.add(cookie), Redirect::to(url.as_str())).into_response()
        }
        Err(error) => error_page(&error),
    }
}

/// The query with which the provider sends the person back.
#[derive(Deserialize)]
pub(super) struct ReturnQuery {
    #[serde(default)]
    state: String,
    code: Option<String>,
    error: Option<String>,
}

pub(super) async fn signed_in(
    State(state): State<PortalState>,
    Query(query): Query<ReturnQuery>,
    jar: PrivateCookieJar,
) -> Response {
    let pending = jar
        .get(PENDING_COOKIE)
        .and_then(|cookie| serde_json::from_str::<PendingSignIn>(cookie.value()).ok());
    let jar = jar.remove(Cookie::build(PENDING_COOKIE).path(RETURN_PATH).build());
    let result = match (pending, query.code) {
        (Some(pending), Some(code)) => finish_sign_in(&state, pending, &query.state, code).await,
        (None, _) => Err(SignInError::StateMismatch),
        (_, None) => Err(SignInError::Refused(
            query
                .error
                .map_or("no code", |_| "refused by the provider")
                .to_owned(),
        )),
    };
    match result {
        Ok((cookie, next)) => {
            // Ends the session this browser had: without its cookie no one could sign out of it.
            if let Some(before) = session::secret(&jar)
                && let Err(error) = state.sessions.end(&before).await
            {
                tracing::warn!(%error, "failed to end a session");
            }
            (jar.add(cookie), Redirect::to(&next)).into_response()
        }
        Err(error) => (jar, error_page(&error)).into_response(),
    }
}

async fn finish_sign_in(
    state: &PortalState,
    pending: PendingSignIn,
    returned: &str,
    code: String,
) -> Result<(Cookie<'static>, String), SignInError> {
    let next = pending.next.clone();
    let person = state.sign_in.finish(pending, returned, code).await?;
    let worker = &person.worker;
    tracing::info!(
        worker = worker.id,
        groups = worker.groups.len(),
        "worker signed in"
    );
    let secret = state.sessions.begin(person).await?;
    Ok((session::cookie(&secret, state.is_https()), next))
}

/// Ends the session first, so that a copy of the cookie opens nothing, then the sign-in at the provider.
pub(super) async fn logout(
    State(state): State<PortalState>,
    headers: HeaderMap,
    jar: PrivateCookieJar,
) -> Response {
    // The provider sends people back to this same path: it has no other registered. They must not be sent out again.
    let is_back = session::secret(&jar).is_none() && jar.get(SIGNING_OUT_COOKIE).is_some();
    if is_back || is_from_other_site(&headers) {
        let jar = jar.remove(Cookie::build(SIGNING_OUT_COOKIE).path(SIGN_OUT_PATH).build());
        return (jar, Redirect::to("/")).into_response();
    }
    if let Some(secret) = session::secret(&jar)
        && let Err(error) = state.sessions.end(&secret).await
    {
        tracing::warn!(%error, "failed to end a session");
        return pages::message(
            StatusCode::SERVICE_UNAVAILABLE,
            "You are still signed in",
            "The portal could not sign you out. Please try again in a minute.",
        );
    }
    let address = state.sign_in.sign_out_url().await;
    let signing_out = session::protected_cookie(
        SIGNING_OUT_COOKIE,
        "1".to_owned(),
        SIGN_OUT_PATH,
        state.is_https(),
    );
    let jar = jar.remove(session::ended_cookie()).add(signing_out);
    (jar, Redirect::to(&address)).into_response()
}

fn error_page(error: &SignInError) -> Response {
    tracing::warn!(cause = error.cause(), "sign-in failed");
    let status = match error {
        SignInError::Unreachable(_) => StatusCode::BAD_GATEWAY,
        SignInError::NotStored(_) => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::FORBIDDEN,
    };
    pages::message(status, "Signing in did not work", &error.to_string())
}

/// After signing in, people return only to a page of the portal itself.
fn own_page(next: &str) -> &str {
    let plain = next.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    if plain && next.starts_with("/work/") {
        next
    } else {
        "/"
    }
}

/// A link or an image of another site must not sign people out in the middle of their work.
fn is_from_other_site(headers: &HeaderMap) -> bool {
    headers
        .get("sec-fetch-site")
        .is_some_and(|site| site != "same-origin" && site != "none")
}

/// A cookie set for `localhost` is not sent to `127.0.0.1`: the sign-in must start under the name it comes back to.
fn is_other_host(headers: &HeaderMap, portal_url: &str) -> bool {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let own = portal_url.split_once("://").map(|(_, host)| host);
    host.zip(own)
        .is_some_and(|(host, own)| !host.eq_ignore_ascii_case(own))
}

fn encode(text: &str) -> String {
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
