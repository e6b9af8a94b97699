//! The hosted sign-in under `/cognito/<pool id>`: discovery, authorization with code and PKCE, the sign-in page, signing
//! out. <https://docs.aws.amazon.com/cognito/latest/developerguide/authorization-endpoint.html>

use std::time::Duration;

use axum::extract::{Query, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Form, Json, Router, routing};
use axum_extra::extract::cookie::CookieJar;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;
use tokio::time::Instant;

use super::grants::{Grant, Session};
use super::{CLIENT_ID, POOL_ID, SESSION_SECONDS, SignIn, passwords, token};
use crate::page::{escape, page};

const COOKIE: &str = "groundcrew_sign_in";
const SCOPES: [&str; 3] = ["openid", "email", "profile"];

pub(super) fn router(sign_in: SignIn) -> Router {
    let routes = Router::new()
        .route("/.well-known/openid-configuration", routing::get(discovery))
        .route(
            "/.well-known/jwks.json",
            routing::get(async |State(sign_in): State<SignIn>| Json(sign_in.pool.key.jwks())),
        )
        .route("/oauth2/authorize", routing::get(authorize))
        .route("/login", routing::get(login_page).post(log_in))
        .route("/oauth2/token", routing::post(token::exchange))
        .route("/oauth2/userInfo", routing::get(token::user_info))
        .route("/logout", routing::get(log_out))
        .with_state(sign_in);
    Router::new().nest(&format!("/cognito/{POOL_ID}"), routes)
}

async fn discovery(State(sign_in): State<SignIn>) -> Response {
    let issuer = sign_in.issuer();
    Json(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/oauth2/authorize"),
        "token_endpoint": format!("{issuer}/oauth2/token"),
        "userinfo_endpoint": format!("{issuer}/oauth2/userInfo"),
        "end_session_endpoint": format!("{issuer}/logout"),
        "jwks_uri": format!("{issuer}/.well-known/jwks.json"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": SCOPES,
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "code_challenge_methods_supported": ["S256"],
        "claims_supported": ["sub", "email", "email_verified", "cognito:username", "cognito:groups", "auth_time"],
    }))
    .into_response()
}

/// What an OpenID Connect client asks for.
#[derive(Clone, Debug, Deserialize)]
struct Asked {
    client_id: String,
    redirect_uri: String,
    response_type: String,
    #[serde(default)]
    scope: String,
    state: Option<String>,
    nonce: Option<String>,
    code_challenge: Option<String>,
    code_challenge_method: Option<String>,
}

/// A request that cannot be sent back to whoever made it is answered with a page; any other goes back with an error.
enum Refused {
    Page(&'static str),
    Back(String),
}

impl SignIn {
    fn redirects(&self) -> [String; 1] {
        [format!("{}/oauth2/idpresponse", self.pool.web_origin)]
    }

    fn asked(&self, query: Option<&str>) -> Result<Asked, Refused> {
        let asked: Asked = serde_urlencoded::from_str(query.unwrap_or_default()).map_err(|_| {
            Refused::Page(
                "The link to this page is incomplete. Go back to the portal and sign in from there.",
            )
        })?;
        if asked.client_id != CLIENT_ID || !self.redirects().contains(&asked.redirect_uri) {
            return Err(Refused::Page(
                "The application that sent you here is not known here, or asked to be answered at an address it does not have.",
            ));
        }
        let plain_pkce =
            asked.code_challenge.is_some() && asked.code_challenge_method.as_deref() != Some("S256");
        let error = match asked.response_type.as_str() {
            "code" if plain_pkce => "invalid_request",
            "code"
                if asked
                    .scope
                    .split(' ')
                    .any(|scope| !scope.is_empty() && !SCOPES.contains(&scope)) =>
            {
                "invalid_scope"
            }
            "code" => return Ok(asked),
            _ => "unsupported_response_type",
        };
        Err(Refused::Back(back(&asked, &[("error", error)])))
    }

    fn finish(&self, asked: &Asked, session: Session) -> Redirect {
        let scope = if asked.scope.is_empty() {
            SCOPES.join(" ")
        } else {
            asked.scope.clone()
        };
        let code = self.pool.grants.issue(Grant {
            username: session.username,
            redirect_uri: asked.redirect_uri.clone(),
            challenge: asked.code_challenge.clone(),
            nonce: asked.nonce.clone(),
            scope,
            auth_time: session.auth_time,
        });
        Redirect::to(&back(asked, &[("code", &code)]))
    }
}

/// The redirect URI with these fields and the client's state.
fn back(asked: &Asked, fields: &[(&str, &str)]) -> String {
    let state = asked.state.as_deref().map(|state| ("state", state));
    let fields: Vec<_> = fields.iter().copied().chain(state).collect();
    format!(
        "{}?{}",
        asked.redirect_uri,
        serde_urlencoded::to_string(fields).unwrap_or_default()
    )
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        match self {
            Self::Back(uri) => Redirect::to(&uri).into_response(),
            Self::Page(text) => {
                let main = format!("<div class=\"card\"><h1>This link does not work</h1><p>{text}</p></div>");
                page(StatusCode::BAD_REQUEST, "Sign in", &main)
            }
        }
    }
}

/// Whoever signed in within the hour goes straight back with a code.
async fn authorize(State(sign_in): State<SignIn>, cookies: CookieJar, RawQuery(query): RawQuery) -> Response {
    let asked = match sign_in.asked(query.as_deref()) {
        Ok(asked) => asked,
        Err(refused) => return refused.into_response(),
    };
    match cookies
        .get(COOKIE)
        .and_then(|cookie| sign_in.pool.grants.session(cookie.value()))
    {
        Some(session) => sign_in.finish(&asked, session).into_response(),
        None => {
            Redirect::to(&format!("/cognito/{POOL_ID}/login?{}", query.unwrap_or_default())).into_response()
        }
    }
}

