//! Who may come to the portal at all: people from the networks of the workforce's SourceIpConfig. "Workers who attempt to
//! access tasks using any IP address outside the specified range are denied and get a Not Found error message on the worker
//! portal." (UpdateWorkforce)
use super::{PortalState, pages};
use crate::workforce::Admission;
use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use std::net::{IpAddr, SocketAddr};

pub(super) async fn admit(State(state): State<PortalState>, request: Request, next: Next) -> Response {
    let networks = match state.0.workforce.admission() {
        Admission::Anyone => return next.run(request).await,
        Admission::From(networks) => networks,
        Admission::Nobody => {
            return pages::message(
                StatusCode::SERVICE_UNAVAILABLE,
                "The portal is closed just now",
                "Which networks may come in cannot be read at the moment. Please try again later, or tell the person who \
                 invited you.",
            );
        }
    };
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let from = origin(
        peer.map(|ConnectInfo(peer)| peer.ip()),
        request.headers(),
        state.0.trusted_proxies,
    );
    // Whose address is not known is outside.
    if from.is_some_and(|from| networks.iter().any(|network| network.has(from))) {
        return next.run(request).await;
    }
    pages::message(
        StatusCode::NOT_FOUND,
        "Not found",
        "There is nothing here for the network you are in. If you are a worker, go to where your team works from, or ask the \
         person who invited you.",
    )
}

/// The address a request comes from. Every proxy appends to X-Forwarded-For who it got the request from, so that of a
/// known number of proxies the entry so far from the end can be trusted; what stands before it anybody may have written.
fn origin(peer: Option<IpAddr>, headers: &HeaderMap, proxies: usize) -> Option<IpAddr> {
    let Some(nth) = proxies.checked_sub(1) else {
        return peer;
    };
    let lines = headers.get_all("x-forwarded-for").into_iter();
    let all: Vec<&str> = lines
        .map(|line| line.to_str())
        .collect::<Result<Vec<_>, _>>()
        .ok()?;
    let mut entries = all.iter().flat_map(|line| line.split(',')).rev();
    address(entries.nth(nth)?.trim())
}

/// Some proxies write a port as well.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let alone = bare.unwrap_or(text).parse().ok();
    alone.or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn behind_proxies_the_entry_of_the_outermost_known_one_counts() {
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
                origin(Some(peer), &headers, proxies),
                expected,
                "{lines:?} {proxies}"
            );
        }
        assert_eq!(origin(None, &HeaderMap::new(), 0), None);
    }
}
