//! The pages of the hosted sign-in, and the words for what went wrong.

use axum::http::StatusCode;
use axum::response::Response;

use super::forms::{self, FormPage, Notice};
use super::request::page_path;
use crate::cognito::error::PoolError;
use crate::page::escape;

pub(super) const UNLIKE_PASSWORDS: &str = "The two passwords are not the same.";
const WRONG_PASSWORD: &str = "Wrong e-mail address or password.";
const OUR_FAULT: &str = "Something went wrong on our side. Please try again.";

/// A password that did not do, and what is wrong with it: it decides which rules are shown as missing.
pub(super) struct FailedPassword<'a> {
    pub(super) password: &'a str,
    pub(super) problem: &'a str,
}

pub(super) struct NewPasswordPage<'a> {
    pub(super) session: &'a str,
    pub(super) email: &'a str,
    pub(super) failed: Option<&'a FailedPassword<'a>>,
}

/// What is wrong, and with which field.
#[derive(Clone, Copy)]
pub(super) enum ResetProblem<'a> {
    Code(&'a str),
    Password(&'a str),
}

pub(super) struct FailedReset<'a> {
    pub(super) code: &'a str,
    pub(super) password: &'a str,
    pub(super) problem: ResetProblem<'a>,
}

pub(super) fn login_page(
    query: Option<&str>,
    status: StatusCode,
    email: &str,
    problem: Option<&str>,
) -> Response {
    login_form(query, status, email, problem.map(Notice::Problem))
}

pub(super) fn login_page_after_reset(query: Option<&str>, email: &str) -> Response {
    let done = Notice::Success("Your password is set. Sign in with it.");
    login_form(query, StatusCode::OK, email, Some(done))
}

fn login_form(query: Option<&str>, status: StatusCode, email: &str, notice: Option<Notice<'_>>) -> Response {
    let is_wrong = matches!(notice, Some(Notice::Problem(_)));
    let forgotten = escape(&page_path("forgotPassword", query));
    forms::respond(
        status,
        &FormPage {
            title: "Sign in to label",
            intro: "Enter your e-mail address and your password. The first time, use the temporary password from your \
                    invitation.",
            notice,
            action: &page_path("login", query),
            fields: forms::address(email, is_wrong, email.is_empty())
                + &forms::password(is_wrong, !email.is_empty()),
            button: "Sign in",
            after: format!("<p><a href=\"{forgotten}\">Forgot your password?</a></p>"),
        },
    )
}

pub(super) fn new_password_page(query: Option<&str>, page: &NewPasswordPage<'_>) -> Response {
    let status = match page.failed {
        Some(_) => StatusCode::BAD_REQUEST,
        None => StatusCode::OK,
    };
    let tried = page.failed.map(|failed| failed.password);
    let name = forms::hidden_field("session", page.session) + &forms::known_address(page.email);
    forms::respond(
        status,
        &FormPage {
            title: "Choose your own password",
            intro: "The temporary password works only once. From now on you sign in with your own.",
            notice: page.failed.map(|failed| Notice::Problem(failed.problem)),
            action: &page_path("newPassword", query),
            fields: name + &forms::new_password(tried, tried.is_some(), true),
            button: "Set password and sign in",
            after: String::new(),
        },
    )
}

pub(super) fn forgot_page(query: Option<&str>) -> Response {
    let login = escape(&page_path("login", query));
    forms::respond(
        StatusCode::OK,
        &FormPage {
            title: "Forgot your password?",
            intro: "Enter your e-mail address. We send it a code, and with the code you choose a new password. If you have \
                    an invitation and have never signed in, use the temporary password in it.",
            notice: None,
            action: &page_path("forgotPassword", query),
            fields: forms::address("", false, true),
            button: "Send a code",
            after: format!("<p><a href=\"{login}\">Back to sign-in</a></p>"),
        },
    )
}

pub(super) fn reset_page(
    query: Option<&str>,
    status: StatusCode,
    email: &str,
    failed: Option<&FailedReset<'_>>,
) -> Response {
    let another = escape(&page_path("forgotPassword", query));
    let problem = failed.map(|failed| failed.problem);
    let is_code_wrong = matches!(problem, Some(ResetProblem::Code(_)));
    let is_password_wrong = matches!(problem, Some(ResetProblem::Password(_)));
    let code = forms::code(failed.map_or("", |failed| failed.code), is_code_wrong);
    let tried = failed.map(|failed| failed.password);
    let password = forms::new_password(tried, is_password_wrong, is_password_wrong);
    let notice = match problem {
        Some(ResetProblem::Code(text) | ResetProblem::Password(text)) => Notice::Problem(text),
        None => Notice::Success("If there is an account with this address, a code has been sent to it."),
    };
    forms::respond(
        status,
        &FormPage {
            title: "Choose a new password",
            intro: "Enter the code from the mail. It is valid for an hour.",
            notice: Some(notice),
            action: &page_path("confirmForgotPassword", query),
            fields: forms::known_address(email) + &code + &password,
            button: "Set password",
            after: format!("<p><a href=\"{another}\">Send another code</a></p>"),
        },
    )
}

/// What is wrong with a new password, if that is what the error is about.
pub(super) fn password_problem(error: &PoolError) -> Option<&'static str> {
    match error {
        PoolError::BadPassword(_) => Some("This password does not follow all the rules."),
        PoolError::Invalid(_) => Some("A password cannot begin or end with a space."),
        _ => None,
    }
}

/// Status and words of any other error. What the person cannot help is logged.
pub(super) fn explain(error: &PoolError) -> (StatusCode, String) {
    match error {
        PoolError::NotAuthorized(_) => (StatusCode::UNAUTHORIZED, WRONG_PASSWORD.to_owned()),
        PoolError::Locked { seconds } => (
            StatusCode::TOO_MANY_REQUESTS,
            format!("Too many tries. Wait {seconds} seconds, then try again."),
        ),
        error if error.is_from_trigger() => (StatusCode::BAD_REQUEST, error.to_string()),
        error => {
            tracing::error!(%error, "sign-in failed");
            (StatusCode::INTERNAL_SERVER_ERROR, OUR_FAULT.to_owned())
        }
    }
}
