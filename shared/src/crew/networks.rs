//! Networks people may work from: read once into one form, so that they can be compared.

use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A team file may not name networks wider than these: an eighth bit less is as good as none. A restriction to half of
/// all addresses, or two halves, restricts nobody.
const LEAST_V4: u8 = 8;
const LEAST_V6: u8 = 16;
/// `::ffff:0:0/96`, where IPv6 holds the addresses of IPv4.
const MAPPED: Network = Network {
    v4: false,
    base: 0xffff_0000_0000,
    bits: 96,
};

/// One network; displays in its usual form, without bits behind its prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Network {
    v4: bool,
    base: u128,
    bits: u8,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    #[error("`{0}` is no network")]
    Form(String),
    #[error("`{0}` is as good as every network there is")]
    TooWide(String),
}

impl Network {
    /// `203.0.113.0/24`, `2001:db8::/32`.
    pub fn parse(text: &str) -> Result<Self, NetworkError> {
        let parts = text.trim().split_once('/');
        let parts = parts.and_then(|(address, bits)| Some((address.parse().ok()?, bits.parse().ok()?)));
        match parts {
            Some((IpAddr::V4(address), bits @ 0..=32)) => {
                Ok(Self::new(true, u128::from(address.to_bits()), bits))
            }
            Some((IpAddr::V6(address), bits @ 0..=128)) => {
                let network = Self::new(false, address.to_bits(), bits);
                Ok(match MAPPED.contains(&network) {
                    true => Self::new(true, network.base & u128::from(u32::MAX), bits - 96),
                    false => network,
                })
            }
            _ => Err(NetworkError::Form(text.trim().escape_debug().to_string())),
        }
    }

    /// As [`Network::parse`], and not one that restricts nobody.
    pub fn narrow(text: &str) -> Result<Self, NetworkError> {
        let network = Self::parse(text)?;
        let least = if network.v4 { LEAST_V4 } else { LEAST_V6 };
        if network.bits < least || (!network.v4 && network.contains(&MAPPED)) {
            return Err(NetworkError::TooWide(text.trim().to_owned()));
        }
        Ok(network)
    }

    fn new(v4: bool, address: u128, bits: u8) -> Self {
        let base = address & mask(v4, bits);
        Self { v4, base, bits }
    }

    /// Whether every address of `other` is in this one.
    pub fn contains(&self, other: &Self) -> bool {
        self.v4 == other.v4 && self.bits <= other.bits && other.base & mask(self.v4, self.bits) == self.base
    }
}

fn mask(v4: bool, bits: u8) -> u128 {
    let (all, width) = if v4 {
        (u128::from(u32::MAX), 32)
    } else {
        (u128::MAX, 128)
    };
    all & all.checked_shl(width - u32::from(bits)).unwrap_or(0)
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match u32::try_from(self.base).ok().filter(|_| self.v4) {
            Some(address) => write!(f, "{}/{}", Ipv4Addr::from_bits(address), self.bits),
            None => write!(f, "{}/{}", Ipv6Addr::from_bits(self.base), self.bits),
        }
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

    pub fn listed(&self) -> String {
        self.0
            .iter()
            .map(Network::to_string)
            .collect::<Vec<_>>()
            .join(", ")
    }

    /// Which of these networks are not within the ones that were there before. None were: everything was open.
    pub fn opened(before: &[String], after: &[String]) -> Vec<String> {
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
                Networks::opened(&list(before), &list(after)),
                list(opened),
                "{before} {after}"
            );
        }
    }
}
