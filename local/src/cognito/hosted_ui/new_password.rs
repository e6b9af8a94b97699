//! A password of the person's own, in place of a temporary one.

use axum::Form;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Deserialize;

use super::pages::{
    FailedPassword, NewPasswordPage, UNLIKE_PASSWORDS, explain, login_page, new_password_page,
    password_problem,
};
use super::request::RequestError;
use crate::cognito::error::PoolError;
use crate::cognito::pool::Cognito;

const TOO_LATE: &str = "That took too long. Sign in again with the temporary password.";
const VOID: &str = "The temporary password is no longer valid. Sign in with the one in the newest invitation, or with your \
                    own password.";

#[derive(Deserialize)]
pub(super) struct NewPasswordForm {
    session: String,
    /// For the browser's password manager, and to be shown again; it decides nothing.
    #[serde(default)]
    username: String,
    password: String,
    again: String,
}

pub(super) async fn choose(
    State(cognito): State<Cognito>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    Form(form): Form<NewPasswordForm>,
) -> Result<Response, RequestError> {
    let query = query.as_deref();
    let request = cognito.form_request(query, &headers)?;
    let sign_in_again = |text| login_page(query, StatusCode::FORBIDDEN, &form.username, Some(text));
    let try_again = |problem: &str| {
        let failed = FailedPassword {
            password: &form.password,
            problem,
        };
        let page = NewPasswordPage {
            session: &form.session,
            email: &form.username,
            failed: Some(&failed),
        };
        new_password_page(query, &page)
    };
    // Whose password it is.
    let now = cognito.pool.time.instant();
    let challenge = cognito.pool.grants.challenge(&form.session, now);
    let Some(challenge) = challenge.filter(|challenge| challenge.client_id == request.client_id) else {
        return Ok(sign_in_again(TOO_LATE));
    };
    if form.password != form.again {
        return Ok(try_again(UNLIKE_PASSWORDS));
    }
    let (username, temporary_hash) = (&challenge.username, challenge.temporary_hash);
    let chosen = cognito.choose_password(username, temporary_hash, &form.password, |_| {});
    let user = match chosen.await {
        Ok(user) => user,
        Err(PoolError::NotAuthorized(_)) => return Ok(sign_in_again(VOID)),
        Err(error) => {
            return Ok(match password_problem(&error) {
                Some(problem) => try_again(problem),
                None => try_again(&explain(&error).1),
            });
        }
    };
    // It is set: a failure from here on leads to the sign-in page.
    cognito.pool.grants.end_challenge(&form.session, now);
    let email = user.email.clone();
    let signed_in = cognito.sign_in_browser(&request, user).await;
    Ok(signed_in.unwrap_or_else(|error| {
        let (status, text) = explain(&error);
        login_page(query, status, &email, Some(&text))
    }))
}
