//! Decides which seconds get a tick: late ticks are skipped, readings that come too early are dropped, and a clock step
//! or a suspend starts a new baseline. The caller passes the time in.

use super::Timestamp;
use std::time::Duration;

/// Minimum time between readings: rates over less are noise.
const MIN_INTERVAL: Duration = Duration::from_millis(250);
/// Drift between the wall and monotonic clocks since the last reading that counts as a clock step or a suspend.
const MAX_CLOCK_DRIFT: Duration = Duration::from_millis(250);
/// How far before the whole second a wake-up still counts for it: the wall and monotonic clocks differ slightly.
const EARLY_WAKE_TOLERANCE: Duration = Duration::from_millis(50);

/// What to do at a wake-up.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum TickDecision {
    /// Sample the tick of this second (unix ms).
    Tick(u64),
    /// Read the counters without a tick: rates over the previous reading would be wrong.
    Baseline,
    /// Do nothing: the previous reading or tick is too recent.
    TooEarly,
}

/// The times of the last reading and the last tick.
#[derive(Debug)]
pub(super) struct TickSchedule {
    last_reading: Timestamp,
    /// Unix milliseconds.
    last_tick: u64,
}

impl TickSchedule {
    pub(super) fn new(first_reading: Timestamp) -> Self {
        Self { last_reading: first_reading, last_tick: 0 }
    }

    /// Monotonic time of the wall clock's next whole second, at most a second away even if the wall clock is set back
    /// during the sleep.
    pub(super) fn next_wake(now: Timestamp) -> Duration {
        now.mono + Duration::from_secs(1) - Duration::from_nanos(now.wall.subsec_nanos().into())
    }

    /// Decides what to do at a wake-up at `now`.
    pub(super) fn decide(&mut self, now: Timestamp) -> TickDecision {
        let elapsed = now.mono.saturating_sub(self.last_reading.mono);
        let expected = self.last_reading.wall + elapsed;
        if now.wall.abs_diff(expected) > MAX_CLOCK_DRIFT {
            *self = Self::new(now);
            return TickDecision::Baseline;
        }
        let tick = (now.wall + EARLY_WAKE_TOLERANCE).as_secs() * 1000;
        if elapsed < MIN_INTERVAL || tick <= self.last_tick {
            return TickDecision::TooEarly;
        }
        *self = Self { last_reading: now, last_tick: tick };
        TickDecision::Tick(tick)
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
    fn wake_just_before_second_ticks_that_second_once() {
        let mut schedule = TickSchedule::new(at(10_000, 0));
        assert_eq!(schedule.decide(at(10_999, 999)), TickDecision::Tick(11_000));
        assert_eq!(schedule.decide(at(11_000, 1_000)), TickDecision::TooEarly);
        assert_eq!(schedule.decide(at(12_000, 2_000)), TickDecision::Tick(12_000));
    }

    #[test]
    fn suspended_host_starts_new_baseline() {
        let mut schedule = TickSchedule::new(at(10_000, 0));
        assert_eq!(schedule.decide(at(99_000, 1_000)), TickDecision::Baseline);
        assert_eq!(schedule.decide(at(100_000, 2_000)), TickDecision::Tick(100_000));
    }

    proptest! {
        #[test]
        fn random_delays_never_repeat_a_second(delays in prop::collection::vec(0u64..3_000, 1..100)) {
            let start = at(10_400, 400);
            let mut schedule = TickSchedule::new(start);
            let mut now = start;
            let mut last = 0;
            for delay in delays {
                let wake = TickSchedule::next_wake(now);
                prop_assert!(wake > now.mono && wake <= now.mono + Duration::from_secs(1));
                now = now.plus(wake - now.mono + Duration::from_millis(delay));
                if let TickDecision::Tick(t) = schedule.decide(now) {
                    prop_assert!(t > last, "{} after {}", t, last);
                    prop_assert!(now.wall + EARLY_WAKE_TOLERANCE >= Duration::from_millis(t));
                    prop_assert!(now.wall < Duration::from_millis(t + 1000));
                    last = t;
                }
            }
        }
    }
}
