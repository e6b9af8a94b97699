//! IP networks as they are written in SourceIpConfig: `203.0.113.0/24`, `2001:db8::/32`.

use std::net::IpAddr;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Network {
    address: IpAddr,
    bits: u32,
}

impl Network {
    /// The error ends a sentence that begins with the text.
    pub(crate) fn parse(text: &str) -> Result<Network, &'static str> {
        let (address, bits) = text
            .split_once('/')
            .ok_or("write a network and its length, as in 203.0.113.0/24")?;
        let address: IpAddr = address
            .parse()
            .map_err(|_| "what stands before the slash is no IPv4 or IPv6 address")?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let is_plain = !bits.is_empty() && bits.bytes().all(|byte| byte.is_ascii_digit());
        let bits = bits.parse().ok().filter(|bits| is_plain && *bits <= most);
        let bits = bits.ok_or(match address {
            IpAddr::V4(_) => "the length of an IPv4 network is a number from 0 to 32",
            IpAddr::V6(_) => "the length of an IPv6 network is a number from 0 to 128",
        })?;
        Ok(Network { address, bits })
    }

    /// An IPv4 address written as IPv6 (`::ffff:203.0.113.7`) is the IPv4 address.
    pub(crate) fn has(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let differ = own.to_bits() ^ other.to_bits();
                differ.leading_zeros() >= self.bits
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let differ = own.to_bits() ^ other.to_bits();
                differ.leading_zeros() >= self.bits
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Network;

    #[test]
    fn an_address_is_in_a_network_or_not() {
        for (network, inside, outside) in [
            ("203.0.113.0/24", "203.0.113.255", "203.0.114.0"),
            ("203.0.113.7/32", "203.0.113.7", "203.0.113.6"),
            ("203.0.113.9/24", "::ffff:203.0.113.1", "::ffff:203.0.112.1"),
            ("10.128.0.0/9", "10.255.0.1", "10.127.255.255"),
            ("0.0.0.0/0", "198.51.100.1", "2001:db8::1"),
            ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::"),
            ("2001:db8::1/128", "2001:db8::1", "2001:db8::2"),
            ("::/0", "2001:db8::1", "198.51.100.1"),
        ] {
            let found = Network::parse(network).unwrap();
            assert!(found.has(inside.parse().unwrap()), "{network} has {inside}");
            assert!(
                !found.has(outside.parse().unwrap()),
                "{network} has not {outside}"
            );
        }
    }

    #[test]
    fn what_is_no_network_is_said_so() {
        for text in [
            "",
            "/",
            "203.0.113.0",
            "203.0.113.0/",
            "203.0.113.0/33",
            "203.0.113.0/-1",
            "203.0.113.0/+8",
            "203.0.113/24",
            "example.org/24",
            "2001:db8::/129",
            "203.0.113.0/24/24",
        ] {
            assert!(Network::parse(text).is_err(), "{text}");
        }
    }
}
