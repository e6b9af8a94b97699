//! Which client a request comes from, where proxies are in front of the web port. Any client can write `X-Forwarded-For`;
//! only what a trusted proxy has appended to it is believed.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderName, header};
use axum::middleware::Next;
use axum::response::Response;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};

const FORWARDED_FOR: &str = "x-forwarded-for";

/// The networks of the proxies that are believed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies(Arc<[IpNet]>);

impl FromStr for TrustedProxies {
    type Err = String;

    /// Networks or addresses with commas between them. The error says which of them is wrong and what to write.
    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        Ok(Self(parts.map(parse_network).collect::<Result<_, _>>()?))
    }
}

impl TrustedProxies {
    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// These, and this machine.
    pub(crate) fn with_loopback(&self) -> Self {
        let loopback = [
            IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(127, 0, 0, 0), 8)),
            IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128)),
        ];
        Self(self.0.iter().copied().chain(loopback).collect())
    }

    /// The client that a trusted proxy names: each proxy appends the address it got the request from, so it is the last
    /// address that is not a proxy's. `None` where the peer is not trusted, and where it names no client.
    fn client(&self, peer: IpAddr, headers: &HeaderMap) -> Option<IpAddr> {
        if !self.contains(peer) {
            return None;
        }
        // Entries left of the client may be invented by it; an unreadable entry hides who the client was.
        for entry in entries(headers).iter().rev() {
            let address = parse_address(entry)?;
            if !self.contains(address) {
                return Some(address);
            }
        }
        None
    }
}

fn parse_network(text: &str) -> Result<IpNet, String> {
    let wrong =
        || format!("`{text}` is not a network: write it like 10.0.0.0/24, 127.0.0.1/32 or 2001:db8::/64");
    let network = match text.parse::<IpAddr>() {
        Ok(address) => IpNet::from(address),
        Err(_) => text.parse::<IpNet>().map_err(|_| wrong())?,
    };
    // Addresses are compared in their short form, so networks are kept in it too.
    let network = match network {
        IpNet::V6(six) if six.prefix_len() >= 96 => match six.addr().to_ipv4_mapped() {
            Some(four) => IpNet::V4(Ipv4Net::new(four, six.prefix_len() - 96).map_err(|_| wrong())?),
            None => network,
        },
        _ => network,
    };
    if network.prefix_len() == 0 {
        return Err(format!(
            "`{text}` is every address there is, so any client could claim any address. Name the address of the proxy, like 127.0.0.1/32"
        ));
    }
    Ok(network)
}

/// The network one client has to itself: one address of IPv4, or the 2^64 addresses of IPv6 that a household or an
/// office is given.
pub(crate) fn client_network(address: IpAddr) -> IpNet {
    match address.to_canonical() {
        address @ IpAddr::V4(_) => IpNet::new_assert(address, 32),
        address @ IpAddr::V6(_) => IpNet::new_assert(address, 64).trunc(),
    }
}

/// Who the request passed through, the nearest last. `Forwarded` counts only where there is no `X-Forwarded-For`: a proxy
/// that writes the one often lets the other through as the client sent it.
fn entries(headers: &HeaderMap) -> Vec<String> {
    if headers.contains_key(FORWARDED_FOR) {
        return header_items(headers, FORWARDED_FOR).collect();
    }
    header_items(headers, header::FORWARDED.as_str())
        .map(|element| for_parameter(&element).unwrap_or_default())
        .collect()
}

/// The items of all lines of a header. No address has a comma in it, so none is looked for in quotes: a quote that a
/// client leaves open cannot swallow what the proxy appends.
fn header_items<'a>(headers: &'a HeaderMap, name: &'a str) -> impl Iterator<Item = String> + 'a {
    let lines = headers.get_all(name).into_iter();
    lines.flat_map(|line| {
        let line = String::from_utf8_lossy(line.as_bytes()).into_owned();
        line.split(',')
            .map(|item| item.trim().to_owned())
            .collect::<Vec<_>>()
    })
}

/// `for` of an element of `Forwarded`. <https://www.rfc-editor.org/rfc/rfc7239#section-4>
fn for_parameter(element: &str) -> Option<String> {
    let mut parameters = element.split(';').filter_map(|pair| pair.split_once('='));
    let (_, value) = parameters.find(|(name, _)| name.trim().eq_ignore_ascii_case("for"))?;
    Some(value.trim().to_owned())
}

/// An address, possibly in quotes, in brackets, or with a port.
fn parse_address(text: &str) -> Option<IpAddr> {
    let quoted = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    let text = quoted.unwrap_or(text);
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let alone = bare.unwrap_or(text).parse().ok();
    let address: IpAddr = alone.or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip()))?;
    Some(address.to_canonical())
}

fn is_of_a_proxy(name: &HeaderName) -> bool {
    let name = name.as_str();
    name.starts_with("x-forwarded") || ["forwarded", "x-real-ip", "via"].contains(&name)
}

