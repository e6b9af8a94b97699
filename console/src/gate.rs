//! Who may look: whoever opened the link that the console's owner was given. That link carries a token once; from
//! then on the browser holds a cookie. Every request needs it, and comes from the console's own host and origin;
//! one that changes something also carries a header that a form of another site cannot send.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Redirect, Response};
use sha2::{Digest as _, Sha256};

use crate::assets;

/// Header of every request that changes something.
pub(crate) const CHANGE_HEADER: &str = "x-groundcrew";

/// No script, style or frame but the console's own, and no inline ones: a name or a notice that holds markup stays
/// text even if the page had a hole.
const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
     connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

const LOCKED: &str = "<p>Open it once through the link that was printed when it was started, by <code>groundcrew up</code> or \
     <code>groundcrew console</code>: the one with <code>?token=</code> in it. This browser then stays signed in.</p>";

/// What the locked page itself is made of, and tells nobody anything.
const OPEN: [&str; 2] = ["/console/assets/style.css", "/console/assets/icon.svg"];

#[derive(Debug)]
pub(crate) struct Gate {
    token: String,
    cookie: String,
    secret: String,
    /// `host:port` the console is reached at.
    authority: String,
    /// The cookie travels encrypted or not at all.
    secure: bool,
}

impl Gate {
    /// The cookie is derived from the token, so that a browser stays signed in for as long as the token lives, and
    /// named by it, because browsers do not keep the cookies of two ports of one host apart.
    pub(crate) fn new(token: &str, public_url: &str) -> Self {
        let secret = hex::encode(Sha256::digest(format!("groundcrew console cookie {token}")));
        let name = hex::encode(&Sha256::digest(format!("groundcrew console name {token}"))[..4]);
        let authority = public_url.split_once("://").map_or(public_url, |(_, rest)| rest);
        Self {
            token: token.to_owned(),
            cookie: format!("groundcrew-console-{name}"),
            secret,
            authority: authority.trim_end_matches('/').to_ascii_lowercase(),
            secure: public_url.starts_with("https://"),
        }
    }

    fn has_cookie(&self, headers: &HeaderMap) -> bool {
        let cookies = headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok());
        let pairs = cookies
            .flat_map(|value| value.split(';'))
            .filter_map(|pair| pair.trim().split_once('='));
        pairs
            .into_iter()
            .any(|(name, value)| name == self.cookie && same(value, &self.secret))
    }

    fn set_cookie(&self) -> String {
        let secure = if self.secure { "; Secure" } else { "" };
        format!(
            "{}={}; Path=/console; HttpOnly; SameSite=Strict; Max-Age=31536000{secure}",
            self.cookie, self.secret
        )
    }

    /// The host it was opened for, or, on the same port, this machine or an address: only a *name* can be made to
    /// point here by somebody else.
    fn knows_host(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        if host == self.authority {
            return true;
        }
        let (name, port) = split(&host);
        port == split(&self.authority).1 && (name == "localhost" || is_address(name))
    }
}

fn split(authority: &str) -> (&str, Option<&str>) {
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

/// Compared by their hashes: how long it takes says nothing of how much was right.
fn same(given: &str, right: &str) -> bool {
    Sha256::digest(given) == Sha256::digest(right)
}

/// Lets a request through or says why not.
pub(crate) async fn guard(State(gate): State<Arc<Gate>>, request: Request, next: Next) -> Response {
    let response = match admit(&gate, &request) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal,
    };
    harden(response)
}

// A refusal is the answer itself; it is made once a request and never moved about.
#[allow(clippy::result_large_err)]
fn admit(gate: &Gate, request: &Request) -> Result<(), Response> {
    let headers = request.headers();
    let host = request.uri().authority().map(|authority| authority.as_str());
    let host = host
        .or_else(|| headers.get(header::HOST)?.to_str().ok())
        .unwrap_or_default();
    if !gate.knows_host(host) {
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
    if let Some(token) = token(request) {
        return Err(sign_in(gate, token));
    }
    if !gate.has_cookie(headers) && !OPEN.contains(&request.uri().path()) {
        return Err(locked(request));
    }
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD);
    if changes && headers.get(CHANGE_HEADER).is_none_or(|value| value != "1") {
        let message = format!("A request that changes something needs the header `{CHANGE_HEADER}: 1`.");
        return Err(refuse(StatusCode::FORBIDDEN, &message));
    }
    Ok(())
}

fn is_from(origin: &HeaderValue, host: &str) -> bool {
    let origin = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
    origin.is_some_and(|(_, authority)| authority.eq_ignore_ascii_case(host))
}

/// Only the page takes a token, so that it can never end in the address of anything else.
fn token(request: &Request) -> Option<&str> {
    let page = matches!(request.uri().path(), "/console" | "/console/");
    let query = request
        .uri()
        .query()
        .filter(|_| page && request.method() == Method::GET)?;
    query.split('&').find_map(|pair| pair.strip_prefix("token="))
}

/// Away from the address that holds the token, whichever way it ends.
fn sign_in(gate: &Gate, token: &str) -> Response {
    if !same(token, &gate.token) {
        return locked_page();
    }
    (
        [(header::SET_COOKIE, gate.set_cookie())],
        Redirect::to("/console"),
    )
        .into_response()
}

fn locked_page() -> Response {
    (
        StatusCode::UNAUTHORIZED,
        assets::alone("This console is locked", LOCKED),
    )
        .into_response()
}

fn locked(request: &Request) -> Response {
    if matches!(request.uri().path(), "/console" | "/console/") {
        return locked_page();
    }
    refuse(
        StatusCode::UNAUTHORIZED,
        "Open the console through the link that was printed when it was started.",
    )
}

pub(crate) fn refuse(status: StatusCode, message: &str) -> Response {
    (status, axum::Json(serde_json::json!({ "error": message }))).into_response()
}

fn harden(mut response: Response) -> Response {
    let headers = response.headers_mut();
    let all: [(HeaderName, &'static str); 6] = [
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
    for (name, value) in all {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_foreign_name_is_not_the_consoles_host_but_an_address_is() {
        let gate = Gate::new("t", "http://127.0.0.1:8080");
        for host in [
            "127.0.0.1:8080",
            "localhost:8080",
            "LOCALHOST:8080",
            "[::1]:8080",
            "192.168.1.2:8080",
        ] {
            assert!(gate.knows_host(host), "{host}");
        }
        for host in [
            "evil.example:8080",
            "127.0.0.1",
            "localhost:9",
            "127.0.0.1.evil.example:8080",
            "",
        ] {
            assert!(!gate.knows_host(host), "{host}");
        }
    }
}
