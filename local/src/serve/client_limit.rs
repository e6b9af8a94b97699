//! How many connections one client may have, so that one client cannot take them all.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use ipnet::IpNet;

use crate::client_address::{TrustedProxies, client_network};
use crate::lock::lock;

/// A browser opens six; an office whose people share one address has some eighty browsers.
const MOST_CONNECTIONS: usize = 512;
/// A client may have a quarter of the connections of the port, where those are few.
const LARGEST_SHARE: usize = 4;
const FEWEST_CONNECTIONS: usize = 8;

/// Counts the open connections of every client network.
#[derive(Clone)]
pub(super) struct ClientLimit {
    most: usize,
    /// Proxies bring the connections of all their clients.
    exempt: TrustedProxies,
    open: Arc<Mutex<HashMap<IpNet, usize>>>,
}

/// One open connection of a network; no longer counted once dropped.
pub(super) struct ClientConnection {
    limit: ClientLimit,
    network: Option<IpNet>,
}

impl ClientLimit {
    /// This machine and the proxies may have all connections of the port.
    pub(super) fn of(connections: usize, proxies: &TrustedProxies) -> Self {
        Self::new(
            (connections / LARGEST_SHARE).clamp(FEWEST_CONNECTIONS, MOST_CONNECTIONS),
            proxies.with_loopback(),
        )
    }

    pub(super) fn new(most: usize, exempt: TrustedProxies) -> Self {
        Self {
            most,
            exempt,
            open: Arc::default(),
        }
    }

    /// `None` where the network has as many as it may have.
    pub(super) fn admit(&self, peer: IpAddr) -> Option<ClientConnection> {
        let network = (!self.exempt.contains(peer)).then(|| client_network(peer));
        if let Some(network) = network {
            let mut open = lock(&self.open);
            let count = open.entry(network).or_default();
            if *count >= self.most {
                return None;
            }
            *count += 1;
        }
        Some(ClientConnection {
            limit: self.clone(),
            network,
        })
    }
}

impl Drop for ClientConnection {
    fn drop(&mut self) {
        let Some(network) = self.network else {
            return;
        };
        let mut open = lock(&self.limit.open);
        // Networks without a connection are removed: there are more networks than memory.
        if let Some(count) = open.get_mut(&network) {
            *count -= 1;
            if *count == 0 {
                open.remove(&network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admit(limit: &ClientLimit, peer: &str) -> Option<ClientConnection> {
        limit.admit(peer.parse().unwrap())
    }

    #[test]
    fn a_network_has_as_many_as_it_may_and_no_more() {
        let limit = ClientLimit::new(2, TrustedProxies::default());
        for [first, second, third, other] in [
            ["192.0.2.1", "192.0.2.1", "::ffff:192.0.2.1", "192.0.2.2"],
            ["2001:db8::1", "2001:db8::2", "2001:db8::3", "2001:db8:0:1::1"],
        ] {
            let held = (admit(&limit, first).unwrap(), admit(&limit, second).unwrap());
            assert!(admit(&limit, third).is_none(), "{third}");
            assert!(admit(&limit, other).is_some(), "{other}");
            drop(held.0);
            assert!(admit(&limit, third).is_some(), "{third}");
        }
        assert!(
            limit.open.lock().unwrap().is_empty(),
            "networks without a connection are removed"
        );
    }

    #[test]
    fn this_machine_and_the_proxies_have_no_limit() {
        let limit = ClientLimit::of(0, &"192.0.2.0/24".parse().unwrap());
        for exempt in ["127.0.0.1", "::ffff:127.0.0.1", "::1", "192.0.2.9"] {
            let held: Vec<_> = (0..2 * FEWEST_CONNECTIONS)
                .map(|_| admit(&limit, exempt))
                .collect();
            assert!(held.iter().all(Option::is_some), "{exempt}");
        }
        let held: Vec<_> = (0..2 * FEWEST_CONNECTIONS)
            .map(|_| admit(&limit, "198.51.100.1"))
            .collect();
        assert_eq!(held.iter().flatten().count(), FEWEST_CONNECTIONS);
    }
}
