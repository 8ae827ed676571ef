//! Limits what clients hold open, streams or connections without one, per address and in total.

use super::{Peer, client_address::is_forwarded};
use axum::http::HeaderMap;
use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// Refusals by a limit per address are logged at most this often.
const LOG_INTERVAL: Duration = Duration::from_secs(60);

/// Counts what clients hold open, and refuses what is beyond a limit.
#[derive(Debug)]
pub struct ClientLimiter {
    max_per_address: usize,
    max_total: usize,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    total: usize,
    by_address: HashMap<IpAddr, usize>,
    /// When a refusal was last logged.
    logged: Option<Instant>,
}

/// Why a stream was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refusal {
    /// The address has the maximum.
    #[error("There are {0} open streams from your address, which is the limit. Close one, or retry later.")]
    Address(usize),
    /// The address has the maximum, and is a proxy's.
    #[error(
        "There are {limit} open streams from {proxy}, which is the limit. That is a proxy, whose viewers count as one \
         address. The operator can give each its own limit with --trusted-proxy {proxy}."
    )]
    Proxy {
        /// The proxy's address.
        proxy: IpAddr,
        /// The limit.
        limit: usize,
    },
    /// The server has the maximum.
    #[error("This server has {0} open streams, which is the limit. Retry later.")]
    Full(usize),
    /// The server is about to stop.
    #[error("This server is about to stop. Retry when it is back.")]
    Draining,
}

impl Refusal {
    /// Names the proxy if the refused client is one: its address is the socket's, and it reports another.
    pub(in crate::server) fn through_proxy(self, peer: Peer, client: IpAddr, headers: &HeaderMap) -> Self {
        let proxy = peer.address();
        match self {
            Self::Address(limit) if peer != Peer::UnixSocket && proxy == client && is_forwarded(headers) => {
                Self::Proxy { proxy, limit }
            }
            refusal => refusal,
        }
    }
}

impl ClientLimiter {
    /// Limits per address and in total.
    pub fn new(max_per_address: usize, max_total: usize) -> Arc<Self> {
        Arc::new(Self { max_per_address, max_total, open: Mutex::default() })
    }

    /// Admits a stream or connection until the permit is dropped.
    ///
    /// # Errors
    /// When a limit is reached.
    pub fn admit(self: &Arc<Self>, client: IpAddr) -> Result<ClientPermit, Refusal> {
        let address = network_of(client);
        let mut open = self.open();
        if open.total >= self.max_total {
            return Err(Refusal::Full(self.max_total));
        }
        let count = open.by_address.entry(address).or_default();
        if *count >= self.max_per_address {
            return Err(Refusal::Address(self.max_per_address));
        }
        *count += 1;
        open.total += 1;
        Ok(ClientPermit { limiter: Arc::clone(self), address })
    }

    /// Whether a refusal may be logged now: a stranger must not fill the log.
    pub(in crate::server) fn is_log_due(&self, now: Instant) -> bool {
        let mut open = self.open();
        let is_due = open.logged.is_none_or(|logged| now >= logged + LOG_INTERVAL);
        if is_due {
            open.logged = Some(now);
        }
        is_due
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The unit that is limited: an IPv4 address, or an IPv6 /64, the smallest network that a client gets (RFC 6177).
pub(super) fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & u128::MAX << 64).into(),
        address => address,
    }
}

/// One open stream or connection, counted until this is dropped.
#[derive(Debug)]
pub struct ClientPermit {
    limiter: Arc<ClientLimiter>,
    address: IpAddr,
}

impl Drop for ClientPermit {
    fn drop(&mut self) {
        let mut open = self.limiter.open();
        open.total -= 1;
        // `admit` has inserted it.
        if let Some(count) = open.by_address.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                open.by_address.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn address_at_its_limit_is_refused() {
        let limiter = ClientLimiter::new(2, 100);
        let first = limiter.admit(ip("192.0.2.1")).unwrap();
        let _second = limiter.admit(ip("::ffff:192.0.2.1")).unwrap();
        assert_eq!(limiter.admit(ip("192.0.2.1")).unwrap_err(), Refusal::Address(2));
        let _other = limiter.admit(ip("192.0.2.2")).unwrap();
        drop(first);
        assert!(limiter.admit(ip("192.0.2.1")).is_ok());
    }

    #[test]
    fn refusal_of_a_proxy_names_it_and_its_flag() {
        let via = HeaderMap::from_iter([(axum::http::header::VIA, "1.1 proxy".parse().unwrap())]);
        let (peer, limit) = (Peer::Address(ip("::ffff:192.0.2.1")), Refusal::Address(32));
        let refusal = limit.through_proxy(peer, ip("192.0.2.1"), &via);
        assert!(refusal.to_string().contains("--trusted-proxy 192.0.2.1"), "{refusal}");
        assert_eq!(limit.through_proxy(peer, ip("192.0.2.1"), &HeaderMap::new()), limit, "no proxy");
        assert_eq!(limit.through_proxy(peer, ip("198.51.100.7"), &via), limit, "a trusted proxy's client");
        assert_eq!(limit.through_proxy(Peer::UnixSocket, ip("127.0.0.1"), &via), limit, "trusted already");
        assert_eq!(Refusal::Full(1).through_proxy(peer, ip("192.0.2.1"), &via), Refusal::Full(1));
    }

    #[test]
    fn refusals_are_logged_once_a_minute() {
        let (limiter, now) = (ClientLimiter::new(1, 1), Instant::now());
        let due = [0, 1, 59, 60, 61].map(|second| limiter.is_log_due(now + Duration::from_secs(second)));
        assert_eq!(due, [true, false, false, true, false]);
    }

    #[test]
    fn ipv6_clients_are_limited_by_their_network() {
        let limiter = ClientLimiter::new(1, 100);
        let _one = limiter.admit(ip("2001:db8::1")).unwrap();
        assert_eq!(limiter.admit(ip("2001:db8::ffff:1")).unwrap_err(), Refusal::Address(1));
        assert!(limiter.admit(ip("2001:db8:0:1::1")).is_ok());
    }

    #[test]
    fn server_at_its_limit_refuses_every_address() {
        let limiter = ClientLimiter::new(10, 1);
        let one = limiter.admit(ip("192.0.2.1")).unwrap();
        assert_eq!(limiter.admit(ip("192.0.2.2")).unwrap_err(), Refusal::Full(1));
        drop(one);
        assert!(limiter.admit(ip("192.0.2.2")).is_ok());
    }

    proptest! {
        #[test]
        fn counts_match_open_permits_after_any_sequence(steps in prop::collection::vec((any::<bool>(), 0u8..4), 0..200)) {
            let limiter = ClientLimiter::new(3, 8);
            let mut permits = Vec::new();
            for (opens, address) in steps {
                match opens {
                    true => permits.extend(limiter.admit([192, 0, 2, address].into())),
                    false if permits.is_empty() => {}
                    false => drop(permits.swap_remove(usize::from(address) % permits.len())),
                }
                prop_assert_eq!(limiter.open().total, permits.len());
                prop_assert_eq!(limiter.open().by_address.values().sum::<usize>(), permits.len());
            }
            permits.clear();
            prop_assert!(limiter.open().by_address.is_empty());
        }
    }
}
