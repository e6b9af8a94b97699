//! Who may ask the web port: only requests for a host name it goes by, so that a foreign page cannot rebind its own
//! name to this machine and read what lies here; and one name per visitor, so that cookies stay together.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};

const LOOPBACK: [&str; 3] = ["127.0.0.1", "localhost", "[::1]"];

/// The origin people are meant to use, and the names that are answered.
#[derive(Clone, Debug)]
pub(crate) struct WebGuard {
    origin: Arc<str>,
    names: Arc<[String]>,
}

impl WebGuard {
    /// `origin` is `scheme://host[:port]` without a slash at the end.
    pub(crate) fn new(origin: &str) -> Self {
        let mut names: Vec<String> = LOOPBACK.iter().map(|&name| name.to_owned()).collect();
        names.push(host_name(host_of(origin)).to_ascii_lowercase());
        Self {
            origin: origin.into(),
            names: names.into(),
        }
    }
}

pub(crate) async fn check_host(State(guard): State<WebGuard>, request: Request, next: Next) -> Response {
    let Some(host) = host(request.headers()) else {
        return (StatusCode::BAD_REQUEST, "The request names no host.\n").into_response();
    };
    let name = host_name(host).to_ascii_lowercase();
    if !guard.names.contains(&name) {
        let text = format!(
            "This server does not go by that name. Open {} instead.\n",
            guard.origin
        );
        return (StatusCode::MISDIRECTED_REQUEST, text).into_response();
    }
    let canonical = host_of(&guard.origin);
    let same_machine = LOOPBACK.contains(&host_name(canonical));
    // A cookie set for `localhost` is not sent to `127.0.0.1`: a sign-in begun under one name could not end under the other.
    if same_machine && host != canonical && matches!(*request.method(), Method::GET | Method::HEAD) {
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        return Redirect::temporary(&format!("{}{path}", guard.origin)).into_response();
    }
    next.run(request).await
}

/// Whether the request asks for this machine by a name that nobody else can own.
pub(crate) fn asks_for_loopback(headers: &HeaderMap) -> bool {
    host(headers).is_some_and(|host| LOOPBACK.contains(&host_name(host)))
}

fn host(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::HOST)?.to_str().ok()
}

fn host_of(origin: &str) -> &str {
    origin.split_once("://").map_or(origin, |(_, host)| host)
}

/// Without the port; an IPv6 address keeps its brackets.
fn host_name(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_is_no_part_of_the_name() {
        assert_eq!(host_name("localhost:8080"), "localhost");
        assert_eq!(host_name("[::1]:8080"), "[::1]");
        assert_eq!(host_name("[::1]"), "[::1]");
        assert_eq!(host_name("crew.example.com"), "crew.example.com");
    }
}
