//! Who may use the console: a browser that opened a link which the console's owner was given. A link works once; from then
//! on the browser's cookie holds the name of a session. A program of the owner's sends the stack's secret instead. Every
//! request has to come from the console's own host and origin; one that changes something also has a header that a form of
//! another site cannot send.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{Request, State};
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{AppendHeaders, IntoResponse as _, Redirect, Response};
use sha2::{Digest as _, Sha256};

use crate::assets;
use crate::sessions::{MAX_AGE, Sessions, is_equal_secret};

/// Header of every request that changes something.
pub(crate) const CHANGE_HEADER: &str = "x-groundcrew";

/// No script, style or frame but the console's own, and no inline ones: markup in a name or a notice stays text even if
/// the page forgot to escape it.
const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
     connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

const LOCKED_TEXT: &str = "<p>Open it through the link that was printed when it was started, by <code>groundcrew up</code> or \
     <code>groundcrew console</code>: the one with <code>?token=</code> in it. Each link works once. On the machine that \
     runs it, <code>groundcrew link</code> prints a new one.</p>";

/// What the locked page itself needs; there is nothing secret in it.
const PUBLIC_PATHS: [&str; 2] = ["/console/assets/style.css", "/console/assets/icon.svg"];

/// Where a browser sends the session's cookie: the console, and the outbox behind the same guard.
const COOKIE_PATHS: [&str; 2] = ["/console", "/outbox"];
/// Ends the session of the browser that asks.
pub(crate) const SIGN_OUT: &str = "/console/api/sign-out";

pub(crate) struct Gate {
    secret: String,
    cookie: String,
    sessions: Sessions,
    /// `host:port` of the console; and of this machine itself, where that is another one.
    authorities: Vec<String>,
    /// The cookie is sent over TLS only.
    secure: bool,
}

impl Gate {
    /// The cookie is named by the stack, because browsers do not keep the cookies of two ports of one host apart.
    pub(crate) fn new(secret: &str, public_url: &str, local_url: Option<&str>) -> Self {
        let name = hex::encode(&Sha256::digest(format!("groundcrew console name {secret}"))[..4]);
        let authority = |url: &str| {
            let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
            rest.split('/').next().unwrap_or_default().to_ascii_lowercase()
        };
        Self {
            secret: secret.to_owned(),
            cookie: format!("groundcrew-console-{name}"),
            sessions: Sessions::new(secret),
            authorities: std::iter::once(public_url)
                .chain(local_url)
                .map(authority)
                .collect(),
            secure: public_url.starts_with("https://"),
        }
    }

    fn session<'h>(&self, headers: &'h HeaderMap) -> Option<&'h str> {
        let cookies = headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok());
        let mut pairs = cookies
            .flat_map(|value| value.split(';'))
            .filter_map(|pair| pair.trim().split_once('='));
        pairs.find_map(|(name, value)| (name == self.cookie).then_some(value))
    }

    fn is_signed_in(&self, headers: &HeaderMap) -> bool {
        let session = self.session(headers);
        session.is_some_and(|name| self.sessions.is_open(name, Instant::now())) || self.is_program(headers)
    }

    /// A page of another site cannot send this header, and a program that can read the secret may read all the rest.
    fn is_program(&self, headers: &HeaderMap) -> bool {
        let given = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok());
        let given = given.and_then(|value| value.strip_prefix("Bearer "));
        given.is_some_and(|given| is_equal_secret(given, &self.secret))
    }

    /// `Secure` at the public address only: this machine itself is reached without TLS.
    fn set_cookies(&self, value: &str, seconds: u64, host: &str) -> [(HeaderName, String); 2] {
        let public = self
            .authorities
            .first()
            .is_some_and(|public| public.eq_ignore_ascii_case(host));
        let secure = if self.secure && public { "; Secure" } else { "" };
        let name = &self.cookie;
        COOKIE_PATHS.map(|path| {
            let text =
                format!("{name}={value}; Path={path}; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}");
            (header::SET_COOKIE, text)
        })
    }

    /// The console's own host, or, on the same port, `localhost` or an IP address: only a *name* can be made to point here
    /// by another person.
    fn is_own_host(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        let (name, port) = split_port(&host);
        self.authorities.iter().any(|authority| {
            host == *authority
                || (port == split_port(authority).1 && (name == "localhost" || is_address(name)))
        })
    }
}

fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => (name, Some(port)),
        _ => (authority, None),
    }
}

fn is_address(name: &str) -> bool {
    name.trim_start_matches('[')
        .trim_end_matches(']')
        .parse::<IpAddr>()
        .is_ok()
}

/// Lets a request through, or answers why not.
pub(crate) async fn guard(State(gate): State<Arc<Gate>>, request: Request, next: Next) -> Response {
    let response = match check(&gate, &request) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal,
    };
    add_security_headers(response)
}

