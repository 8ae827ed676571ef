//! What becomes of two readings of a counter.

use super::{Clock, Reading};
use crate::schema::Sample;

/// The last reading of a group.
#[derive(Debug)]
pub(super) struct PreviousReading<T>(Option<Reading<T>>);

impl<T> Default for PreviousReading<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> PreviousReading<T> {
    /// Reads anew. From the second time on that makes a sample for the tick at `t`: `values` is told the counters of before,
    /// those of now, and the seconds between.
    pub(super) fn sample<G>(
        &mut self,
        t: u64,
        clock: &impl Clock,
        read: impl FnOnce() -> Option<T>,
        values: impl FnOnce(&T, &T, f64) -> G,
    ) -> Option<Sample<G>> {
        let reading = Reading::take(clock, read);
        let before = std::mem::replace(&mut self.0, reading);
        let (now, before) = (self.0.as_ref()?, before?);
        Some(now.at.sample(t, before.at, |dt| values(&before.counters, &now.counters, dt)))
    }
}

/// How far a counter has risen; one that fell was reset, or is one that the kernel lets step back.
pub(super) fn delta(before: u64, now: u64) -> Option<u64> {
    now.checked_sub(before)
}

/// How far a counter has risen a second, to two places.
pub(super) fn rate(before: Option<u64>, now: Option<u64>, dt: f64) -> Option<f64> {
    places(delta(before?, now?)? as f64 / dt)
}

/// A share in percent, to two places. What is counted in coarse ticks may come to a little more than the whole.
pub(super) fn percent(part: Option<u64>, whole: f64) -> Option<f64> {
    places((part? as f64 / whole * 100.0).min(100.0))
}

/// To two places: more would be noise on the wire. Nothing that can't be put there.
pub(super) fn places(figure: f64) -> Option<f64> {
    figure.is_finite().then(|| (figure * 100.0).round() / 100.0)
}

/// A sum that is unknown if one of its parts is, and if there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Sum(Option<Option<f64>>);

impl Sum {
    pub(super) fn add(&mut self, part: Option<f64>) {
        let sum = self.0.unwrap_or(Some(0.0));
        self.0 = Some(sum.zip(part).map(|(sum, part)| sum + part));
    }

    /// To two places.
    pub(super) fn total(self) -> Option<f64> {
        self.0.flatten().and_then(places)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_over_the_time_that_passed() {
        assert_eq!(rate(Some(100), Some(350), 1.25), Some(200.0));
        assert_eq!(rate(Some(0), Some(1), 3.0), Some(0.33));
    }

    #[test]
    fn a_sum_is_no_more_certain_than_its_parts() {
        let sum = |parts: &[Option<f64>]| {
            let mut sum = Sum::default();
            parts.iter().for_each(|part| sum.add(*part));
            sum.total()
        };
        assert_eq!(sum(&[Some(0.1), Some(0.2)]), Some(0.3));
        assert_eq!(sum(&[Some(1.0), None, Some(1.0)]), None);
        assert_eq!(sum(&[]), None);
    }

    #[test]
    fn a_counter_that_fell_or_is_not_there_has_no_rate() {
        assert_eq!(rate(Some(7), Some(6), 1.0), None);
        assert_eq!(rate(None, Some(6), 1.0), None);
        assert_eq!(rate(Some(6), None, 1.0), None);
        assert_eq!(rate(Some(0), Some(6), 0.0), None);
    }
}
