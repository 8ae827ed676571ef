//! The sliding window: the newest seconds of every series in columns that share one time axis, with explicit gaps.

#[cfg(feature = "ssr")]
mod column;
mod differences;
mod queries;
#[cfg(feature = "ssr")]
mod rounding;
mod snapshot;

pub use snapshot::{SeriesValues, WindowSnapshot};

use super::{Group, INTERVAL_MS};
#[cfg(feature = "ssr")]
use column::Column;
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

/// The values of one series. A page has one copy of its window, for which a deque is less code.
#[cfg(not(feature = "ssr"))]
type Column = VecDeque<f64>;

/// A series without a value in this many recorded seconds is forgotten: its device or container is gone.
const MAX_SILENCE: usize = 60;

/// Columnar time series on one time axis: a slot per second, oldest first. A second without a sample keeps its slot, so
/// that charts draw a gap instead of a line across it. The slots of a window of the history may be longer.
#[derive(Clone, Debug, PartialEq)]
pub struct Window {
    capacity: usize,
    max_series: usize,
    /// Values that were not recorded because their series would exceed `max_series`.
    dropped: u64,
    /// Tick of the newest slot, unix ms.
    end: Option<u64>,
    #[cfg(feature = "ssr")]
    step_ms: u64,
    /// Whether a slot has a value in any series, also in one that has been forgotten.
    recorded: VecDeque<bool>,
    /// The newest values per series, from its first one on; NaN means "no sample", since an `Option<f64>` would take
    /// twice the memory.
    series: BTreeMap<Arc<str>, Column>,
}

impl Window {
    /// An empty window with room for the newest `capacity` seconds (at least one).
    pub fn new(capacity: usize) -> Self {
        Self {
            capacity: capacity.max(1),
            max_series: usize::MAX,
            dropped: 0,
            end: None,
            #[cfg(feature = "ssr")]
            step_ms: INTERVAL_MS,
            recorded: VecDeque::new(),
            series: BTreeMap::new(),
        }
    }

    /// The same window with room for `capacity` seconds, but never fewer than it holds.
    pub fn with_capacity(self, capacity: usize) -> Self {
        Self { capacity: capacity.max(self.len()).max(1), ..self }
    }

    /// An empty window of the history with `capacity` slots of `step_ms` milliseconds, the newest at `end` (unix ms).
    #[cfg(feature = "ssr")]
    pub fn of_history(capacity: usize, step_ms: u64, end: u64) -> Self {
        let recorded = std::iter::repeat_n(false, capacity.max(1)).collect();
        Self { step_ms: step_ms.max(1), end: Some(end), recorded, ..Self::new(capacity) }
    }

    /// Milliseconds from one slot to the next.
    pub fn step_ms(&self) -> u64 {
        #[cfg(feature = "ssr")]
        return self.step_ms;
        #[cfg(not(feature = "ssr"))]
        INTERVAL_MS
    }

    /// From now on, adds no series beyond `max_series`.
    pub fn limit_series(&mut self, max_series: usize) {
        self.max_series = max_series;
    }

    /// Removes all samples.
    pub fn clear(&mut self) {
        self.series.clear();
        self.recorded.clear();
        self.end = None;
    }

    /// Records a group's values at tick `t` (unix ms), which becomes the newest.
    pub fn record<G: Group>(&mut self, t: u64, group: &G) {
        self.advance(t);
        group.series(&mut |path, value| self.set(path, value));
    }

    /// Sets the newest values of a series, as many as there are; NaN is a second without a sample. The window grows back to
    /// the oldest of them.
    #[cfg(feature = "ssr")]
    pub fn fill(&mut self, path: &str, values: &[f64]) {
        let Some(end) = self.end else { return };
        let gaps = values.iter().take_while(|value| value.is_nan()).count();
        let values = &values[gaps..];
        self.extend_back_to(end.saturating_sub((values.len() as u64).saturating_sub(1) * self.step_ms()));
        for (age, value) in values.iter().rev().enumerate().take(self.len()).filter(|(_, value)| !value.is_nan()) {
            self.put(age, path, Some(*value));
        }
    }

