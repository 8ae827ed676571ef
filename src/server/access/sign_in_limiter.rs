//! Limits attempts to sign in, for each address and each name, so that passwords can't be guessed.

use super::{Client, rate_limiter::KeyedLimiter};
use std::{net::IpAddr, num::NonZero, time::Duration};

/// Attempts that may come at once.
const BURST: NonZero<u32> = NonZero::new(10).unwrap();
/// The time after which another attempt is allowed.
const INTERVAL: Duration = Duration::from_secs(6);

/// Limits attempts to sign in.
#[derive(Debug)]
pub(in crate::server) struct SignInLimiter {
    by_address: KeyedLimiter<Client>,
    by_name: KeyedLimiter<String>,
}

impl Default for SignInLimiter {
    fn default() -> Self {
        Self { by_address: KeyedLimiter::new(BURST, INTERVAL), by_name: KeyedLimiter::new(BURST, INTERVAL) }
    }
}

impl SignInLimiter {
    /// Counts an attempt by `client` whose name is not known yet.
    ///
    /// # Errors
    /// When there were too many: how long to wait.
    pub(in crate::server) fn attempt_from(&self, client: IpAddr) -> Result<(), Duration> {
        self.by_address.check(&client.into())
    }

    /// Counts an attempt by `client` as the user `name`.
    ///
    /// # Errors
    /// When there were too many: how long to wait.
    pub(in crate::server) fn attempt(&self, client: IpAddr, name: &str) -> Result<(), Duration> {
        self.attempt_from(client)?;
        self.by_name.check(&name.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_are_limited_per_address() {
        let limiter = SignInLimiter::default();
        let attempt = |address: &str, n: u32| limiter.attempt(address.parse().unwrap(), &n.to_string());
        assert!((0..10).all(|n| attempt("192.0.2.1", n).is_ok()));
        let wait = attempt("192.0.2.1", 11).unwrap_err();
        assert!(wait > Duration::ZERO && wait <= INTERVAL, "{wait:?}");
        assert!(attempt("192.0.2.2", 12).is_ok());
    }

    #[test]
    fn attempts_are_limited_per_name_from_all_addresses() {
        let limiter = SignInLimiter::default();
        let attempt = |n: u8, name| limiter.attempt([192, 0, 2, n].into(), name);
        assert!((0..10).all(|n| attempt(n, "ann").is_ok()));
        assert!(attempt(11, "ann").is_err());
        assert!(attempt(12, "bob").is_ok());
    }

    #[test]
    fn addresses_of_one_network_count_as_one() {
        let limiter = SignInLimiter::default();
        let attempt = |network: u16, host: u16| {
            let address = [0x2001, 0xdb8, 0, network, 0, 0, 0, host];
            limiter.attempt(address.into(), &host.to_string())
        };
        assert!((0..10).all(|host| attempt(0, host).is_ok()));
        assert!(attempt(0, 10).is_err());
        assert!(attempt(1, 11).is_ok());
    }
}
