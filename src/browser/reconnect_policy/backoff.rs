//! Exponential backoff with full jitter between connection attempts.

/// Upper bound of the delay after the first failure; it doubles with each further one.
const INITIAL_MS: f64 = 1_000.0;
/// Upper bound of every delay.
const MAX_MS: f64 = 30_000.0;

/// Counts consecutive failures and derives the next delay from them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Backoff {
    failures: i32,
}

impl Backoff {
    /// Records a failure. Milliseconds until the next attempt: `jitter`, from 0 to 1, times the current upper bound.
    /// The jitter spreads clients that lost their connections together.
    pub(super) fn next_delay(&mut self, jitter: f64) -> f64 {
        let bound = (INITIAL_MS * 2f64.powi(self.failures)).min(MAX_MS);
        self.failures += 1;
        bound * jitter
    }

    /// Starts over after a success.
    pub(super) fn reset(&mut self) {
        self.failures = 0;
    }
}
