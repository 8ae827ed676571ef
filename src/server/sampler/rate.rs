//! Turns two readings of a counter into rates, percentages and sums.

use super::{Clock, CounterReading};
use crate::schema::Sample;

/// The previous reading of a group's counters, `None` before the first.
#[derive(Debug)]
pub(super) struct PreviousReading<T>(Option<CounterReading<T>>);

impl<T> Default for PreviousReading<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> PreviousReading<T> {
    /// Replaces the previous reading and returns the sample for the tick at `t` (unix ms), from the second reading on.
    /// `values` gets the previous counters, the current ones, and the seconds between.
    pub(super) fn next_sample<G>(
        &mut self,
        t: u64,
        clock: &impl Clock,
        read: impl FnOnce() -> Option<T>,
        values: impl FnOnce(&T, &T, f64) -> G,
    ) -> Option<Sample<G>> {
        let reading = CounterReading::take(clock, read);
        let previous = std::mem::replace(&mut self.0, reading);
        let (current, previous) = (self.0.as_ref()?, previous?);
        Some(current.at.sample_since(t, previous.at, |dt| values(&previous.counters, &current.counters, dt)))
    }
}

/// Increase of a counter; `None` if it fell, as some kernel counters do and a reset counter does.
pub(super) fn delta(before: u64, now: u64) -> Option<u64> {
    now.checked_sub(before)
}

/// Increase of a counter per second, rounded to hundredths.
pub(super) fn rate(before: Option<u64>, now: Option<u64>, dt: f64) -> Option<f64> {
    round_to_hundredths(delta(before?, now?)? as f64 / dt)
}

/// `part` of `whole` in percent, rounded to hundredths and capped at 100: counters of coarse ticks can exceed the
/// whole.
pub(super) fn percentage(part: Option<u64>, whole: f64) -> Option<f64> {
    round_to_hundredths((part? as f64 / whole * 100.0).min(100.0))
}

/// `value` rounded to hundredths, the precision sent to browsers; `None` if it is not finite.
pub(super) fn round_to_hundredths(value: f64) -> Option<f64> {
    value.is_finite().then(|| (value * 100.0).round() / 100.0)
}

/// A sum that is `None` when it has no parts or a part is unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct CompleteSum(Option<Option<f64>>);

impl CompleteSum {
    pub(super) fn add(&mut self, part: Option<f64>) {
        let sum = self.0.unwrap_or(Some(0.0));
        self.0 = Some(sum.zip(part).map(|(sum, part)| sum + part));
    }

    /// Rounded to hundredths.
    pub(super) fn total(self) -> Option<f64> {
        self.0.flatten().and_then(round_to_hundredths)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_divides_by_elapsed_time() {
        assert_eq!(rate(Some(100), Some(350), 1.25), Some(200.0));
        assert_eq!(rate(Some(0), Some(1), 3.0), Some(0.33));
    }

    #[test]
    fn sum_with_unknown_part_is_unknown() {
        let sum = |parts: &[Option<f64>]| {
            let mut sum = CompleteSum::default();
            parts.iter().for_each(|part| sum.add(*part));
            sum.total()
        };
        assert_eq!(sum(&[Some(0.1), Some(0.2)]), Some(0.3));
        assert_eq!(sum(&[Some(1.0), None, Some(1.0)]), None);
        assert_eq!(sum(&[]), None);
    }

    #[test]
    fn counter_that_falls_or_is_missing_yields_no_rate() {
        assert_eq!(rate(Some(7), Some(6), 1.0), None);
        assert_eq!(rate(None, Some(6), 1.0), None);
        assert_eq!(rate(Some(6), None, 1.0), None);
        assert_eq!(rate(Some(0), Some(6), 0.0), None);
    }
}
