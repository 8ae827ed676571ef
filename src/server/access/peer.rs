//! The other end of a connection.

use ipnet::IpNet;
use std::net::{IpAddr, Ipv4Addr};

/// Who connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::server) enum Peer {
    /// A program that reached a TCP port from this address.
    Address(IpAddr),
    /// A program of this host. The socket's permissions decide which ones reach it, so it is a trusted proxy.
    UnixSocket,
}

impl Peer {
    /// Its address, or a loopback one.
    pub(in crate::server) fn address(self) -> IpAddr {
        match self {
            Self::Address(address) => address.to_canonical(),
            Self::UnixSocket => Ipv4Addr::LOCALHOST.into(),
        }
    }

    /// Whether it is a proxy whose report of the client is believed.
    pub(in crate::server) fn is_trusted(self, trusted: &[IpNet]) -> bool {
        self == Self::UnixSocket || trusted.iter().any(|network| network.contains(&self.address()))
    }
}