// A refusal is the answer itself; it is made once a request and never moved about.
#[allow(clippy::result_large_err)]
fn check(gate: &Gate, request: &Request) -> Result<(), Response> {
    let headers = request.headers();
    let host = request.uri().authority().map(|authority| authority.as_str());
    let host = host
        .or_else(|| headers.get(header::HOST)?.to_str().ok())
        .unwrap_or_default();
    if !gate.is_own_host(host) {
        return Err(refuse(
            StatusCode::MISDIRECTED_REQUEST,
            "The console is not served under this name.",
        ));
    }
    if headers
        .get(header::ORIGIN)
        .is_some_and(|origin| !is_from(origin, host))
    {
        return Err(refuse(
            StatusCode::FORBIDDEN,
            "This request comes from another site.",
        ));
    }
    if let Some(token) = link_token(request) {
        return Err(sign_in(gate, token, host, request.uri().path()));
    }
    if !gate.is_signed_in(headers) && !PUBLIC_PATHS.contains(&request.uri().path()) {
        return Err(refuse_without_session(request));
    }
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD);
    if changes && headers.get(CHANGE_HEADER).is_none_or(|value| value != "1") {
        let message = format!("A request that changes something needs the header `{CHANGE_HEADER}: 1`.");
        return Err(refuse(StatusCode::FORBIDDEN, &message));
    }
    if request.method() == Method::POST && request.uri().path() == SIGN_OUT {
        return Err(sign_out(gate, headers, host));
    }
    Ok(())
}

fn is_from(origin: &HeaderValue, host: &str) -> bool {
    let origin = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
    origin.is_some_and(|(_, authority)| authority.eq_ignore_ascii_case(host))
}

/// Only pages take a token, so that it never gets into the address of anything else.
fn link_token(request: &Request) -> Option<&str> {
    let page = matches!(request.uri().path(), "/console" | "/console/" | "/outbox");
    let query = request
        .uri()
        .query()
        .filter(|_| page && request.method() == Method::GET)?;
    query.split('&').find_map(|pair| pair.strip_prefix("token="))
}

/// Redirects to the address without the token.
fn sign_in(gate: &Gate, token: &str, host: &str, page: &str) -> Response {
    let Some(session) = gate.sessions.start(token, Instant::now()) else {
        return locked_page();
    };
    let cookies = gate.set_cookies(&session, MAX_AGE.as_secs(), host);
    let onward = Redirect::to(page.trim_end_matches('/'));
    (AppendHeaders(cookies), onward).into_response()
}

fn sign_out(gate: &Gate, headers: &HeaderMap, host: &str) -> Response {
    if let Some(session) = gate.session(headers) {
        gate.sessions.end(session);
    }
    let cookies = gate.set_cookies("", 0, host);
    (AppendHeaders(cookies), StatusCode::NO_CONTENT).into_response()
}

fn locked_page() -> Response {
    (
        StatusCode::UNAUTHORIZED,
        assets::message_page("This console is locked", LOCKED_TEXT),
    )
        .into_response()
}

fn refuse_without_session(request: &Request) -> Response {
    let accepts = request
        .headers()
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok());
    let path = request.uri().path();
    let outbox_page = path.starts_with("/outbox") && accepts.is_some_and(|kinds| kinds.contains("text/html"));
    if matches!(path, "/console" | "/console/") || outbox_page {
        return locked_page();
    }
    refuse(
        StatusCode::UNAUTHORIZED,
        "Open the console through a link first: `groundcrew link` prints one.",
    )
}

pub(crate) fn refuse(status: StatusCode, message: &str) -> Response {
    (status, axum::Json(serde_json::json!({ "error": message }))).into_response()
}

fn add_security_headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    let defaults: [(HeaderName, &'static str); 6] = [
        (header::CONTENT_SECURITY_POLICY, CSP),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
    ];
    for (name, value) in defaults {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_name_is_not_the_consoles_host_but_an_ip_address_is() {
        let gate = Gate::new("t", "http://127.0.0.1:8080", None);
        for host in [
            "127.0.0.1:8080",
            "localhost:8080",
            "LOCALHOST:8080",
            "[::1]:8080",
            "192.168.1.2:8080",
        ] {
            assert!(gate.is_own_host(host), "{host}");
        }
        for host in [
            "evil.example:8080",
            "127.0.0.1",
            "localhost:9",
            "127.0.0.1.evil.example:8080",
            "",
        ] {
            assert!(!gate.is_own_host(host), "{host}");
        }
        let behind = Gate::new(
            "t",
            "https://crew.example.org",
            Some("http://127.0.0.1:8080/outbox"),
        );
        for (host, known) in [
            ("crew.example.org", true),
            ("127.0.0.1:8080", true),
            ("crew.example.org:8080", false),
        ] {
            assert_eq!(behind.is_own_host(host), known, "{host}");
        }
    }
}
