//! Which seconds get a tick. Pure: it is told the time and never asks for it.

use super::Timestamp;
use std::time::Duration;

/// Two readings closer than this say little and cost the same.
const SHORTEST: Duration = Duration::from_millis(250);
/// A wall clock that gains or loses more than this on the monotonic one was stepped, or the host slept.
const STEP: Duration = Duration::from_millis(250);
/// The wall clock may still show the last moments of a second whose end was slept to.
const SLACK: Duration = Duration::from_millis(50);

/// What to do with a moment.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// Sample the tick of this unix millisecond.
    Tick(u64),
    /// Only read the counters: the last reading is no base for a rate any more.
    Baseline,
    /// Let it pass.
    TooSoon,
}

/// Remembers the last reading and the last tick.
#[derive(Debug)]
pub(super) struct Schedule {
    last: Timestamp,
    last_tick: u64,
}

impl Schedule {
    pub(super) fn new(first_reading: Timestamp) -> Self {
        Self { last: first_reading, last_tick: 0 }
    }

    /// The next whole second of the wall clock, on the monotonic clock: a sleep to it ends in a second at most, even if
    /// the wall clock is set back meanwhile.
    pub(super) fn deadline(now: Timestamp) -> Duration {
        now.mono + Duration::from_secs(1) - Duration::from_nanos(now.wall.subsec_nanos().into())
    }

    /// Decides about a moment that was slept to. A second that was slept through is never made up for.
    pub(super) fn admit(&mut self, now: Timestamp) -> Decision {
        let passed = now.mono.saturating_sub(self.last.mono);
        let expected = self.last.wall + passed;
        if now.wall.abs_diff(expected) > STEP {
            *self = Self::new(now);
            return Decision::Baseline;
        }
        let tick = (now.wall + SLACK).as_secs() * 1000;
        if passed < SHORTEST || tick <= self.last_tick {
            return Decision::TooSoon;
        }
        *self = Self { last: now, last_tick: tick };
        Decision::Tick(tick)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(wall_ms: u64, mono_ms: u64) -> Timestamp {
        Timestamp { wall: Duration::from_millis(wall_ms), mono: Duration::from_millis(mono_ms) }
    }

    #[test]
    fn a_moment_before_the_second_counts_as_the_second() {
        let mut schedule = Schedule::new(at(10_000, 0));
        assert_eq!(schedule.admit(at(10_999, 999)), Decision::Tick(11_000));
        assert_eq!(schedule.admit(at(11_000, 1_000)), Decision::TooSoon);
        assert_eq!(schedule.admit(at(12_000, 2_000)), Decision::Tick(12_000));
    }

    #[test]
    fn a_suspended_host_starts_anew() {
        let mut schedule = Schedule::new(at(10_000, 0));
        assert_eq!(schedule.admit(at(99_000, 1_000)), Decision::Baseline);
        assert_eq!(schedule.admit(at(100_000, 2_000)), Decision::Tick(100_000));
    }

    proptest! {
        #[test]
        fn no_second_is_ever_sampled_twice(naps in prop::collection::vec(0u64..3_000, 1..100)) {
            let start = at(10_400, 400);
            let mut schedule = Schedule::new(start);
            let mut now = start;
            let mut last = 0;
            for late in naps {
                let deadline = Schedule::deadline(now);
                prop_assert!(deadline > now.mono && deadline <= now.mono + Duration::from_secs(1));
                now = now.plus(deadline - now.mono + Duration::from_millis(late));
                if let Decision::Tick(t) = schedule.admit(now) {
                    prop_assert!(t > last, "{} after {}", t, last);
                    prop_assert!(now.wall + SLACK >= Duration::from_millis(t));
                    prop_assert!(now.wall < Duration::from_millis(t + 1000));
                    last = t;
                }
            }
        }
    }
}
