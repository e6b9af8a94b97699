//! Networks people may work from: read once into one form, so that they can be compared.

use core::fmt;
use core::net::Ipv6Addr;

use ipnet::{IpNet, Ipv6Net};

/// A team file may not name networks wider than these: an eighth bit less is as good as none. A restriction to half of
/// all addresses, or two halves, is no restriction.
const LEAST_V4: u8 = 8;
const LEAST_V6: u8 = 16;
/// `::ffff:0:0/96`, where IPv6 holds the addresses of IPv4.
const MAPPED: Ipv6Net = Ipv6Net::new_assert(Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96);

/// One network; displays in its usual form, without bits behind its prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Network(IpNet);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    #[error("`{0}` is no network")]
    Form(String),
    #[error("`{0}` is as good as every network there is")]
    TooWide(String),
}

impl Network {
    /// `203.0.113.0/24`, `2001:db8::/32`. An IPv4 network written as IPv6 is the IPv4 network.
    pub fn parse(text: &str) -> Result<Self, NetworkError> {
        let parts = text.trim().split_once('/');
        let network = parts
            .and_then(|(address, bits)| IpNet::new(address.parse().ok()?, bits.parse().ok()?).ok())
            .ok_or_else(|| NetworkError::Form(text.trim().escape_debug().to_string()))?
            .trunc();
        Ok(Self(ipv4_of_mapped(network).unwrap_or(network)))
    }

    /// As [`Network::parse`], and not one that is no restriction.
    pub fn narrow(text: &str) -> Result<Self, NetworkError> {
        let network = Self::parse(text)?;
        let is_too_wide = match network.0 {
            IpNet::V4(network) => network.prefix_len() < LEAST_V4,
            IpNet::V6(network) => network.prefix_len() < LEAST_V6 || network.contains(&MAPPED),
        };
        if is_too_wide {
            return Err(NetworkError::TooWide(text.trim().to_owned()));
        }
        Ok(network)
    }

    /// Whether every address of `other` is in this one.
    pub fn contains(&self, other: &Self) -> bool {
        self.0.contains(&other.0)
    }
}

/// The IPv4 network of an IPv6 network that holds mapped IPv4 addresses alone.
fn ipv4_of_mapped(network: IpNet) -> Option<IpNet> {
    let IpNet::V6(network) = network else { return None };
    let address = network.network().to_ipv4_mapped()?;
    let bits = network.prefix_len().checked_sub(MAPPED.prefix_len())?;
    IpNet::new(address.into(), bits).ok()
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// The bound an operator sets: a team file may name networks within these. None: any that a team file may name at all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks(Vec<Network>);

impl Networks {
    /// Networks apart by commas or spaces.
    pub fn parse(text: &str) -> Result<Self, NetworkError> {
        let entries = text
            .split([',', ' ', '\n', '\t'])
            .filter(|entry| !entry.is_empty());
        entries.map(Network::parse).collect::<Result<_, _>>().map(Self)
    }

    /// Whether a team file may name this one.
    pub fn allow(&self, network: &str) -> bool {
        let within = |network: Network| self.0.iter().any(|bound| bound.contains(&network));
        self.0.is_empty() || Network::parse(network).is_ok_and(within)
    }

    pub fn to_list(&self) -> String {
        self.0
            .iter()
            .map(Network::to_string)
            .collect::<Vec<_>>()
            .join(", ")
    }

    /// Which of these networks are not within the ones that were there before. None were: everything was open.
    pub fn newly_open(before: &[String], after: &[String]) -> Vec<String> {
        let before: Vec<Network> = before
            .iter()
            .filter_map(|text| Network::parse(text).ok())
            .collect();
        let was_open = |text: &&String| {
            Network::parse(text).is_ok_and(|network| before.iter().any(|old| old.contains(&network)))
        };
        match before.is_empty() {
            true => Vec::new(),
            false => after.iter().filter(|text| !was_open(text)).cloned().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_has_one_form() {
        for (text, form) in [
            ("203.0.113.0/24", "203.0.113.0/24"),
            (" 203.0.113.7/24 ", "203.0.113.0/24"),
            ("203.0.113.7/32", "203.0.113.7/32"),
            ("2001:DB8::1/32", "2001:db8::/32"),
            ("::ffff:203.0.113.0/120", "203.0.113.0/24"),
            ("10.0.0.0/08", "10.0.0.0/8"),
        ] {
            assert_eq!(Network::narrow(text).unwrap().to_string(), form, "{text}");
        }
        for wrong in [
            "203.0.113.0",
            "203.0.113.0/33",
            "::/129",
            "x/8",
            "10.0.0.0/-1",
            "/8",
            "010.0.0.0/8",
        ] {
            assert!(
                matches!(Network::parse(wrong), Err(NetworkError::Form(_))),
                "{wrong}"
            );
        }
    }

    #[test]
    fn what_lets_everyone_in_is_no_restriction() {
        for wide in [
            "0.0.0.0/0",
            "::/0",
            "0.0.0.0/1",
            "128.0.0.0/1",
            "8000::/1",
            "10.0.0.0/7",
            "2000::/3",
            "::/80",
            "::ffff:0:0/96",
            "::ffff:0.0.0.0/97",
            "203.0.113.7/0",
        ] {
            assert!(
                matches!(Network::narrow(wide), Err(NetworkError::TooWide(_))),
                "{wide}"
            );
        }
        for narrow in ["10.0.0.0/8", "2001:db8::/32", "fc00::/16", "::1/128"] {
            assert!(Network::narrow(narrow).is_ok(), "{narrow}");
        }
    }

    #[test]
    fn an_operators_bound_is_kept() {
        for (bound, network, allowed) in [
            ("", "198.51.100.0/24", true),
            ("203.0.113.0/24", "203.0.113.0/24", true),
            ("203.0.113.0/24", "203.0.113.128/25", true),
            ("203.0.113.0/24", "203.0.112.0/23", false),
            ("203.0.113.0/24, 2001:db8::/32", "2001:db8:1::/48", true),
            ("203.0.113.0/24", "2001:db8::/32", false),
            ("203.0.113.0/24", "::ffff:203.0.113.0/120", true),
            ("0.0.0.0/0", "198.51.100.0/24", true),
        ] {
            assert_eq!(
                Networks::parse(bound).unwrap().allow(network),
                allowed,
                "{bound}: {network}"
            );
        }
        assert!(Networks::parse("example.org").is_err());
    }

    #[test]
    fn only_what_was_closed_is_opened() {
        let list = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        for (before, after, opened) in [
            ("", "203.0.113.0/24", ""),
            ("203.0.113.0/24", "203.0.113.0/25", ""),
            (
                "203.0.113.0/24",
                "203.0.113.0/24 198.51.100.0/24",
                "198.51.100.0/24",
            ),
            ("203.0.113.0/24", "203.0.112.0/23", "203.0.112.0/23"),
            ("203.0.113.0/24 198.51.100.0/24", "203.0.113.0/24", ""),
        ] {
            assert_eq!(
                Networks::newly_open(&list(before), &list(after)),
                list(opened),
                "{before} {after}"
            );
        }
    }
}
