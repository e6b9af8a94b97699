//! The sign-in page, and the page after it for whoever came with a temporary password.

use std::net::SocketAddr;
use std::time::Duration;

use axum::extract::{ConnectInfo, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Response};
use axum::{Extension, Form};
use axum_extra::extract::cookie::CookieJar;
use serde::Deserialize;

use super::asked::{Asked, FOREIGN};
use super::{browser_cookie, forms, here, session_cookie};
use crate::cognito::SignIn;
use crate::cognito::error::PoolError;
use crate::cognito::flow::password::Checked;
use crate::cognito::grants::{Challenge, SESSION_SECONDS, Session};
use crate::cognito::spraying::Guest;
use crate::cognito::store::record::User;

/// Long enough to think of a good one.
const CHOOSING: Duration = Duration::from_secs(15 * 60);
/// Stays in a browser in which somebody has signed in; [`SignIn::mark`] is its value.
const KNOWN: &str = "groundcrew_known";
const KNOWN_SECONDS: u32 = 90 * 24 * 60 * 60;
pub(super) const WRONG: &str = "The e-mail address or the password is not right.";
const RUN_OUT: &str = "This temporary password has run out. Look for a newer invitation in your mail: it is sent again by \
                       itself. If there is none, ask the person named in your invitation for a new one.";
const DISABLED: &str = "This account is switched off. Ask the person named in your invitation.";

pub(super) async fn show(State(sign_in): State<SignIn>, RawQuery(query): RawQuery) -> Response {
    match sign_in.asked(query.as_deref()) {
        Ok(_) => form(query.as_deref(), StatusCode::OK, "", None),
        Err(refused) => refused.into_response(),
    }
}

pub(super) fn form(query: Option<&str>, status: StatusCode, email: &str, problem: Option<&str>) -> Response {
    noted(query, status, email, problem, None)
}

/// The form's address carries what the client asked for.
pub(super) fn noted(
    query: Option<&str>,
    status: StatusCode,
    email: &str,
    problem: Option<&str>,
    note: Option<&str>,
) -> Response {
    let wrong = problem.is_some();
    let forgotten = crate::page::escape(&here("forgotPassword", query));
    forms::shown(
        status,
        &forms::Form {
            title: "Sign in to label",
            intro: "With your e-mail address and your password. The first time, that is the temporary password of your invitation.",
            problem,
            note,
            action: &here("login", query),
            fields: forms::address(email, wrong, email.is_empty())
                + &forms::password(wrong, !email.is_empty()),
            button: "Sign in",
            after: format!("<p><a href=\"{forgotten}\">Forgot your password?</a></p>"),
        },
    )
}

#[derive(Deserialize)]
pub(super) struct Credentials {
    username: String,
    password: String,
}

pub(super) async fn log_in(
    State(sign_in): State<SignIn>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    cookies: CookieJar,
    peer: Option<Extension<ConnectInfo<SocketAddr>>>,
    Form(credentials): Form<Credentials>,
) -> Response {
    let asked = match sign_in.asked(query.as_deref()) {
        Ok(asked) => asked,
        Err(refused) => return refused.into_response(),
    };
    if sign_in.is_foreign(&headers) {
        return FOREIGN.into_response();
    }
    let email = credentials.username.trim();
    let again = |status, text: &str| form(query.as_deref(), status, email, Some(text));
    let guest = Guest {
        client: peer.map(|Extension(ConnectInfo(peer))| peer.ip()),
        mark: cookies.get(KNOWN).map(|cookie| cookie.value().to_owned()),
        is_admin: false,
    };
    match sign_in.check_password(email, &credentials.password, &guest).await {
        Ok(Checked::In(user)) => sign_in.let_in(&asked, query.as_deref(), user).await,
        Ok(Checked::Temporary(user)) => {
            let challenge = Challenge {
                username: user.username,
                client_id: asked.client_id,
                temporary: user.password_hash,
            };
            let now = sign_in.pool.time.instant();
            let session = sign_in.pool.grants.challenge(challenge, now, CHOOSING);
            choosing(&sign_in, query.as_deref(), StatusCode::OK, &session, email, None)
        }
        Ok(Checked::RunOut) => again(StatusCode::FORBIDDEN, RUN_OUT),
        Err(PoolError::Locked { seconds }) => {
            let text = format!("Too many tries. Wait {seconds} seconds, then try again.");
            again(StatusCode::TOO_MANY_REQUESTS, &text)
        }
        Err(error) => {
            let (status, text) = explained(&error);
            again(status, &text)
        }
    }
}

