//! How many connections one client may have: one that opens them all leaves none to the others.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use ipnet::IpNet;

use crate::client_address::{TrustedProxies, client_network};
use crate::lock::lock;

/// A browser opens six; an office whose people share one address has some eighty browsers.
const MOST: usize = 512;
/// Of the room there is, where that is little.
const PART: usize = 4;
const LEAST: usize = 8;

/// The connections of every client network.
#[derive(Clone)]
pub(super) struct Shares {
    most: usize,
    /// Proxies bring the connections of all their clients.
    exempt: TrustedProxies,
    taken: Arc<Mutex<HashMap<IpNet, usize>>>,
}

/// One connection of one network; given back when it goes.
pub(super) struct Share {
    shares: Shares,
    network: Option<IpNet>,
}

impl Shares {
    /// This machine and the proxies may have as many as there is room for.
    pub(super) fn of(room: usize, proxies: &TrustedProxies) -> Self {
        Self::new((room / PART).clamp(LEAST, MOST), proxies.and_loopback())
    }

    pub(super) fn new(most: usize, exempt: TrustedProxies) -> Self {
        Self {
            most,
            exempt,
            taken: Arc::default(),
        }
    }

    /// `None` where the network has all it may have.
    pub(super) fn take(&self, peer: IpAddr) -> Option<Share> {
        let network = (!self.exempt.has(peer)).then(|| client_network(peer));
        if let Some(network) = network {
            let mut taken = lock(&self.taken);
            let count = taken.entry(network).or_default();
            if *count >= self.most {
                return None;
            }
            *count += 1;
        }
        Some(Share {
            shares: self.clone(),
            network,
        })
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let Some(network) = self.network else {
            return;
        };
        let mut taken = lock(&self.shares.taken);
        // Networks without a connection are forgotten: there are more of them than memory.
        if let Some(count) = taken.get_mut(&network) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(shares: &Shares, peer: &str) -> Option<Share> {
        shares.take(peer.parse().unwrap())
    }

    #[test]
    fn a_network_has_its_share_and_no_more() {
        let shares = Shares::new(2, TrustedProxies::default());
        for [first, second, third, other] in [
            ["192.0.2.1", "192.0.2.1", "::ffff:192.0.2.1", "192.0.2.2"],
            ["2001:db8::1", "2001:db8::2", "2001:db8::3", "2001:db8:0:1::1"],
        ] {
            let held = (take(&shares, first).unwrap(), take(&shares, second).unwrap());
            assert!(take(&shares, third).is_none(), "{third}");
            assert!(take(&shares, other).is_some(), "{other}");
            drop(held.0);
            assert!(take(&shares, third).is_some(), "{third}");
        }
        assert!(
            shares.taken.lock().unwrap().is_empty(),
            "networks that left are forgotten"
        );
    }

    #[test]
    fn this_machine_and_the_proxies_have_all_the_room() {
        let shares = Shares::of(0, &"192.0.2.0/24".parse().unwrap());
        for exempt in ["127.0.0.1", "::ffff:127.0.0.1", "::1", "192.0.2.9"] {
            let held: Vec<_> = (0..2 * LEAST).map(|_| take(&shares, exempt)).collect();
            assert!(held.iter().all(Option::is_some), "{exempt}");
        }
        let held: Vec<_> = (0..2 * LEAST).map(|_| take(&shares, "198.51.100.1")).collect();
        assert_eq!(held.iter().flatten().count(), LEAST);
    }
}