    /// Sets a value of the newest second; does nothing while the window is empty.
    pub fn set(&mut self, path: &str, value: Option<f64>) {
        if !self.is_empty() {
            self.put(0, path, value);
        }
    }

    /// Makes `t` (unix ms) the newest slot. Skipped seconds become gaps. If the clock stepped back, seconds after `t`
    /// are dropped.
    pub fn advance(&mut self, t: u64) {
        let Some(end) = self.end else {
            self.restart(t);
            return;
        };
        // Every group of a tick but the first finds its slot in place.
        if t == end {
            return;
        }
        let steps = usize::try_from(t.abs_diff(end) / self.step_ms()).unwrap_or(usize::MAX);
        if t >= end {
            self.push_gaps(steps.min(self.capacity));
        } else if steps < self.len() {
            self.drop_newest(steps);
        } else {
            self.restart(t);
        }
        self.end = Some(t);
    }

    fn restart(&mut self, t: u64) {
        self.clear();
        self.end = Some(t);
        self.recorded.push_back(false);
    }

    fn push_gaps(&mut self, count: usize) {
        self.forget_dead();
        let len = (self.len() + count).min(self.capacity);
        self.recorded.extend(std::iter::repeat_n(false, count));
        self.recorded.drain(..self.recorded.len().saturating_sub(len));
        self.series.retain(|_, column| {
            column.extend(std::iter::repeat_n(f64::NAN, count));
            column.drain(..column.len().saturating_sub(len));
            while column.front().is_some_and(|value| value.is_nan()) {
                column.pop_front();
            }
            !column.is_empty()
        });
    }

    /// Forgets series without a value in the newest recorded seconds. Seconds that no series has do not count: after a
    /// suspend or a restart, all series would be forgotten.
    fn forget_dead(&mut self) {
        let mut ages = self.recorded.iter().rev().enumerate().filter(|(_, recorded)| **recorded);
        if let Some((age, _)) = ages.nth(MAX_SILENCE - 1) {
            self.series.retain(|_, column| column.iter().rev().take(age + 1).any(|value| !value.is_nan()));
        }
    }

    fn drop_newest(&mut self, count: usize) {
        self.recorded.truncate(self.len() - count);
        self.series.retain(|_, column| {
            column.truncate(column.len().saturating_sub(count));
            !column.is_empty()
        });
    }

    /// Adds gaps before the oldest slot back to tick `t`, as far as the capacity allows.
    fn extend_back_to(&mut self, t: u64) {
        let Some(start) = self.start() else { return };
        let missing = (start.saturating_sub(t) / self.step_ms()) as usize;
        for _ in 0..missing.min(self.capacity - self.len()) {
            self.recorded.push_front(false);
        }
    }

    /// Sets the value `age` slots before the newest.
    fn put(&mut self, age: usize, path: &str, value: Option<f64>) {
        if let Some(column) = self.series.get_mut(path) {
            put_into(column, age, value);
        } else if value.is_none() {
            return;
        } else if self.series.len() < self.max_series {
            put_into(self.series.entry(path.into()).or_default(), age, value);
        } else {
            self.dropped += 1;
        }
        let slot = self.len() - 1 - age;
        self.recorded[slot] |= value.is_some();
    }
}

/// Sets the value `age` slots before the newest of a column, which grows back to it.
fn put_into(column: &mut Column, age: usize, value: Option<f64>) {
    while value.is_some() && column.len() <= age {
        column.push_front(f64::NAN);
    }
    if let Some(slot) = column.len().checked_sub(1 + age) {
        column[slot] = value.unwrap_or(f64::NAN);
    }
}

#[cfg(test)]
mod tests;
