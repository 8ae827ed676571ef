//! The client's address: the socket's, or the one that a trusted proxy reports.

use super::Peer;
use axum::http::{HeaderMap, header};
use ipnet::IpNet;
use std::net::{IpAddr, SocketAddr};

/// The address of the request's client: the `peer`'s, unless that is a `trusted` proxy. Then it is the last address
/// before the trusted ones in `Forwarded` (RFC 7239) or `X-Forwarded-For`. With both headers neither is used: the proxy
/// wrote one and passed the other on, and which is unknown.
pub(in crate::server) fn client_address(peer: Peer, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let (mut client, mut reporter) = (peer.address(), peer);
    let hops = match (lines(headers, header::FORWARDED.as_str()), lines(headers, "x-forwarded-for")) {
        (forwarded, None) => forwarded.map(|lines| forwarded_for(&lines)),
        (None, Some(lines)) => Some(lines.split(',').map(|hop| hop_address(hop.trim())).collect()),
        (Some(_), Some(_)) => None,
    };
    for hop in hops.into_iter().flatten().rev() {
        match hop {
            Some(hop) if reporter.is_trusted(trusted) => (client, reporter) = (hop, Peer::Address(hop)),
            _ => break,
        }
    }
    client
}

/// Whether a proxy passed the request on.
pub(in crate::server) fn is_forwarded(headers: &HeaderMap) -> bool {
    const FORWARDING_HEADERS: [&str; 3] = ["x-forwarded-for", "forwarded", "via"];
    FORWARDING_HEADERS.iter().any(|name| headers.contains_key(*name))
}

/// All lines of a list header, joined.
fn lines(headers: &HeaderMap, name: &str) -> Option<String> {
    let lines: Vec<_> =
        headers.get_all(name).into_iter().map(|line| String::from_utf8_lossy(line.as_bytes())).collect();
    (!lines.is_empty()).then(|| lines.join(","))
}

/// The `for` address of each element of a `Forwarded` list; `None` without a valid one.
fn forwarded_for(list: &str) -> Vec<Option<IpAddr>> {
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=')?;
        name.trim().eq_ignore_ascii_case("for").then(|| hop_address(&unquote(value.trim())))
    };
    split(list, ',').map(|element| split(element, ';').find_map(pair).flatten()).collect()
}

/// Splits at each `separator` outside quotes.
fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    text.split(move |c| {
        let ends = c == separator && !quoted;
        quoted ^= c == '"' && !escaped;
        escaped = quoted && c == '\\' && !escaped;
        ends
    })
}

fn unquote(value: &str) -> String {
    let Some(inner) = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')) else {
        return value.to_owned();
    };
    let mut escaped = false;
    inner
        .chars()
        .filter(|c| {
            escaped = *c == '\\' && !escaped;
            !escaped
        })
        .collect()
}

/// An address with or without a port; IPv6 in brackets, or bare as in `X-Forwarded-For`.
fn hop_address(hop: &str) -> Option<IpAddr> {
    let address: Result<IpAddr, _> = hop.parse();
    let bracketed = || hop.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let address = address.ok().or_else(|| hop.parse().ok().map(|socket: SocketAddr| socket.ip())).or_else(bracketed)?;
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{HeaderName, HeaderValue};
    use proptest::prelude::*;

    const PROXY: &str = "10.0.0.1";

    fn client(peer: &str, headers: &[(&'static str, &str)]) -> String {
        let peer = peer.parse().map_or(Peer::UnixSocket, Peer::Address);
        let headers = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_bytes(value.as_bytes()).unwrap()));
        let trusted = ["10.0.0.0/8".parse().unwrap(), "2001:db8:1::/48".parse().unwrap()];
        client_address(peer, &headers.collect(), &trusted).to_string()
    }

    #[test]
    fn untrusted_peer_is_the_client() {
        assert_eq!(client("192.0.2.1", &[("x-forwarded-for", "198.51.100.7")]), "192.0.2.1");
        assert_eq!(client("192.0.2.1", &[("forwarded", "for=198.51.100.7")]), "192.0.2.1");
        assert_eq!(client("::ffff:192.0.2.1", &[]), "192.0.2.1");
    }

    #[test]
    fn trusted_proxy_reports_the_client() {
        assert_eq!(client(PROXY, &[("x-forwarded-for", "198.51.100.7")]), "198.51.100.7");
        assert_eq!(client(PROXY, &[("x-forwarded-for", "[2001:db8::7]:4711")]), "2001:db8::7");
        assert_eq!(client(PROXY, &[("forwarded", "for=198.51.100.7;proto=https;by=10.0.0.1")]), "198.51.100.7");
        assert_eq!(client(PROXY, &[("forwarded", "proto=http; For=\"[2001:db8::7]:4711\"")]), "2001:db8::7");
        assert_eq!(client("::ffff:10.0.0.1", &[("x-forwarded-for", "198.51.100.7")]), "198.51.100.7");
        assert_eq!(client(PROXY, &[]), PROXY);
    }

    #[test]
    fn unix_socket_reports_the_client() {
        assert_eq!(client("unix", &[("x-forwarded-for", "203.0.113.9, 198.51.100.7")]), "198.51.100.7");
        assert_eq!(client("unix", &[("x-forwarded-for", "203.0.113.9, 127.0.0.1")]), "127.0.0.1");
        assert_eq!(client("unix", &[]), "127.0.0.1");
    }

    #[test]
    fn addresses_before_the_last_untrusted_hop_are_ignored() {
        assert_eq!(client(PROXY, &[("x-forwarded-for", "203.0.113.9, 198.51.100.7, 10.0.0.2")]), "198.51.100.7");
        assert_eq!(
            client(PROXY, &[("x-forwarded-for", "203.0.113.9"), ("x-forwarded-for", "198.51.100.7")]),
            "198.51.100.7"
        );
        assert_eq!(client(PROXY, &[("forwarded", "for=203.0.113.9, for=198.51.100.7")]), "198.51.100.7");
        assert_eq!(
            client(PROXY, &[("forwarded", "for=\"203.0.113.9, for=1.1.1.1\", for=198.51.100.7")]),
            "198.51.100.7"
        );
        assert_eq!(client(PROXY, &[("forwarded", "for=203.0.113.9"), ("x-forwarded-for", "198.51.100.7")]), PROXY);
    }

    #[test]
    fn invalid_hop_ends_the_chain() {
        for hop in ["unknown", "_hidden", "", "1.2.3", "198.51.100.7:http", "[2001:db8::7", "\u{1f600}"] {
            assert_eq!(client(PROXY, &[("x-forwarded-for", &format!("203.0.113.9, {hop}"))]), PROXY, "{hop:?}");
        }
        assert_eq!(client(PROXY, &[("forwarded", "for=203.0.113.9, for=unknown")]), PROXY);
        assert_eq!(client(PROXY, &[("forwarded", "for=203.0.113.9, proto=http")]), PROXY);
    }

    proptest! {
        #[test]
        fn arbitrary_headers_never_change_an_untrusted_client(text in "[ -~]*", list in "[for=\";,\\\\:.0-9\\[\\] ]*") {
            for text in [text, list] {
                for name in ["forwarded", "x-forwarded-for"] {
                    client(PROXY, &[(name, &text)]);
                    prop_assert_eq!(client("192.0.2.1", &[(name, &text)]), "192.0.2.1");
                }
            }
        }
    }
}
