//! A forgotten password: the address, the code that is mailed to it, a new password. Nothing here shows who has an
//! account, neither in words nor by the time it takes.

use axum::Form;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Deserialize;

use super::browser::{Peer, client_address};
use super::pages::{
    FailedReset, ResetProblem, UNLIKE_PASSWORDS, explain, forgot_page, login_page_after_reset,
    password_problem, reset_page,
};
use super::request::RequestError;
use crate::cognito::error::PoolError;
use crate::cognito::pool::Cognito;

pub(super) async fn show(
    State(cognito): State<Cognito>,
    RawQuery(query): RawQuery,
) -> Result<Response, RequestError> {
    cognito.authorize_request(query.as_deref())?;
    Ok(forgot_page(query.as_deref()))
}

#[derive(Deserialize)]
pub(super) struct AddressForm {
    username: String,
}

pub(super) async fn send_code(
    State(cognito): State<Cognito>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    Form(form): Form<AddressForm>,
) -> Result<Response, RequestError> {
    let request = cognito.form_request(query.as_deref(), &headers)?;
    let email = form.username.trim().to_owned();
    // In the background: neither the answer nor its time depends on whether there is such an account.
    let address = email.clone();
    tokio::spawn(async move {
        if let Err(error @ (PoolError::Internal(_) | PoolError::NotDelivered(_))) =
            cognito.mail_reset_code(&address, &request.client_id).await
        {
            tracing::error!(%error, "failed to mail a code");
        }
    });
    Ok(reset_page(query.as_deref(), StatusCode::OK, &email, None))
}

#[derive(Deserialize)]
pub(super) struct ResetForm {
    username: String,
    code: String,
    password: String,
    again: String,
}

pub(super) async fn reset(
    State(cognito): State<Cognito>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    peer: Peer,
    Form(form): Form<ResetForm>,
) -> Result<Response, RequestError> {
    let query = query.as_deref();
    let request = cognito.form_request(query, &headers)?;
    let email = form.username.trim();
    let try_again = |problem: ResetProblem<'_>| {
        let failed = FailedReset {
            code: &form.code,
            password: &form.password,
            problem,
        };
        reset_page(query, StatusCode::BAD_REQUEST, email, Some(&failed))
    };
    if form.password != form.again {
        return Ok(try_again(ResetProblem::Password(UNLIKE_PASSWORDS)));
    }
    let reset = cognito
        .reset_password(
            email,
            &form.code,
            &form.password,
            client_address(peer),
            &request.client_id,
        )
        .await;
    let problem = match &reset {
        Ok(()) => return Ok(login_page_after_reset(query, email)),
        Err(PoolError::WrongCode) => ResetProblem::Code("Wrong code. Use the one in the newest mail."),
        Err(PoolError::CodeExpired) => ResetProblem::Code("This code has expired. Request another one."),
        Err(PoolError::TooManyAttempts) => {
            ResetProblem::Code("Too many tries. Wait a while, then try again.")
        }
        Err(error) => match password_problem(error) {
            Some(problem) => ResetProblem::Password(problem),
            None => return Ok(try_again(ResetProblem::Password(&explain(error).1))),
        },
    };
    Ok(try_again(problem))
}
