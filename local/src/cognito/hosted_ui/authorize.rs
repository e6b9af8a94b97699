//! `/oauth2/authorize`: straight back with a code for a browser with a session, to the sign-in page for any other.

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::cookie::CookieJar;

use super::browser::SESSION_COOKIE;
use super::pages::login_page;
use super::request::{RequestError, page_path};
use crate::cognito::pool::Cognito;

pub(super) async fn authorize(
    State(cognito): State<Cognito>,
    cookies: CookieJar,
    RawQuery(query): RawQuery,
) -> Result<Response, RequestError> {
    let query = query.as_deref();
    let request = cognito.authorize_request(query)?;
    let now = cognito.pool.time.instant();
    let session = cookies
        .get(SESSION_COOKIE)
        .and_then(|cookie| cognito.pool.grants.session(cookie.value(), now));
    if let Some(session) = session {
        match cognito.redirect_with_code(&request, session).await {
            Ok(redirect) => return Ok(redirect.into_response()),
            Err(error) if error.is_from_trigger() => {
                let problem = error.to_string();
                return Ok(login_page(query, StatusCode::BAD_REQUEST, "", Some(&problem)));
            }
            // The session has ended.
            Err(_) => {}
        }
    }
    Ok(Redirect::to(&page_path("login", query)).into_response())
}
