//! A forgotten password: the address, the code that is mailed to it, a new password. Nothing here tells who has an
//! account, neither in words nor by how long it takes.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Form};
use serde::Deserialize;

use super::asked::FOREIGN;
use super::{forms, here, login};
use crate::cognito::SignIn;
use crate::cognito::error::PoolError;
use crate::cognito::flow::codes::Asker;
use crate::page::escape;

pub(super) async fn show(State(sign_in): State<SignIn>, RawQuery(query): RawQuery) -> Response {
    if let Err(refused) = sign_in.asked(query.as_deref()) {
        return refused.into_response();
    }
    let login = escape(&here("login", query.as_deref()));
    forms::shown(
        StatusCode::OK,
        &forms::Form {
            title: "Forgot your password?",
            intro: "Say your e-mail address: a code goes there, and with the code you choose a new password. Whoever has an \
                    invitation and never signed in uses the temporary password in it.",
            problem: None,
            note: None,
            action: &here("forgotPassword", query.as_deref()),
            fields: forms::address("", false, true),
            button: "Send a code",
            after: format!("<p><a href=\"{login}\">Back to signing in</a></p>"),
        },
    )
}

#[derive(Deserialize)]
pub(super) struct Address {
    username: String,
}

pub(super) async fn ask(
    State(sign_in): State<SignIn>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    Form(form): Form<Address>,
) -> Response {
    let asked = match sign_in.asked(query.as_deref()) {
        Ok(asked) => asked,
        Err(refused) => return refused.into_response(),
    };
    if sign_in.is_foreign(&headers) {
        return FOREIGN.into_response();
    }
    let email = form.username.trim().to_owned();
    let asker = Asker {
        address: None,
        client_id: Some(asked.client_id),
        metadata: None,
    };
    // Beside the answer: neither what it says nor how long it takes depends on there being such an account.
    let (sends, name) = (sign_in.clone(), email.clone());
    tokio::spawn(async move {
        if let Err(error @ (PoolError::Internal(_) | PoolError::NoDelivery(_))) =
            sends.forgot_password(&name, &asker).await
        {
            tracing::error!(%error, "a code could not be mailed");
        }
    });
    confirming(&sign_in, query.as_deref(), &email, None)
}

#[derive(Deserialize)]
pub(super) struct Confirmation {
    username: String,
    code: String,
    password: String,
    again: String,
}

pub(super) async fn confirm(
    State(sign_in): State<SignIn>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    peer: Option<Extension<ConnectInfo<SocketAddr>>>,
    Form(form): Form<Confirmation>,
) -> Response {
    let asked = match sign_in.asked(query.as_deref()) {
        Ok(asked) => asked,
        Err(refused) => return refused.into_response(),
    };
    if sign_in.is_foreign(&headers) {
        return FOREIGN.into_response();
    }
    let email = form.username.trim();
    let again = |problem: &str, about_code: bool| {
        let tried = Tried {
            form: &form,
            problem,
            about_code,
        };
        confirming(&sign_in, query.as_deref(), email, Some(&tried))
    };
    if form.password != form.again {
        return again("The two passwords are not the same.", false);
    }
    let asker = Asker {
        address: peer.map(|Extension(ConnectInfo(peer))| peer.ip()),
        client_id: Some(asked.client_id),
        metadata: None,
    };
    match sign_in
        .confirm_forgot_password(email, &form.code, &form.password, &asker)
        .await
    {
        Ok(_) => {
            let note = Some("Your password is set. Sign in with it.");
            login::noted(query.as_deref(), StatusCode::OK, email, None, note)
        }
        Err(PoolError::BadPassword(_)) => again("This password does not have everything it needs.", false),
        Err(PoolError::Invalid(_)) => again("A password does not begin or end with a space.", false),
        Err(PoolError::WrongCode) => again("The code is not right. Look at the newest mail.", true),
        Err(PoolError::CodeExpired) => again("The code has run out. Have another one sent.", true),
        Err(PoolError::TooManyTries) => again("Too many tries. Wait a while, then try again.", true),
        Err(error) if error.is_of_a_trigger() => again(&error.to_string(), false),
        Err(error) => {
            tracing::error!(%error, "a forgotten password could not be set");
            again("That did not work, through no fault of yours. Try again.", false)
        }
    }
}

/// What came in, and what is wrong with it.
struct Tried<'a> {
    form: &'a Confirmation,
    problem: &'a str,
    about_code: bool,
}

fn confirming(sign_in: &SignIn, query: Option<&str>, email: &str, tried: Option<&Tried<'_>>) -> Response {
    let policy = sign_in
        .settings()
        .map(|settings| settings.policies.password_policy)
        .unwrap_or_default();
    let rules = policy.told(tried.map_or("", |tried| &tried.form.password));
    let another = escape(&here("forgotPassword", query));
    let (about_code, about_password) =
        tried.map_or((false, false), |tried| (tried.about_code, !tried.about_code));
    let code = forms::code(tried.map_or("", |tried| &tried.form.code), about_code);
    let password = forms::new_password(&rules, tried.is_some(), about_password, about_password);
    let status = match tried {
        Some(_) => StatusCode::BAD_REQUEST,
        None => StatusCode::OK,
    };
    forms::shown(
        status,
        &forms::Form {
            title: "Choose a new password",
            intro: "With the code from the mail. It is good for an hour.",
            problem: tried.map(|tried| tried.problem),
            note: tried
                .is_none()
                .then_some("If there is an account with this address, a code is on its way to it."),
            action: &here("confirmForgotPassword", query),
            fields: forms::known_address(email) + &code + &password,
            button: "Set password",
            after: format!("<p><a href=\"{another}\">Have another code sent</a></p>"),
        },
    )
}
