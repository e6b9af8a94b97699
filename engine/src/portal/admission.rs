//! Who may open the portal: people from the networks of the workforce's SourceIpConfig. "Workers who attempt to access tasks
//! using any IP address outside the specified range are denied and get a Not Found error message on the worker portal."
//! (UpdateWorkforce)

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderMap, StatusCode};

use super::pages;
use super::state::PortalState;
use crate::workforce::Admission;

pub(super) async fn admit(State(state): State<PortalState>, request: Request, next: Next) -> Response {
    let networks = match state.workforce.admission() {
        Admission::Anyone => return next.run(request).await,
        Admission::From(networks) => networks,
        Admission::NoOne => {
            return pages::message(
                StatusCode::SERVICE_UNAVAILABLE,
                "The portal is closed",
                "The portal cannot read from which networks it may be opened. Please try again later, or contact the person \
                 who invited you.",
            );
        }
    };
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let address = client_address(
        peer.map(|ConnectInfo(peer)| peer.ip()),
        request.headers(),
        state.trusted_proxies,
    );
    // A request whose address is not known is refused. An IPv4 address written as IPv6 (`::ffff:203.0.113.7`) is the IPv4
    // address.
    let is_inside = |address: IpAddr| {
        networks
            .iter()
            .any(|network| network.contains(&address.to_canonical()))
    };
    if address.is_some_and(is_inside) {
        return next.run(request).await;
    }
    pages::message(
        StatusCode::NOT_FOUND,
        "Not found",
        "The portal cannot be opened from this network. If you are a worker, use the network your team works from, or ask \
         the person who invited you.",
    )
}

/// The address a request comes from. Every proxy appends to X-Forwarded-For the address it got the request from. So with n
/// trusted proxies the nth entry from the end can be trusted; the entries before it may be forged.
fn client_address(peer: Option<IpAddr>, headers: &HeaderMap, proxies: usize) -> Option<IpAddr> {
    let Some(nth) = proxies.checked_sub(1) else {
        return peer;
    };
    let lines = headers.get_all("x-forwarded-for").into_iter();
    let all: Vec<&str> = lines
        .map(|line| line.to_str())
        .collect::<Result<Vec<_>, _>>()
        .ok()?;
    let mut entries = all.iter().flat_map(|line| line.split(',')).rev();
    parse_address(entries.nth(nth)?.trim())
}

/// Some proxies also write a port.
fn parse_address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let alone = bare.unwrap_or(text).parse().ok();
    alone.or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn behind_proxies_the_entry_of_the_outermost_trusted_one_counts() {
        let peer: IpAddr = "10.0.0.9".parse().unwrap();
        let table: [(&[&str], usize, Option<&str>); 11] = [
            (&[], 0, Some("10.0.0.9")),
            (&["198.51.100.1"], 0, Some("10.0.0.9")),
            (&["198.51.100.1"], 1, Some("198.51.100.1")),
            (&["203.0.113.1, 198.51.100.1"], 1, Some("198.51.100.1")),
            (&["203.0.113.1, 198.51.100.1"], 2, Some("203.0.113.1")),
            (&["203.0.113.1", "198.51.100.1"], 2, Some("203.0.113.1")),
            (&["203.0.113.1:4711"], 1, Some("203.0.113.1")),
            (&["[2001:db8::1]:4711"], 1, Some("2001:db8::1")),
            (&["2001:db8::1"], 1, Some("2001:db8::1")),
            (&["198.51.100.1"], 2, None),
            (&["unknown"], 1, None),
        ];
        for (lines, proxies, expected) in table {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append("x-forwarded-for", line.parse().unwrap());
            }
            let expected = expected.map(|text| text.parse().unwrap());
            assert_eq!(
                client_address(Some(peer), &headers, proxies),
                expected,
                "{lines:?} {proxies}"
            );
        }
        assert_eq!(client_address(None, &HeaderMap::new(), 0), None);
    }
}
