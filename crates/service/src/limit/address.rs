//! Who asks: the network address of a caller, through proxies that are trusted to name it.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

const V4_BITS: u8 = 32;
const V6_BITS: u8 = 128;
/// What one subscriber gets of IPv6: counting single addresses there would count nothing.
const V6_SUBSCRIBER_BITS: u8 = 64;

/// Addresses that begin with the same bits, in CIDR notation: `10.0.0.0/8`, `2001:db8::/32`; without a slash, one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    first: IpAddr,
    bits: u8,
}

/// A text that is no network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no network such as 10.0.0.0/8 or 2001:db8::/32")]
pub struct NetworkError {
    text: String,
}

impl Network {
    /// Whether an address is one of these. An IPv4 address that is written as IPv6 counts as what it is.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.first.is_ipv4() && masked(address, self.bits) == self.first
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let refused = || NetworkError { text: text.to_owned() };
        let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address: IpAddr = address.parse().map_err(|_| refused())?;
        let most = if address.is_ipv4() { V4_BITS } else { V6_BITS };
        let bits = match bits {
            None => most,
            Some(bits) => bits.parse().ok().filter(|bits| *bits <= most).ok_or_else(refused)?,
        };
        // Bits after the slash would be a slip: 10.1.2.3/8 reads as one machine and means sixteen million.
        if masked(address, bits) != address { Err(refused()) } else { Ok(Self { first: address, bits }) }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.bits)
    }
}

fn masked(address: IpAddr, bits: u8) -> IpAddr {
    match address {
        IpAddr::V4(v4) => {
            let mask = u32::MAX.checked_shl(u32::from(V4_BITS.saturating_sub(bits))).unwrap_or(0);
            IpAddr::V4((v4.to_bits() & mask).into())
        }
        IpAddr::V6(v6) => {
            let mask = u128::MAX.checked_shl(u32::from(V6_BITS.saturating_sub(bits))).unwrap_or(0);
            IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & mask))
        }
    }
}

/// What stands for a caller in a table: the address, of IPv6 the subscriber's /64.
pub(super) fn subscriber(address: IpAddr) -> IpAddr {
    if address.is_ipv4() { address } else { masked(address, V6_SUBSCRIBER_BITS) }
}

/// The caller's address. Each trusted hop, beginning with the peer, is believed about the one before it, so the answer is the rightmost
/// hop that is not trusted: what stands left of it the caller may have written. `forwarded` are the values of `X-Forwarded-For` in the
/// order of the headers.
pub(super) fn caller<'a>(peer: IpAddr, trusted: &[Network], forwarded: impl DoubleEndedIterator<Item = &'a str>) -> IpAddr {
    let mut hops = forwarded.rev().flat_map(|value| value.rsplit(','));
    let mut nearest = peer.to_canonical();
    while trusted.iter().any(|network| network.contains(nearest)) {
        // No hop, or one that is no address: nothing further is known than who said so.
        let Some(hop) = hops.next().and_then(hop) else { break };
        nearest = hop;
    }
    nearest
}

/// One entry of `X-Forwarded-For`: an address, perhaps with a port, perhaps in brackets.
fn hop(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = match text.strip_prefix('[') {
        Some(rest) => rest.split_once(']').map(|(address, _)| address)?,
        None => text,
    };
    let without_port = || bare.rsplit_once(':').and_then(|(address, _)| address.parse::<std::net::Ipv4Addr>().ok()).map(IpAddr::V4);
    bare.parse().ok().or_else(without_port).map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn a_network_holds_what_begins_like_it() {
        for (network, inside, outside) in [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.0"),
            ("192.0.2.7", "192.0.2.7", "192.0.2.8"),
            ("192.0.2.6/31", "192.0.2.7", "192.0.2.8"),
            ("0.0.0.0/0", "203.0.113.9", "::1"),
            ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::"),
            ("::/0", "2001:db8::1", "127.0.0.1"),
            ("::1", "::1", "::2"),
            ("10.0.0.0/8", "::ffff:10.1.2.3", "::ffff:11.1.2.3"),
        ] {
            let network: Network = network.parse().expect("a network");
            assert!(network.contains(ip(inside)), "{network} {inside}");
            assert!(!network.contains(ip(outside)), "{network} {outside}");
        }
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for text in ["", "/", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "::/129", "10.1.2.3/8", "proxy", "10.0.0.0/8/8", "10.0.0.0 /8"] {
            assert_eq!(text.parse::<Network>(), Err(NetworkError { text: text.into() }));
        }
    }

    #[test]
    fn only_trusted_hops_are_believed() {
        let trusted: Vec<Network> = ["10.0.0.0/8", "fd00::/8"].iter().map(|n| n.parse().expect("a network")).collect();
        for (peer, headers, caller_is) in [
            ("203.0.113.1", vec!["198.51.100.1"], "203.0.113.1"), // not from a proxy: a forgery
            ("10.0.0.1", vec![], "10.0.0.1"),
            ("10.0.0.1", vec![""], "10.0.0.1"),
            ("10.0.0.1", vec!["198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", vec!["198.51.100.9, 198.51.100.1"], "198.51.100.1"), // the left one the caller wrote
            ("10.0.0.1", vec!["198.51.100.9, 198.51.100.1 ,10.0.0.2"], "198.51.100.1"),
            ("10.0.0.1", vec!["198.51.100.9", "198.51.100.1", "10.0.0.2"], "198.51.100.1"),
            ("10.0.0.1", vec!["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
            ("10.0.0.1", vec!["198.51.100.1, nonsense, 10.0.0.2"], "10.0.0.2"),
            ("10.0.0.1", vec!["198.51.100.1:4711"], "198.51.100.1"),
            ("fd00::1", vec!["[2001:db8::5]:4711"], "2001:db8::5"),
            ("fd00::1", vec!["2001:db8::5"], "2001:db8::5"),
            ("::ffff:10.0.0.1", vec!["::ffff:198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", vec!["10.0.0.2:x:y"], "10.0.0.1"),
        ] {
            assert_eq!(caller(ip(peer), &trusted, headers.iter().copied()), ip(caller_is), "{peer} {headers:?}");
        }
    }

    #[test]
    fn one_subscriber_of_ipv6_is_one_caller() {
        assert_eq!(subscriber(ip("2001:db8:1:2:3::4")), subscriber(ip("2001:db8:1:2::9")));
        assert_ne!(subscriber(ip("2001:db8:1:2::4")), subscriber(ip("2001:db8:1:3::4")));
        assert_ne!(subscriber(ip("192.0.2.1")), subscriber(ip("192.0.2.2")));
    }
}
