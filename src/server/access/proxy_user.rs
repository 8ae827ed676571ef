//! The user who signed in at a trusted proxy, as the proxy names them in a header.

use super::Peer;
use crate::server::store::Name;
use axum::http::{HeaderMap, HeaderName};
use ipnet::IpNet;
use std::sync::Once;

/// The user in the proxy's `header`. The header is ignored from any other client, and if it is repeated.
pub(in crate::server) fn proxy_user(
    peer: Peer,
    headers: &HeaderMap,
    header: &HeaderName,
    trusted: &[IpNet],
) -> Option<Name> {
    static UNTRUSTED: Once = Once::new();
    static INVALID: Once = Once::new();
    let mut values = headers.get_all(header).into_iter();
    let (first, second) = (values.next()?, values.next());
    // Proxies send the header empty for nobody.
    if first.is_empty() && second.is_none() {
        return None;
    }
    if !peer.is_trusted(trusted) {
        let peer = peer.address();
        UNTRUSTED.call_once(|| tracing::warn!(%peer, %header, "a user's name that no --trusted-proxy sent is ignored"));
        return None;
    }
    let name = first.to_str().ok().and_then(|name| name.parse().ok()).filter(|_| second.is_none());
    if name.is_none() {
        INVALID.call_once(|| tracing::warn!(%header, "a proxy's user is ignored: the header needs one name, of 1 to 64 ASCII letters, digits, '.', '_', '@' and '-'"));
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn user(peer: Peer, values: &[&'static str]) -> Option<String> {
        let header = HeaderName::from_static("remote-user");
        let mut headers = HeaderMap::new();
        values.iter().for_each(|value| _ = headers.append(&header, HeaderValue::from_static(value)));
        proxy_user(peer, &headers, &header, &["10.0.0.0/8".parse().unwrap()]).map(|name| name.to_string())
    }

    #[test]
    fn user_is_believed_from_trusted_peers_only() {
        let address = |text: &str| Peer::Address(text.parse().unwrap());
        for peer in [address("10.0.0.1"), address("::ffff:10.0.0.1"), Peer::UnixSocket] {
            assert_eq!(user(peer, &["ann"]).as_deref(), Some("ann"), "{peer:?}");
        }
        for peer in [address("127.0.0.1"), address("192.0.2.1"), address("::1")] {
            assert_eq!(user(peer, &["ann"]), None, "{peer:?}");
        }
    }

    #[test]
    fn missing_empty_invalid_or_repeated_name_is_nobody() {
        for values in [&[][..], &[""], &["ann", "bob"], &["", "ann"], &["ann, bob"], &["a b"]] {
            assert_eq!(user(Peer::UnixSocket, values), None, "{values:?}");
        }
    }
}
