//! Limits how often a token, a user or an address publishes.

use super::{Client, rate_limiter::KeyedLimiter};
use std::{num::NonZero, time::Duration};

/// Requests that may come at once.
const BURST: NonZero<u32> = NonZero::new(10).unwrap();
/// The time after which another is allowed.
const INTERVAL: Duration = Duration::from_millis(100);

/// Admits ten requests a second of each client.
#[derive(Debug)]
pub(in crate::server) struct PublishLimiter(KeyedLimiter<Client>);

impl Default for PublishLimiter {
    fn default() -> Self {
        Self(KeyedLimiter::new(BURST, INTERVAL))
    }
}

impl PublishLimiter {
    /// Counts a request of `client`.
    ///
    /// # Errors
    /// When there were too many: how long to wait.
    pub(in crate::server) fn check(&self, client: &Client) -> Result<(), Duration> {
        self.0.check(client)
    }
}
