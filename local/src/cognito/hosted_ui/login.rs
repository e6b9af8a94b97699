//! The sign-in page.

use std::time::Duration;

use axum::Form;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum_extra::extract::cookie::CookieJar;
use serde::Deserialize;

use super::browser::{Peer, caller};
use super::pages::{NewPasswordPage, explain, login_page, new_password_page};
use super::request::RequestError;
use crate::cognito::grants::Challenge;
use crate::cognito::pool::Cognito;
use crate::cognito::sign_in::PasswordCheck;

/// Long enough to think of a good password.
const CHALLENGE_LIFE: Duration = Duration::from_secs(15 * 60);
const EXPIRED: &str = "This temporary password has expired. Look for a newer invitation in your mail: invitations are sent \
                       again automatically. If there is none, ask the person named in your invitation for a new one.";

pub(super) async fn show(
    State(cognito): State<Cognito>,
    RawQuery(query): RawQuery,
) -> Result<Response, RequestError> {
    cognito.authorize_request(query.as_deref())?;
    Ok(login_page(query.as_deref(), StatusCode::OK, "", None))
}

#[derive(Deserialize)]
pub(super) struct LoginForm {
    username: String,
    password: String,
}

pub(super) async fn log_in(
    State(cognito): State<Cognito>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    cookies: CookieJar,
    peer: Peer,
    Form(form): Form<LoginForm>,
) -> Result<Response, RequestError> {
    let query = query.as_deref();
    let request = cognito.form_request(query, &headers)?;
    let email = form.username.trim();
    let caller = caller(peer, &cookies);
    let signed_in = match cognito.check_password(email, &form.password, &caller).await {
        Ok(PasswordCheck::Own(user)) => cognito.sign_in_browser(&request, user).await,
        Ok(PasswordCheck::Temporary(user)) => {
            let challenge = Challenge {
                username: user.username,
                client_id: request.client_id,
                temporary_hash: user.password_hash,
            };
            let now = cognito.pool.time.instant();
            let session = cognito
                .pool
                .grants
                .start_challenge(challenge, now, CHALLENGE_LIFE);
            let page = NewPasswordPage {
                session: &session,
                email,
                failed: None,
            };
            return Ok(new_password_page(query, &page));
        }
        Ok(PasswordCheck::Expired) => {
            return Ok(login_page(query, StatusCode::FORBIDDEN, email, Some(EXPIRED)));
        }
        Err(error) => Err(error),
    };
    Ok(signed_in.unwrap_or_else(|error| {
        let (status, text) = explain(&error);
        login_page(query, status, email, Some(&text))
    }))
}
