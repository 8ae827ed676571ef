//! Rates of counters that their publishers never reset.

use std::time::{Duration, Instant};

/// Readings that are closer together would make rates of their jitter.
const MIN_INTERVAL: Duration = Duration::from_millis(250);

/// The latest readings of a counter, and its rate between them.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct CounterRate {
    /// The reading that the next rate is measured from.
    base: (f64, Instant),
    newest: (f64, Instant),
    per_second: Option<f64>,
}

impl CounterRate {
    pub(super) fn new(total: f64, now: Instant) -> Self {
        Self { base: (total, now), newest: (total, now), per_second: None }
    }

    pub(super) fn record(&mut self, total: f64, now: Instant) {
        self.newest = (total, now);
    }

    /// The rate up to the newest reading, which stays until there is another. `None` after the first reading, and once
    /// after a counter fell.
    pub(super) fn sample(&mut self) -> Option<f64> {
        let ((base, from), (newest, to)) = (self.base, self.newest);
        let elapsed = to.saturating_duration_since(from);
        if newest < base {
            (self.base, self.per_second) = (self.newest, None);
        } else if elapsed >= MIN_INTERVAL {
            (self.base, self.per_second) = (self.newest, Some((newest - base) / elapsed.as_secs_f64()));
        }
        self.per_second
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rates at whole seconds of a counter with readings at these milliseconds.
    fn rates(readings: &[(u64, f64)], seconds: u64) -> Vec<Option<f64>> {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut counter = CounterRate::new(readings[0].1, at(readings[0].0));
        let mut rest = readings[1..].iter().peekable();
        let mut sampled = Vec::new();
        for second in 1..=seconds {
            while let Some((ms, total)) = rest.next_if(|(ms, _)| *ms < second * 1000) {
                counter.record(*total, at(*ms));
            }
            sampled.push(counter.sample());
        }
        sampled
    }

    #[test]
    fn rate_is_over_the_time_between_readings_and_holds() {
        let rates = rates(&[(500, 10.0), (2_500, 30.0), (4_500, 30.0)], 6);
        assert_eq!(rates, [None, None, Some(10.0), Some(10.0), Some(0.0), Some(0.0)]);
    }

    #[test]
    fn counter_that_falls_yields_no_rate_once() {
        let rates = rates(&[(500, 10.0), (1_500, 20.0), (2_500, 3.0), (3_500, 5.0)], 4);
        assert_eq!(rates, [None, Some(10.0), None, Some(2.0)]);
    }

    #[test]
    fn reading_just_after_another_waits_for_the_next() {
        let rates = rates(&[(990, 10.0), (1_010, 20.0), (2_990, 30.0)], 3);
        assert_eq!(rates, [None, None, Some(10.0)]);
    }
}
