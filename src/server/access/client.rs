//! Who limits are counted for.

use super::{CredentialKind, Principal};
use crate::server::store::Name;
use std::net::{IpAddr, Ipv6Addr};

/// The unit of limits: a user or a token if known, so that many may share an address; else the address.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::server) enum Client {
    /// An IPv4 address, or an IPv6 /64, the smallest network that a client gets (RFC 6177).
    Network(IpAddr),
    /// All sessions of a user.
    User(Name),
    /// A token, by its id.
    Token(String),
}

impl Client {
    /// The sender of a request.
    pub(in crate::server) fn of(principal: Option<&Principal>, address: IpAddr) -> Self {
        match principal.and_then(Principal::credential) {
            Some(credential) if credential.kind == CredentialKind::Token => Self::Token(credential.id.clone()),
            Some(credential) => Self::User(credential.name.clone()),
            None => address.into(),
        }
    }
}

impl From<IpAddr> for Client {
    fn from(address: IpAddr) -> Self {
        Self::Network(match address.to_canonical() {
            IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & u128::MAX << 64).into(),
            address => address,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::{access::principal, store::Scope};

    #[test]
    fn sender_counts_by_its_credential_or_else_by_its_address() {
        let (one, other) = ([192, 0, 2, 1].into(), [192, 0, 2, 2].into());
        let token = Principal::Known(principal::token(Scope::Read));
        assert_eq!(Client::of(Some(&token), one), Client::of(Some(&token), other));
        for unknown in [None, Some(Principal::Public), Some(Principal::Local)] {
            assert_ne!(Client::of(unknown.as_ref(), one), Client::of(unknown.as_ref(), other));
            assert_ne!(Client::of(unknown.as_ref(), one), Client::of(Some(&token), one));
        }
    }
}
