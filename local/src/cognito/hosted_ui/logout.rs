//! `/logout`: ends the browser's session, and sends people on only to an address the client has.

use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::cookie::CookieJar;
use serde::Deserialize;

use super::browser::SESSION_COOKIE;
use crate::cognito::pool::Cognito;
use crate::page::page;

#[derive(Deserialize)]
pub(super) struct LogoutRequest {
    client_id: Option<String>,
    logout_uri: Option<String>,
}

pub(super) async fn log_out(
    State(cognito): State<Cognito>,
    cookies: CookieJar,
    Query(request): Query<LogoutRequest>,
) -> Response {
    if let Some(cookie) = cookies.get(SESSION_COOKIE) {
        let now = cognito.pool.time.instant();
        cognito.pool.grants.end_session(cookie.value(), now);
    }
    let client = request
        .client_id
        .as_deref()
        .and_then(|id| cognito.client(id).ok());
    let is_known = |uri: &String| {
        client
            .as_ref()
            .is_some_and(|client| client.settings.logout_urls.contains(uri))
    };
    let onward = match request.logout_uri.filter(is_known) {
        Some(uri) => Redirect::to(&uri).into_response(),
        None => page(
            StatusCode::OK,
            "Signed out",
            "<div class=\"card\"><h1>You are signed out</h1><p><a href=\"/\">Go to the portal</a></p></div>",
        ),
    };
    let expired = cognito.cookie(SESSION_COOKIE, "", 0);
    ([(header::SET_COOKIE, expired)], onward).into_response()
}
