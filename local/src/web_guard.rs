//! Which requests the web port answers: those for one of its own host names, so that a foreign page cannot rebind its name
//! to this machine and read what is served here. Browsers on this machine are sent to one of the names, so that their cookies
//! stay together. And which requests come from this machine itself.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};

use crate::client_address::{TrustedProxies, is_forwarded};

const LOOPBACK: [&str; 3] = ["127.0.0.1", "localhost", "[::1]"];

/// The origin people are meant to use, and the host names that are answered.
#[derive(Clone, Debug)]
pub(crate) struct WebGuard {
    origin: Arc<str>,
    names: Arc<[String]>,
    proxies: TrustedProxies,
}

impl WebGuard {
    /// `origin` is `scheme://host[:port]` without a slash at the end.
    pub(crate) fn new(origin: &str, here: LocalAddress) -> Self {
        let mut names: Vec<String> = LOOPBACK.iter().map(|&name| name.to_owned()).collect();
        names.push(host_name(host_of(origin)).to_ascii_lowercase());
        names.push(here.name());
        Self {
            origin: origin.into(),
            names: names.into(),
            proxies: TrustedProxies::default(),
        }
    }

    /// These proxies say who the client is.
    pub(crate) fn behind(mut self, proxies: &TrustedProxies) -> Self {
        self.proxies = proxies.clone();
        self
    }

    pub(crate) fn proxies(&self) -> TrustedProxies {
        self.proxies.clone()
    }

    pub(crate) fn is_https(&self) -> bool {
        self.origin.starts_with("https://")
    }
}

pub(crate) async fn check_host(State(guard): State<WebGuard>, request: Request, next: Next) -> Response {
    let Some(host) = host(request.headers()) else {
        return (StatusCode::BAD_REQUEST, "The request has no Host header.\n").into_response();
    };
    let name = host_name(host).to_ascii_lowercase();
    if !guard.names.contains(&name) {
        let text = format!(
            "This server does not answer for that name. Open {} instead.\n",
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

/// The address at which this machine itself reaches the web port, whatever its public address is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LocalAddress(SocketAddr);

impl LocalAddress {
    /// Of the address that is listened on.
    pub(crate) fn of(listening: SocketAddr) -> Self {
        if listening.ip().is_unspecified() {
            return Self(SocketAddr::from((Ipv4Addr::LOCALHOST, listening.port())));
        }
        Self(listening)
    }

    pub(crate) fn origin(self) -> String {
        format!("http://{}", self.0)
    }

    fn name(self) -> String {
        host_name(&self.0.to_string()).to_owned()
    }

    /// Whether a request comes from this machine: by the address it comes from, which no other machine can have, and the name it
    /// is for: a foreign page can make its own name point here, but not an address. A request through a proxy on this machine may
    /// come from anywhere.
    pub(crate) fn is_local_request(self, peer: IpAddr, headers: &HeaderMap) -> bool {
        // A port that takes both kinds of address shows IPv4 ones as `::ffff:127.0.0.1`.
        let peer = peer.to_canonical();
        let from_here = peer.is_loopback() || peer == self.0.ip();
        let named = |host| LOOPBACK.contains(&host_name(host)) || host_name(host) == self.name();
        from_here && !is_forwarded(headers) && host(headers).is_some_and(named)
    }
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
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn the_port_is_no_part_of_the_name() {
        assert_eq!(host_name("localhost:8080"), "localhost");
        assert_eq!(host_name("[::1]:8080"), "[::1]");
        assert_eq!(host_name("[::1]"), "[::1]");
        assert_eq!(host_name("crew.example.com"), "crew.example.com");
    }

    #[test]
    fn this_machine_is_known_by_where_a_request_comes_from_and_what_it_asks_for() {
        let table = [
            // listening on, from, asks for
            ("127.0.0.1:80", "127.0.0.1", "localhost:80", true),
            ("127.0.0.1:80", "127.0.0.1", "evil.example:80", false),
            ("127.0.0.1:80", "192.0.2.7", "127.0.0.1:80", false),
            ("0.0.0.0:80", "127.0.0.1", "127.0.0.1:80", true),
            ("0.0.0.0:80", "192.0.2.2", "192.0.2.2:80", false),
            ("[::]:80", "::ffff:127.0.0.1", "127.0.0.1:80", true),
            ("[::]:80", "::ffff:192.0.2.7", "127.0.0.1:80", false),
            ("[::1]:80", "::1", "[::1]:80", true),
            ("192.0.2.2:80", "192.0.2.2", "192.0.2.2:80", true),
            ("192.0.2.2:80", "192.0.2.2", "evil.example:80", false),
            ("192.0.2.2:80", "192.0.2.7", "192.0.2.2:80", false),
        ];
        for (listening, from, asks, here) in table {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, asks.parse().unwrap());
            assert_eq!(
                LocalAddress::of(listening.parse().unwrap())
                    .is_local_request(from.parse().unwrap(), &headers),
                here,
                "{listening} {from} {asks}"
            );
        }
    }

    #[test]
    fn a_request_through_a_proxy_is_not_from_this_machine() {
        let here = LocalAddress::of("127.0.0.1:80".parse().unwrap());
        for (header, from_here) in [
            ("accept", true),
            ("x-forwarded-for", false),
            ("x-forwarded-host", false),
            ("x-forwarded-proto", false),
            ("x-forwarded-port", false),
            ("forwarded", false),
            ("x-real-ip", false),
            ("via", false),
        ] {
            for value in ["127.0.0.1", ""] {
                let mut headers = HeaderMap::new();
                headers.insert(header::HOST, HeaderValue::from_static("localhost"));
                headers.insert(header, HeaderValue::from_static(value));
                assert_eq!(
                    here.is_local_request(Ipv4Addr::LOCALHOST.into(), &headers),
                    from_here,
                    "{header}: {value}"
                );
            }
        }
    }

    #[test]
    fn a_browser_on_this_machine_has_an_address_for_every_port_that_is_listened_on() {
        for (listening, origin) in [
            ("0.0.0.0:8080", "http://127.0.0.1:8080"),
            ("[::]:8080", "http://127.0.0.1:8080"),
            ("127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("192.0.2.2:8080", "http://192.0.2.2:8080"),
        ] {
            assert_eq!(LocalAddress::of(listening.parse().unwrap()).origin(), origin);
        }
    }
}
