//! Limits what clients hold open or under way, such as streams, for each client and in total.

use super::{Client, Peer, client_address::is_forwarded};
use axum::http::HeaderMap;
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// Refusals by a limit per client are logged at most this often.
const LOG_INTERVAL: Duration = Duration::from_secs(60);

/// Counts what clients hold open, and refuses what is beyond a limit.
#[derive(Debug)]
pub(in crate::server) struct ClientLimiter {
    max_per_client: usize,
    max_total: usize,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    total: usize,
    by_client: HashMap<Client, usize>,
    /// When a refusal was last logged.
    logged: Option<Instant>,
}

/// Why a stream was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refusal {
    /// The address has the maximum.
    #[error("There are {0} open streams from your address, which is the limit. Close one, or retry later.")]
    Address(usize),
    /// The user or the token has the maximum.
    #[error("There are {0} open streams of your user or token, which is the limit. Close one, or retry later.")]
    Principal(usize),
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
    /// Limits per client and in total.
    pub(in crate::server) fn new(max_per_client: usize, max_total: usize) -> Arc<Self> {
        Arc::new(Self { max_per_client, max_total, open: Mutex::default() })
    }

    /// Admits a stream, connection or request until the permit is dropped.
    ///
    /// # Errors
    /// When a limit is reached.
    pub(in crate::server) fn admit(self: &Arc<Self>, client: Client) -> Result<ClientPermit, Refusal> {
        let mut open = self.open();
        if open.total >= self.max_total {
            return Err(Refusal::Full(self.max_total));
        }
        let count = open.by_client.entry(client.clone()).or_default();
        if *count >= self.max_per_client {
            return Err(match client {
                Client::Network(_) => Refusal::Address(self.max_per_client),
                Client::User(_) | Client::Token(_) => Refusal::Principal(self.max_per_client),
            });
        }
        *count += 1;
        open.total += 1;
        Ok(ClientPermit { limiter: Arc::clone(self), client })
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

/// One stream, connection or request, counted until this is dropped.
#[derive(Debug)]
pub(in crate::server) struct ClientPermit {
    limiter: Arc<ClientLimiter>,
    client: Client,
}

/// The permit of a connection, shared with its requests. `None` where connections aren't limited.
#[derive(Clone, Debug, Default)]
pub(in crate::server) struct SharedPermit(Arc<Mutex<Option<ClientPermit>>>);

impl SharedPermit {
    /// Shares a permit.
    pub(in crate::server) fn new(permit: Option<ClientPermit>) -> Self {
        Self(Arc::new(Mutex::new(permit)))
    }

    /// Counts the connection for another client, once its sender is known, unless that one has the maximum.
    pub(in crate::server) fn count_for(&self, client: &Client) {
        let mut permit = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let moved = permit.as_ref().filter(|permit| permit.client != *client);
        if let Some(Ok(moved)) = moved.map(|permit| permit.limiter.admit(client.clone())) {
            *permit = Some(moved);
        }
    }
}

impl Drop for ClientPermit {
    fn drop(&mut self) {
        let mut open = self.limiter.open();
        open.total -= 1;
        // `admit` has inserted it.
        if let Some(count) = open.by_client.get_mut(&self.client) {
            *count -= 1;
            if *count == 0 {
                open.by_client.remove(&self.client);
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

    fn admit(limiter: &Arc<ClientLimiter>, address: &str) -> Result<ClientPermit, Refusal> {
        limiter.admit(ip(address).into())
    }

    #[test]
    fn users_behind_one_address_have_limits_of_their_own() {
        let limiter = ClientLimiter::new(1, 100);
        let user = |name: &str| Client::User(name.parse().unwrap());
        let _ann = limiter.admit(user("ann")).unwrap();
        assert_eq!(limiter.admit(user("ann")).unwrap_err(), Refusal::Principal(1));
        let _bob = limiter.admit(user("bob")).unwrap();
        let _token = limiter.admit(Client::Token("ann".to_owned())).unwrap();
        assert!(admit(&limiter, "192.0.2.1").is_ok());
    }

    #[test]
    fn connection_counts_for_its_user_once_known_unless_that_has_the_maximum() {
        let limiter = ClientLimiter::new(1, 100);
        let ann = Client::User("ann".parse().unwrap());
        let first = SharedPermit::new(Some(admit(&limiter, "192.0.2.1").unwrap()));
        first.count_for(&ann);
        first.count_for(&ann);
        let second = SharedPermit::new(Some(admit(&limiter, "192.0.2.1").unwrap()));
        second.count_for(&ann);
        assert_eq!(admit(&limiter, "192.0.2.1").unwrap_err(), Refusal::Address(1));
        drop(first);
        second.count_for(&ann);
        assert!(admit(&limiter, "192.0.2.1").is_ok());
        SharedPermit::default().count_for(&ann);
    }

    #[test]
    fn address_at_its_limit_is_refused() {
        let limiter = ClientLimiter::new(2, 100);
        let first = admit(&limiter, "192.0.2.1").unwrap();
        let _second = admit(&limiter, "::ffff:192.0.2.1").unwrap();
        assert_eq!(admit(&limiter, "192.0.2.1").unwrap_err(), Refusal::Address(2));
        let _other = admit(&limiter, "192.0.2.2").unwrap();
        drop(first);
        assert!(admit(&limiter, "192.0.2.1").is_ok());
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
        let _one = admit(&limiter, "2001:db8::1").unwrap();
        assert_eq!(admit(&limiter, "2001:db8::ffff:1").unwrap_err(), Refusal::Address(1));
        assert!(admit(&limiter, "2001:db8:0:1::1").is_ok());
    }

    #[test]
    fn server_at_its_limit_refuses_every_address() {
        let limiter = ClientLimiter::new(10, 1);
        let one = admit(&limiter, "192.0.2.1").unwrap();
        assert_eq!(admit(&limiter, "192.0.2.2").unwrap_err(), Refusal::Full(1));
        drop(one);
        assert!(admit(&limiter, "192.0.2.2").is_ok());
    }

    proptest! {
        #[test]
        fn counts_match_open_permits_after_any_sequence(steps in prop::collection::vec((any::<bool>(), 0u8..4), 0..200)) {
            let limiter = ClientLimiter::new(3, 8);
            let mut permits = Vec::new();
            for (opens, address) in steps {
                match opens {
                    true => permits.extend(limiter.admit(IpAddr::from([192, 0, 2, address]).into())),
                    false if permits.is_empty() => {}
                    false => drop(permits.swap_remove(usize::from(address) % permits.len())),
                }
                prop_assert_eq!(limiter.open().total, permits.len());
                prop_assert_eq!(limiter.open().by_client.values().sum::<usize>(), permits.len());
            }
            permits.clear();
            prop_assert!(limiter.open().by_client.is_empty());
        }
    }
}
