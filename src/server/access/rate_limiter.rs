//! Limits how often something comes, for each key.

use governor::{
    Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    state::keyed::HashMapStateStore,
};
use std::{fmt, hash::Hash, num::NonZero, time::Duration};

/// Keys that are kept; past it, all of others wait.
const MAX_KEYS: usize = 10_000;

/// Admits a burst at once, and then one after each interval.
pub(in crate::server) struct KeyedLimiter<K: Clone + Eq + Hash> {
    limiter: RateLimiter<K, HashMapStateStore<K>, DefaultClock>,
    interval: Duration,
}

impl<K: Clone + Eq + Hash> fmt::Debug for KeyedLimiter<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyedLimiter").field("interval", &self.interval).finish_non_exhaustive()
    }
}

impl<K: Clone + Eq + Hash> KeyedLimiter<K> {
    /// `interval` is longer than zero.
    pub(in crate::server) fn new(burst: NonZero<u32>, interval: Duration) -> Self {
        let quota = Quota::with_period(interval).unwrap_or(Quota::per_minute(burst)).allow_burst(burst);
        Self { limiter: RateLimiter::hashmap(quota), interval }
    }

    /// Counts one for `key`.
    ///
    /// # Errors
    /// When there were too many: how long to wait.
    pub(in crate::server) fn check(&self, key: &K) -> Result<(), Duration> {
        if self.limiter.len() >= MAX_KEYS {
            self.limiter.retain_recent();
            self.limiter.shrink_to_fit();
        }
        if self.limiter.len() >= MAX_KEYS {
            return Err(self.interval);
        }
        self.limiter.check_key(key).map_err(|not_until| not_until.wait_time_from(DefaultClock::default().now()))
    }
}