async fn login_page(State(sign_in): State<SignIn>, RawQuery(query): RawQuery) -> Response {
    match sign_in.asked(query.as_deref()) {
        Ok(_) => form(StatusCode::OK, "", None),
        Err(refused) => refused.into_response(),
    }
}

/// The form posts to its own address, which carries what the client asked for.
fn form(status: StatusCode, email: &str, problem: Option<&str>) -> Response {
    let alert = problem.map(|text| {
        format!(
            "<p role=\"alert\" id=\"problem\" class=\"bad\">{}</p>",
            escape(text)
        )
    });
    let invalid = if problem.is_some() {
        " aria-invalid=\"true\" aria-describedby=\"problem\""
    } else {
        ""
    };
    let (focus_email, focus_password) = if email.is_empty() {
        (" autofocus", "")
    } else {
        ("", " autofocus")
    };
    let main = format!(
        "<div class=\"card\">\n<h1>Sign in to label</h1>\n<p class=\"soft\">With the e-mail address and password you were \
         given.</p>\n{}\n<form method=\"post\">\n<label for=\"username\">E-mail address</label>\n\
         <input id=\"username\" name=\"username\" type=\"email\" autocomplete=\"username\" required value=\"{}\"{invalid}{focus_email}>\n\
         <label for=\"password\">Password</label>\n<input id=\"password\" name=\"password\" type=\"password\" \
         autocomplete=\"current-password\" required{invalid}{focus_password}>\n<button type=\"submit\">Sign in</button>\n</form>\n</div>",
        alert.unwrap_or_default(),
        escape(email),
    );
    page(status, "Sign in", &main)
}

#[derive(Deserialize)]
struct Credentials {
    username: String,
    password: String,
}

async fn log_in(
    State(sign_in): State<SignIn>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    Form(credentials): Form<Credentials>,
) -> Response {
    let asked = match sign_in.asked(query.as_deref()) {
        Ok(asked) => asked,
        Err(refused) => return refused.into_response(),
    };
    // Another site's form could sign somebody in as somebody else, and collect their work under that name.
    let foreign = headers
        .get(header::ORIGIN)
        .is_some_and(|origin| *origin != sign_in.pool.web_origin.as_str());
    if foreign {
        return Refused::Page(
            "This form was sent from another site. Go back to the portal and sign in from there.",
        )
        .into_response();
    }
    match sign_in.check_password(&credentials).await {
        Ok(session) => {
            let cookie = session_cookie(
                &sign_in,
                &sign_in.pool.grants.remember(session.clone()),
                SESSION_SECONDS,
            );
            ([(header::SET_COOKIE, cookie)], sign_in.finish(&asked, session)).into_response()
        }
        Err(None) => {
            let text = "The e-mail address or the password is not right.";
            form(StatusCode::UNAUTHORIZED, &credentials.username, Some(text))
        }
        Err(Some(wait)) => {
            let seconds = wait.as_secs() + 1;
            let text = format!("Too many tries. Wait {seconds} seconds, then try again.");
            form(StatusCode::TOO_MANY_REQUESTS, &credentials.username, Some(&text))
        }
    }
}

impl SignIn {
    /// `Err`: wrong, or (with a time) locked; neither tells whether there is such an account.
    async fn check_password(&self, credentials: &Credentials) -> Result<Session, Option<Duration>> {
        let address = &credentials.username;
        self.pool.guessing.begin(address, Instant::now()).map_err(Some)?;
        let user = self.pool.users.find(address.trim());
        let hash = user.as_ref().and_then(|user| user.password_hash.clone());
        let right = passwords::matches(&credentials.password, hash).await;
        match user {
            Some(user) if right => {
                self.pool.guessing.succeeded(address);
                Ok(Session {
                    username: user.username,
                    auth_time: Timestamp::now(),
                })
            }
            _ => Err(None),
        }
    }
}

fn session_cookie(sign_in: &SignIn, value: &str, seconds: i64) -> HeaderValue {
    let secure = if sign_in.pool.web_origin.starts_with("https://") {
        "; Secure"
    } else {
        ""
    };
    let text = format!("{COOKIE}={value}; Path=/cognito; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}");
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
}

#[derive(Deserialize)]
struct LogOut {
    logout_uri: Option<String>,
}

/// Forgets the sign-in; sends people on only to the portal.
async fn log_out(State(sign_in): State<SignIn>, cookies: CookieJar, Query(asked): Query<LogOut>) -> Response {
    if let Some(cookie) = cookies.get(COOKIE) {
        sign_in.pool.grants.forget(cookie.value());
    }
    let origin = &sign_in.pool.web_origin;
    let known = |uri: &String| {
        uri == origin
            || uri
                .strip_prefix(origin.as_str())
                .is_some_and(|path| path.starts_with('/'))
    };
    let onward = match asked.logout_uri.filter(known) {
        Some(uri) => Redirect::to(&uri).into_response(),
        None => page(
            StatusCode::OK,
            "Signed out",
            "<div class=\"card\"><h1>You are signed out</h1><p><a href=\"/\">To the portal</a></p></div>",
        ),
    };
    ([(header::SET_COOKIE, session_cookie(&sign_in, "", 0))], onward).into_response()
}