/// Whether a proxy forwarded this request and did not name the client.
pub(crate) fn is_forwarded(headers: &HeaderMap) -> bool {
    headers.keys().any(is_of_a_proxy)
}

/// Replaces the peer's address of the request by the client's, and removes the headers that named it. Where the client is not
/// known, the request is left as it is: the headers show that the peer may not be the client.
pub(crate) async fn find_client(
    State(proxies): State<TrustedProxies>,
    mut request: Request,
    next: Next,
) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let client = peer.and_then(|ConnectInfo(peer)| proxies.client(peer.ip(), request.headers()));
    if let Some(client) = client {
        request
            .extensions_mut()
            .insert(ConnectInfo(SocketAddr::new(client, 0)));
        let headers = request.headers_mut();
        let names: Vec<HeaderName> = headers
            .keys()
            .filter(|name| is_of_a_proxy(name))
            .cloned()
            .collect();
        for name in names {
            headers.remove(name);
        }
    }
    next.run(request).await
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::{Router, middleware, routing};
    use tower::ServiceExt;

    use super::*;

    /// A proxy on this machine, and one in a network of its own.
    const TRUSTED: &str = "127.0.0.1/32, 10.0.0.0/24, fd00::/64";

    /// What the handler behind the middleware sees: the address, and whether a proxy's header is left.
    async fn seen_by_handler(trusted: &str, peer: &str, lines: &[(&str, &str)]) -> (String, bool) {
        let router = Router::new().route("/", routing::get(handler));
        let proxies: TrustedProxies = trusted.parse().unwrap();
        let router = router.layer(middleware::from_fn_with_state(proxies, find_client));
        let mut request = Request::get("/").body(Body::empty()).unwrap();
        for (name, value) in lines {
            let name: HeaderName = name.parse().unwrap();
            request.headers_mut().append(name, value.parse().unwrap());
        }
        let peer = SocketAddr::new(peer.parse().unwrap(), 50_000);
        request.extensions_mut().insert(ConnectInfo(peer));
        let body = router.oneshot(request).await.unwrap().into_body();
        let body = axum::body::to_bytes(body, 1000).await.unwrap();
        let (ip, forwarded) = std::str::from_utf8(&body).unwrap().split_once(' ').unwrap();
        (ip.to_owned(), forwarded == "true")
    }

    async fn handler(ConnectInfo(peer): ConnectInfo<SocketAddr>, headers: HeaderMap) -> String {
        format!("{} {}", peer.ip(), is_forwarded(&headers))
    }

    #[tokio::test]
    async fn the_client_is_the_last_address_that_is_not_a_proxys() {
        let table: &[(&str, &[&str], &str)] = &[
            ("127.0.0.1", &["203.0.113.5"], "203.0.113.5"),
            ("::ffff:127.0.0.1", &["203.0.113.5"], "203.0.113.5"),
            ("127.0.0.1", &["::ffff:203.0.113.5"], "203.0.113.5"),
            ("127.0.0.1", &["203.0.113.5:4711"], "203.0.113.5"),
            ("127.0.0.1", &["2001:db8::1"], "2001:db8::1"),
            ("127.0.0.1", &["[2001:db8::1]"], "2001:db8::1"),
            ("127.0.0.1", &["[2001:db8::1]:4711"], "2001:db8::1"),
            ("fd00::9", &["2001:db8::1"], "2001:db8::1"),
            // Through two proxies.
            ("127.0.0.1", &["203.0.113.5, 10.0.0.7"], "203.0.113.5"),
            ("127.0.0.1", &["203.0.113.5", "10.0.0.7"], "203.0.113.5"),
            ("127.0.0.1", &["203.0.113.5, ::ffff:10.0.0.7"], "203.0.113.5"),
            // What the client wrote itself.
            ("127.0.0.1", &["198.51.100.1, 203.0.113.5"], "203.0.113.5"),
            ("127.0.0.1", &["198.51.100.1", "203.0.113.5"], "203.0.113.5"),
            ("127.0.0.1", &["127.0.0.1, 203.0.113.5"], "203.0.113.5"),
            ("127.0.0.1", &["\", 203.0.113.5"], "203.0.113.5"),
            ("127.0.0.1", &["unknown, 203.0.113.5, 10.0.0.7"], "203.0.113.5"),
        ];
        for (peer, lines, client) in table {
            let lines: Vec<_> = lines.iter().map(|line| ("x-forwarded-for", *line)).collect();
            assert_eq!(
                seen_by_handler(TRUSTED, peer, &lines).await,
                ((*client).to_owned(), false),
                "{peer} {lines:?}"
            );
        }
    }

    #[tokio::test]
    async fn forwarded_is_read_where_there_is_no_x_forwarded_for() {
        let table: &[(&[&str], &str)] = &[
            (&["for=203.0.113.5"], "203.0.113.5"),
            (&["For=\"203.0.113.5:4711\";proto=https"], "203.0.113.5"),
            (&["proto=https; for=\"[2001:db8::1]:4711\""], "2001:db8::1"),
            (
                &["for=\"[2001:db8::1]\", for=10.0.0.7;by=10.0.0.8"],
                "2001:db8::1",
            ),
            (&["for=198.51.100.1", "for=203.0.113.5"], "203.0.113.5"),
            // A quote the client left open.
            (&["for=\"198.51.100.1, for=203.0.113.5"], "203.0.113.5"),
        ];
        for (lines, client) in table {
            let lines: Vec<_> = lines.iter().map(|line| ("forwarded", *line)).collect();
            assert_eq!(
                seen_by_handler(TRUSTED, "127.0.0.1", &lines).await,
                ((*client).to_owned(), false),
                "{lines:?}"
            );
        }
        let both = [
            ("forwarded", "for=198.51.100.1"),
            ("x-forwarded-for", "203.0.113.5"),
        ];
        assert_eq!(
            seen_by_handler(TRUSTED, "127.0.0.1", &both).await.0,
            "203.0.113.5"
        );
    }

    #[tokio::test]
    async fn a_request_without_a_trusted_client_is_left_as_it_is() {
        let table = [
            (TRUSTED, "203.0.113.5", ("x-forwarded-for", "127.0.0.1")),
            (TRUSTED, "203.0.113.5", ("forwarded", "for=127.0.0.1")),
            (TRUSTED, "10.0.1.7", ("x-forwarded-for", "198.51.100.1")),
            ("", "127.0.0.1", ("x-forwarded-for", "203.0.113.5")),
            (TRUSTED, "127.0.0.1", ("x-forwarded-for", "unknown")),
            (TRUSTED, "127.0.0.1", ("x-forwarded-for", "")),
            (TRUSTED, "127.0.0.1", ("x-forwarded-for", "203.0.113.5, _hidden")),
            (TRUSTED, "127.0.0.1", ("x-forwarded-for", "203.0.113.5,")),
            (TRUSTED, "127.0.0.1", ("x-forwarded-for", "10.0.0.7, 127.0.0.1")),
            (TRUSTED, "127.0.0.1", ("forwarded", "proto=https")),
            (TRUSTED, "127.0.0.1", ("x-forwarded-proto", "https")),
            (TRUSTED, "127.0.0.1", ("x-real-ip", "203.0.113.5")),
            (TRUSTED, "127.0.0.1", ("via", "1.1 proxy")),
        ];
        for (trusted, peer, line) in table {
            let unchanged = (peer.to_owned(), true);
            assert_eq!(
                seen_by_handler(trusted, peer, &[line]).await,
                unchanged,
                "{trusted} {peer} {line:?}"
            );
        }
        // A browser on the machine of the proxy, which did not come through it.
        assert_eq!(
            seen_by_handler(TRUSTED, "127.0.0.1", &[]).await,
            ("127.0.0.1".to_owned(), false)
        );
    }

    #[tokio::test]
    async fn headers_of_proxies_are_removed_once_they_named_the_client() {
        let lines = [
            ("x-forwarded-for", "203.0.113.5"),
            ("x-forwarded-host", "crew.example.com"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-port", "443"),
            ("forwarded", "for=198.51.100.1"),
            ("x-real-ip", "198.51.100.1"),
            ("via", "1.1 proxy"),
        ];
        assert_eq!(
            seen_by_handler(TRUSTED, "127.0.0.1", &lines).await,
            ("203.0.113.5".to_owned(), false)
        );
    }

    #[test]
    fn proxies_are_networks_or_addresses_and_never_everyone() {
        for (text, inside, outside) in [
            ("10.0.0.0/24", "10.0.0.255", "10.0.1.0"),
            ("10.0.0.9/24", "10.0.0.1", "10.0.1.1"),
            ("127.0.0.1", "127.0.0.1", "127.0.0.2"),
            ("127.0.0.1/32,::1", "::1", "::2"),
            (" 10.0.0.1 , fd00::/8 ,", "fd12::1", "2001:db8::1"),
            ("::ffff:10.0.0.0/120", "10.0.0.7", "10.0.1.7"),
            ("10.0.0.0/24", "::ffff:10.0.0.7", "::10.0.0.7"),
        ] {
            let proxies: TrustedProxies = text.parse().unwrap();
            assert!(proxies.contains(inside.parse().unwrap()), "{text} {inside}");
            assert!(!proxies.contains(outside.parse().unwrap()), "{text} {outside}");
        }
        assert_eq!("".parse(), Ok(TrustedProxies::default()));
        for wrong in [
            "0.0.0.0/0",
            "::/0",
            "::ffff:0.0.0.0/96",
            "10.0.0.0/33",
            "proxy",
            "10.0.0.1 10.0.0.2",
        ] {
            let refused = wrong.parse::<TrustedProxies>().unwrap_err();
            assert!(refused.contains(&format!("`{wrong}`")), "{refused}");
        }
    }
}