/// What a refusal is on a page.
fn explained(error: &PoolError) -> (StatusCode, String) {
    match error {
        PoolError::NotAuthorized(text) if text.contains("disabled") => (StatusCode::FORBIDDEN, DISABLED.to_owned()),
        PoolError::NotAuthorized(_) => (StatusCode::UNAUTHORIZED, WRONG.to_owned()),
        PoolError::ResetRequired => (
            StatusCode::FORBIDDEN,
            "Your password has to be set anew. A code was mailed to you: choose \u{201c}Forgot your password?\u{201d} below.".to_owned(),
        ),
        PoolError::NotConfirmed => (
            StatusCode::FORBIDDEN,
            "Your e-mail address has not been confirmed yet. Ask the person who runs the team.".to_owned(),
        ),
        error if error.is_of_a_trigger() => (StatusCode::BAD_REQUEST, error.to_string()),
        error => {
            tracing::error!(%error, "a sign-in failed");
            (StatusCode::INTERNAL_SERVER_ERROR, "That did not work, through no fault of yours. Try again.".to_owned())
        }
    }
}

impl SignIn {
    async fn let_in(&self, asked: &Asked, query: Option<&str>, user: User) -> Response {
        let known = browser_cookie(self, KNOWN, &self.mark(&user), KNOWN_SECONDS);
        let session = Session {
            username: user.username,
            auth_time: self.pool.time.now(),
        };
        match self.finish(asked, session.clone()).await {
            Ok(redirect) => {
                let name = self.pool.grants.remember(session, self.pool.time.instant());
                let cookie = session_cookie(self, &name, SESSION_SECONDS);
                let cookies = [(header::SET_COOKIE, cookie), (header::SET_COOKIE, known)];
                (AppendHeaders(cookies), redirect).into_response()
            }
            Err(error) => {
                let (status, text) = explained(&error);
                form(query, status, &user.email, Some(&text))
            }
        }
    }
}

/// What went wrong with a password, and the password, which decides which rules are shown as missing.
struct Tried<'a> {
    password: &'a str,
    problem: &'a str,
}

fn choosing(
    sign_in: &SignIn,
    query: Option<&str>,
    status: StatusCode,
    session: &str,
    email: &str,
    tried: Option<&Tried<'_>>,
) -> Response {
    let policy = sign_in
        .settings()
        .map(|settings| settings.policies.password_policy)
        .unwrap_or_default();
    let rules = policy.told(tried.map_or("", |tried| tried.password));
    let name = forms::hidden("session", session) + &forms::known_address(email);
    forms::shown(
        status,
        &forms::Form {
            title: "Choose your own password",
            intro: "The temporary one has done its work. From now on you sign in with this one.",
            problem: tried.map(|tried| tried.problem),
            note: None,
            action: &here("newPassword", query),
            fields: name + &forms::new_password(&rules, tried.is_some(), tried.is_some(), true),
            button: "Set password and sign in",
            after: String::new(),
        },
    )
}

#[derive(Deserialize)]
pub(super) struct Choice {
    session: String,
    /// For the browser's password manager, and to be shown again; it decides nothing.
    #[serde(default)]
    username: String,
    password: String,
    again: String,
}

pub(super) async fn choose(
    State(sign_in): State<SignIn>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    Form(choice): Form<Choice>,
) -> Response {
    let asked = match sign_in.asked(query.as_deref()) {
        Ok(asked) => asked,
        Err(refused) => return refused.into_response(),
    };
    if sign_in.is_foreign(&headers) {
        return FOREIGN.into_response();
    }
    let now = sign_in.pool.time.instant();
    let challenge = sign_in.pool.grants.challenged(&choice.session, now);
    let Some(challenge) = challenge.filter(|challenge| challenge.client_id == asked.client_id) else {
        let text = "That took too long. Sign in again with the temporary password.";
        return form(
            query.as_deref(),
            StatusCode::FORBIDDEN,
            &choice.username,
            Some(text),
        );
    };
    let again = |problem: &str| {
        let tried = Tried {
            password: &choice.password,
            problem,
        };
        choosing(
            &sign_in,
            query.as_deref(),
            StatusCode::BAD_REQUEST,
            &choice.session,
            &choice.username,
            Some(&tried),
        )
    };
    if choice.password != choice.again {
        return again("The two passwords are not the same.");
    }
    match sign_in
        .choose_password(&challenge.username, challenge.temporary, &choice.password, |_| {})
        .await
    {
        Ok(user) => {
            sign_in.pool.grants.met(&choice.session, now);
            sign_in.let_in(&asked, query.as_deref(), user).await
        }
        Err(PoolError::BadPassword(_)) => again("This password does not have everything it needs."),
        Err(PoolError::Invalid(_)) => again("A password does not begin or end with a space."),
        Err(PoolError::NotAuthorized(_)) => {
            let text = "The temporary password is not good any more. Sign in with the newest invitation, or with your own password.";
            form(
                query.as_deref(),
                StatusCode::FORBIDDEN,
                &choice.username,
                Some(text),
            )
        }
        Err(error) => again(&explained(&error).1),
    }
}
