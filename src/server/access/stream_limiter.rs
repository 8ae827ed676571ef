//! How many streams may be open, from one address and in all.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Counts open streams, and refuses those that are too many.
#[derive(Debug)]
pub struct StreamLimiter {
    from_one_address: usize,
    in_all: usize,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    all: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// Why a stream was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refusal {
    /// The address has its share.
    #[error(
        "There are {0} open streams from your address already, which is the limit. Close one, or wait for one to end."
    )]
    Address(usize),
    /// The server has as many as it takes.
    #[error("This server has {0} open streams, which is the limit. Ask again later.")]
    Full(usize),
    /// The server is about to stop.
    #[error("This server is about to stop. Ask again when it is back.")]
    Draining,
}

impl StreamLimiter {
    /// StreamLimiter on streams from one address, and on all of them.
    pub fn new(from_one_address: usize, in_all: usize) -> Arc<Self> {
        Arc::new(Self { from_one_address, in_all, open: Mutex::default() })
    }

    /// Lets a stream in until the permit is dropped.
    ///
    /// # Errors
    /// When it would be one too many.
    pub fn admit(self: &Arc<Self>, client: IpAddr) -> Result<StreamPermit, Refusal> {
        let address = network_of(client);
        let mut open = self.open();
        if open.all >= self.in_all {
            return Err(Refusal::Full(self.in_all));
        }
        let from_here = open.by_address.entry(address).or_default();
        if *from_here >= self.from_one_address {
            return Err(Refusal::Address(self.from_one_address));
        }
        *from_here += 1;
        open.all += 1;
        Ok(StreamPermit { limiter: Arc::clone(self), address })
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What counts as one address: of IPv6, the first 64 bits, which is the least that a client is given (RFC 6177).
fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & u128::MAX << 64).into(),
        address => address,
    }
}

/// One open stream; dropped, it is open no more.
#[derive(Debug)]
pub struct StreamPermit {
    limiter: Arc<StreamLimiter>,
    address: IpAddr,
}

impl Drop for StreamPermit {
    fn drop(&mut self) {
        let mut open = self.limiter.open();
        open.all -= 1;
        // It was counted in, so it is there.
        if let Some(from_here) = open.by_address.get_mut(&self.address) {
            *from_here -= 1;
            if *from_here == 0 {
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
    fn an_address_has_its_share_and_no_more() {
        let limiter = StreamLimiter::new(2, 100);
        let first = limiter.admit(ip("192.0.2.1")).unwrap();
        let _second = limiter.admit(ip("::ffff:192.0.2.1")).unwrap();
        assert_eq!(limiter.admit(ip("192.0.2.1")).unwrap_err(), Refusal::Address(2));
        let _other = limiter.admit(ip("192.0.2.2")).unwrap();
        drop(first);
        assert!(limiter.admit(ip("192.0.2.1")).is_ok());
    }

    #[test]
    fn an_ipv6_client_is_its_network() {
        let limiter = StreamLimiter::new(1, 100);
        let _one = limiter.admit(ip("2001:db8::1")).unwrap();
        assert_eq!(limiter.admit(ip("2001:db8::ffff:1")).unwrap_err(), Refusal::Address(1));
        assert!(limiter.admit(ip("2001:db8:0:1::1")).is_ok());
    }

    #[test]
    fn the_server_has_a_limit_of_its_own() {
        let limiter = StreamLimiter::new(10, 1);
        let one = limiter.admit(ip("192.0.2.1")).unwrap();
        assert_eq!(limiter.admit(ip("192.0.2.2")).unwrap_err(), Refusal::Full(1));
        drop(one);
        assert!(limiter.admit(ip("192.0.2.2")).is_ok());
    }

    proptest! {
        #[test]
        fn whoever_comes_and_goes_the_count_is_right(steps in prop::collection::vec((any::<bool>(), 0u8..4), 0..200)) {
            let limiter = StreamLimiter::new(3, 8);
            let mut permits = Vec::new();
            for (comes, address) in steps {
                match comes {
                    true => permits.extend(limiter.admit([192, 0, 2, address].into())),
                    false if permits.is_empty() => {}
                    false => drop(permits.swap_remove(usize::from(address) % permits.len())),
                }
                prop_assert_eq!(limiter.open().all, permits.len());
                prop_assert_eq!(limiter.open().by_address.values().sum::<usize>(), permits.len());
            }
            permits.clear();
            prop_assert!(limiter.open().by_address.is_empty());
        }
    }
}
