//! How long to wait before a failed request is repeated: twice as long each time, with jitter, so that many hosts don't
//! return at once.

use std::time::Duration;

const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(30);
/// The longest pause that a receiver can request.
const LONGEST_REQUESTED: Duration = Duration::from_secs(5 * 60);

/// The pauses after failures in a row.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The pause after another failure, in which the receiver may have `requested` one (RFC 9110, section 10.2.3).
    pub(super) fn next(&mut self, requested: Option<Duration>) -> Duration {
        let full = FIRST.saturating_mul(1 << self.failures.min(10)).min(LONGEST);
        self.failures += 1;
        full.mul_f64(0.5 + fastrand::f64() / 2.0).max(requested.unwrap_or_default().min(LONGEST_REQUESTED))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_half_a_minute_and_are_at_least_those_requested() {
        let mut backoff = Backoff::default();
        for full in [1, 2, 4, 8, 16, 30, 30].map(Duration::from_secs) {
            let pause = backoff.next(None);
            assert!(full / 2 <= pause && pause <= full, "{pause:?} of {full:?}");
        }
        assert_eq!(backoff.next(Some(Duration::from_secs(100))).as_secs(), 100);
        assert_eq!(backoff.next(Some(Duration::MAX)), LONGEST_REQUESTED);
    }
}
