//! One published value over time.

use super::{Reading, total::CounterRate};
use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

/// Readings of one second that percentiles are taken of, and different members that are counted.
const MAX_A_SECOND: usize = 1_000;
/// How long a value is `null` before its series ends, as in the window.
const END_AFTER: Duration = Duration::from_secs(60);

/// One value of one publisher.
#[derive(Clone, Debug)]
pub(super) struct PublishedSeries {
    updated: Instant,
    state: State,
}

#[derive(Clone, Debug)]
enum State {
    Value(f64),
    Total(CounterRate),
    /// Events since the last sample.
    Count(f64),
    Percentile {
        share: f64,
        /// At most [`MAX_A_SECOND`], each as likely as the others to be kept.
        kept: Vec<f64>,
        seen: u64,
    },
    Members(HashSet<u64>),
}

impl PublishedSeries {
    pub(super) fn new(reading: Reading, now: Instant) -> Self {
        let state = match reading {
            Reading::Value(value) | Reading::Change(value) => State::Value(value),
            Reading::Total(total) => State::Total(CounterRate::new(total, now)),
            Reading::Count(count) => State::Count(count),
            Reading::Percentile { share, value } => State::Percentile { share, kept: vec![value], seen: 1 },
            Reading::Member(member) => State::Members(HashSet::from([member])),
        };
        Self { updated: now, state }
    }

    /// Adds a reading. One of another type starts the series anew.
    pub(super) fn record(&mut self, reading: Reading, now: Instant) {
        self.updated = now;
        match (&mut self.state, reading) {
            (State::Value(value), Reading::Change(change)) if (*value + change).is_finite() => *value += change,
            (State::Value(_), Reading::Change(_)) => {}
            (State::Total(rate), Reading::Total(total)) => rate.record(total, now),
            (State::Count(sum), Reading::Count(count)) if (*sum + count).is_finite() => *sum += count,
            (State::Count(_), Reading::Count(_)) => {}
            (State::Percentile { kept, seen, .. }, Reading::Percentile { value, .. }) => {
                *seen += 1;
                if kept.len() < MAX_A_SECOND {
                    kept.push(value);
                } else if let Some(replaced) = kept.get_mut(fastrand::u64(..*seen) as usize) {
                    *replaced = value;
                }
            }
            (State::Members(members), Reading::Member(member)) => {
                if members.len() < MAX_A_SECOND {
                    members.insert(member);
                }
            }
            _ => *self = Self::new(reading, now),
        }
    }

    /// The value of the tick at `now`, `elapsed` seconds after the one before; `None` once it has expired.
    pub(super) fn sample(&mut self, now: Instant, elapsed: f64, expiry: Duration) -> Option<f64> {
        let value = match &mut self.state {
            State::Value(value) => Some(*value),
            State::Total(rate) => rate.sample(),
            State::Count(count) => Some(std::mem::take(count) / elapsed),
            State::Percentile { share, kept, seen } => {
                *seen = 0;
                percentile(std::mem::take(kept), *share)
            }
            State::Members(members) => Some(std::mem::take(members).len() as f64),
        };
        value.filter(|value| value.is_finite() && now.saturating_duration_since(self.updated) < expiry)
    }

    /// Whether it has expired for so long that it ends.
    pub(super) fn has_ended(&self, now: Instant, expiry: Duration) -> bool {
        now.saturating_duration_since(self.updated) >= expiry + END_AFTER
    }
}

/// The percentile by the nearest-rank method; `None` of no values.
fn percentile(mut values: Vec<f64>, share: f64) -> Option<f64> {
    let rank = ((values.len() as f64 * share).ceil() as usize).clamp(1, values.len().max(1)) - 1;
    (rank < values.len()).then(|| *values.select_nth_unstable_by(rank, f64::total_cmp).1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXPIRY: Duration = Duration::from_secs(60);

    fn after(readings: &[Reading]) -> PublishedSeries {
        let now = Instant::now();
        let mut series = PublishedSeries::new(readings[0], now);
        readings[1..].iter().for_each(|reading| series.record(*reading, now));
        series
    }

    fn sampled(readings: &[Reading]) -> Option<f64> {
        after(readings).sample(Instant::now(), 1.0, EXPIRY)
    }

    #[test]
    fn last_value_wins_and_changes_add_up() {
        use Reading::{Change, Value};
        assert_eq!(sampled(&[Value(1.0), Value(2.0)]), Some(2.0));
        assert_eq!(sampled(&[Value(333.0), Change(-10.0), Change(4.0)]), Some(327.0));
        assert_eq!(sampled(&[Change(-3.0)]), Some(-3.0));
        assert_eq!(sampled(&[Value(f64::MAX), Change(f64::MAX)]), Some(f64::MAX), "it stays finite");
    }

    #[test]
    fn counts_become_a_rate_and_zero_without_events() {
        let mut series = after(&[Reading::Count(2.0), Reading::Count(10.0)]);
        let now = Instant::now();
        assert_eq!(series.sample(now, 2.0, EXPIRY), Some(6.0));
        assert_eq!(series.sample(now, 1.0, EXPIRY), Some(0.0));
    }

    #[test]
    fn percentile_is_of_one_second() {
        let values = (1..=100).map(|value| Reading::Percentile { share: 0.95, value: f64::from(value) });
        let mut series = after(&values.collect::<Vec<_>>());
        let now = Instant::now();
        assert_eq!(series.sample(now, 1.0, EXPIRY), Some(95.0));
        assert_eq!(series.sample(now, 1.0, EXPIRY), None, "a second without any");
    }

    #[test]
    fn different_members_are_counted_up_to_the_bound() {
        let members = [1, 2, 1].map(Reading::Member);
        assert_eq!(sampled(&members), Some(2.0));
        let many: Vec<_> = (0..5_000).map(Reading::Member).collect();
        assert_eq!(sampled(&many), Some(1_000.0));
    }

    #[test]
    fn kept_readings_are_bounded_and_of_all_that_came() {
        let values = (0..100_000).map(|value| Reading::Percentile { share: 0.5, value: f64::from(value) });
        let median = sampled(&values.collect::<Vec<_>>()).unwrap();
        assert!((30_000.0..70_000.0).contains(&median), "{median}");
    }

    #[test]
    fn value_expires_and_ends_a_minute_later() {
        let (mut series, now) = (after(&[Reading::Value(1.0)]), Instant::now());
        let at = |seconds| now + Duration::from_secs(seconds);
        assert_eq!(series.sample(at(59), 1.0, EXPIRY), Some(1.0));
        assert_eq!(series.sample(at(61), 1.0, EXPIRY), None);
        assert!(!series.has_ended(at(119), EXPIRY) && series.has_ended(at(121), EXPIRY));
    }
}
