//! Which addresses of the internet a stranger's text may make this program connect to. SPEC NET-1: an allow-list.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether it is global unicast by the special-purpose registries of IANA (RFC 6890 and later).
pub fn is_global_unicast(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_global_v4(address),
        IpAddr::V6(address) => is_global_v6(address),
    }
}

/// What is not global, with the length of its prefix.
const NOT_GLOBAL_V4: [(Ipv4Addr, u32); 15] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    // Relays of 6to4, deprecated by RFC 7526: what answers there is anybody's.
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    // Multicast, and what is reserved up to the broadcast address.
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

fn is_global_v4(address: Ipv4Addr) -> bool {
    NOT_GLOBAL_V4.iter().all(|&(prefix, length)| !within_v4(address, prefix, length))
}

fn within_v4(address: Ipv4Addr, prefix: Ipv4Addr, length: u32) -> bool {
    (address.to_bits() ^ prefix.to_bits()) >> (32 - length) == 0
}

/// Within 2000::/3, which is all that was ever given out, but for these.
const NOT_GLOBAL_V6: [(Ipv6Addr, u32); 5] = [
    // Protocol assignments: Teredo (an IPv4 address inside), ORCHID, benchmarking, AMT, AS112.
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    // 6to4 holds an IPv4 address, which may be private.
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    (Ipv6Addr::new(0x3ffe, 0, 0, 0, 0, 0, 0, 0), 16),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

fn is_global_v6(address: Ipv6Addr) -> bool {
    let given_out = within_v6(address, Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);
    given_out && NOT_GLOBAL_V6.iter().all(|&(prefix, length)| !within_v6(address, prefix, length))
}

fn within_v6(address: Ipv6Addr, prefix: Ipv6Addr, length: u32) -> bool {
    (address.to_bits() ^ prefix.to_bits()) >> (128 - length) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_global(text: &str) -> bool {
        is_global_unicast(text.parse().unwrap())
    }

    #[test]
    fn only_global_unicast_is_taken() {
        for text in [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2606:4700::1111",
            "2001:4860::8888",
            "2a00::1",
        ] {
            assert!(is_global(text), "{text}");
        }
        for text in [
            "0.0.0.0",
            "0.1.2.3",
            "10.1.1.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.255",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.0.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:1.1.1.1",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "100::1",
            "fc00::1",
            "fd00::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "2001::1",
            "2001:db8::1",
            "2001:1ff:ffff::",
            "2002:7f00:1::",
            "3ffe::1",
            "3fff::1",
            "4000::1",
            "5f00::1",
        ] {
            assert!(!is_global(text), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn nothing_that_the_standard_library_calls_special_is_taken(bits: u32) {
            let address = Ipv4Addr::from_bits(bits);
            let special = address.is_private() || address.is_loopback() || address.is_link_local() || address.is_multicast()
                || address.is_broadcast() || address.is_documentation() || address.is_unspecified();
            proptest::prop_assert!(!special || !is_global_v4(address));
            // An IPv4 address inside an IPv6 one is never a way around.
            proptest::prop_assert!(!is_global_v6(address.to_ipv6_mapped()) && !is_global_v6(address.to_ipv6_compatible()));
        }

        #[test]
        fn unique_local_and_link_local_are_never_taken(bits: u128) {
            let address = Ipv6Addr::from_bits(bits);
            let special = address.is_unique_local() || address.is_unicast_link_local() || address.is_multicast() || address.is_loopback();
            proptest::prop_assert!(!special || !is_global_v6(address));
        }
    }
}
