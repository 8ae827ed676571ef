//! The sliding window: the newest seconds of every series in columns that share one time axis, with explicit gaps.

mod queries;
#[cfg(feature = "ssr")]
mod rounding;
mod snapshot;

pub use snapshot::{SeriesValues, WindowSnapshot};

use super::{Group, INTERVAL_MS};
use std::collections::{BTreeMap, VecDeque};

/// A series without a value in this many recorded seconds is forgotten: its device or container is gone.
const MAX_SILENCE: usize = 60;

/// Columnar time series on one time axis: a slot per second, oldest first. A second without a sample keeps its slot, so
/// that charts draw a gap instead of a line across it.
#[derive(Clone, Debug, PartialEq)]
pub struct Window {
    capacity: usize,
    max_series: usize,
    /// Values that were not recorded because their series would exceed `max_series`.
    dropped: u64,
    /// Tick of the newest slot, unix ms.
    end: Option<u64>,
    /// Whether a slot has a value in any series, also in one that has been forgotten.
    recorded: VecDeque<bool>,
    /// The newest values per series, from its first one on; NaN means "no sample", since an `Option<f64>` would take
    /// twice the memory.
    series: BTreeMap<String, VecDeque<f64>>,
}

impl Window {
    /// An empty window with room for the newest `capacity` seconds (at least one).
    pub fn new(capacity: usize) -> Self {
        Self {
            capacity: capacity.max(1),
            max_series: usize::MAX,
            dropped: 0,
            end: None,
            recorded: VecDeque::new(),
            series: BTreeMap::new(),
        }
    }

    /// The same window with room for `capacity` seconds, but never fewer than it holds.
    pub fn with_capacity(self, capacity: usize) -> Self {
        Self { capacity: capacity.max(self.len()).max(1), ..self }
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
        let steps = usize::try_from(t.abs_diff(end) / INTERVAL_MS).unwrap_or(usize::MAX);
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
        push_within(&mut self.recorded, count, false, len);
        self.series.retain(|_, column| {
            push_within(column, count, f64::NAN, len);
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
        let missing = (start.saturating_sub(t) / INTERVAL_MS) as usize;
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
            put_into(self.series.entry(path.to_owned()).or_default(), age, value);
        } else {
            self.dropped += 1;
        }
        let slot = self.len() - 1 - age;
        self.recorded[slot] |= value.is_some();
    }
}

/// Appends `value` `count` times, and drops the oldest values beyond `len`.
fn push_within<T: Copy>(column: &mut VecDeque<T>, count: usize, value: T, len: usize) {
    column.extend(std::iter::repeat_n(value, count));
    column.drain(..column.len().saturating_sub(len));
}

/// Sets the value `age` slots before the newest of a column, which grows back to it.
fn put_into(column: &mut VecDeque<f64>, age: usize, value: Option<f64>) {
    while value.is_some() && column.len() <= age {
        column.push_front(f64::NAN);
    }
    if let Some(slot) = column.len().checked_sub(1 + age) {
        column[slot] = value.unwrap_or(f64::NAN);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Memory, WindowSlice};
    use proptest::prelude::*;

    pub(super) const CAPACITY: usize = 20;

    pub(super) fn memory(used: u64) -> Memory {
        Memory { used: Some(used), ..Memory::default() }
    }

    pub(super) fn used(window: &Window) -> Vec<Option<f64>> {
        (0..window.len()).rev().map(|age| window.value("memory.used", age)).collect()
    }

    /// Seconds with a sample, and the sample.
    pub(super) fn history() -> impl Strategy<Value = BTreeMap<u64, u64>> {
        prop::collection::btree_map(0u64..60, 0u64..1000, 1..60)
    }

    #[test]
    fn clock_stepping_back_drops_later_seconds() {
        let mut window = Window::new(CAPACITY);
        for t in [1000, 2000, 3000, 2000] {
            window.record(t, &memory(t));
        }
        assert_eq!((window.start(), window.end(), window.len()), (Some(1000), Some(2000), 2));
        window.record(500_000, &memory(1));
        window.record(0, &memory(2));
        assert_eq!(used(&window), [Some(2.0)]);
    }

    /// Records second `second` of a host whose containers live for `lifetime` seconds, one after another.
    fn record_churn(window: &mut Window, second: u64, lifetime: u64) {
        window.record(second * 1000, &memory(second));
        window.set(&container(second / lifetime), Some(1.0));
    }

    fn container(number: u64) -> String {
        format!("cgroup.services.{number}.cpu")
    }

    #[test]
    fn an_hour_of_short_lived_containers_keeps_the_living_and_their_values_only() {
        let mut window = Window::new(3600);
        for second in 0..7200 {
            record_churn(&mut window, second, 6);
        }
        assert!(window.series.len() <= 12, "{:?}", window.series.keys());
        let held: usize = window.series.values().map(VecDeque::len).sum();
        assert!(held < 3600 + 12 * 70, "{held} values");
        assert_eq!(window.values("memory.used", WindowSlice::newest(3600)).iter().flatten().count(), 3600);
        assert_eq!(window.gaps(WindowSlice::newest(3600)), [], "values of forgotten series leave no gaps");
    }

    #[test]
    fn suspend_forgets_no_series() {
        let mut window = Window::new(3600);
        for second in (0..100).chain(1000..1059) {
            window.record(second * 1000, &memory(second));
            if second == 99 {
                window.set("disk.devices.sda.busy", Some(1.0));
            }
        }
        assert!(window.has("disk.devices.sda."));
        for second in 1059..1061 {
            window.record(second * 1000, &memory(second));
        }
        assert!(!window.has("disk.devices.sda."));
        assert_eq!(window.gaps(WindowSlice::newest(3600)), [(100_000, 999_000)]);
    }

    #[test]
    fn series_beyond_the_limit_are_counted_and_recorded_once_there_is_room() {
        let mut window = Window::new(CAPACITY);
        window.limit_series(2);
        for second in 0..10 {
            record_churn(&mut window, second, 5);
        }
        assert_eq!((window.series_len(), window.dropped()), (2, 5));
        assert_eq!((window.last(&container(0)), window.last(&container(1))), (None, None));
        for second in 10..=5 + CAPACITY as u64 {
            record_churn(&mut window, second, 1000);
        }
        assert_eq!(window.last(&container(0)), Some(1.0));
        window.set("cpu.total", Some(1.0));
        assert_eq!((window.last("cpu.total"), window.dropped()), (None, 6));
    }

    proptest! {
        #[test]
        fn columns_begin_with_a_value_and_end_at_the_newest_second(
            ticks in prop::collection::vec((0u64..300, prop::option::of(0u64..4)), 1..200),
        ) {
            let mut window = Window::new(100);
            let mut before = BTreeMap::new();
            for (second, number) in ticks {
                if before.last_key_value().is_some_and(|(last, _)| *last > second) {
                    before.split_off(&(second + 1));
                }
                window.advance(second * 1000);
                if let Some(number) = number {
                    window.set(&container(number), Some(second as f64));
                    before.entry(second).or_insert_with(Vec::new).push(number);
                }
                for number in 0..4 {
                    let values = window.values(&container(number), WindowSlice::newest(100));
                    prop_assert_eq!(values.len(), window.len());
                    for (age, value) in values.into_iter().rev().enumerate().filter(|(_, value)| value.is_some()) {
                        prop_assert_eq!(value, Some((second - age as u64) as f64));
                        prop_assert!(before[&(second - age as u64)].contains(&number));
                    }
                }
                prop_assert!(window.series.values().all(|column| column.len() <= window.len()));
                prop_assert!(window.series.values().all(|column| column.front().is_some_and(|value| !value.is_nan())));
            }
        }

        #[test]
        fn window_holds_the_newest_seconds_of_history(history in history()) {
            let mut window = Window::new(CAPACITY);
            for (second, value) in &history {
                window.record(second * 1000, &memory(*value));
            }
            let newest = *history.keys().last().unwrap();
            let oldest = (*history.keys().next().unwrap()).max((newest + 1).saturating_sub(CAPACITY as u64));
            let expected: Vec<_> = (oldest..=newest).map(|s| history.get(&s).map(|v| *v as f64)).collect();
            prop_assert!(window.len() <= CAPACITY);
            prop_assert_eq!(used(&window), expected.clone());
            let gaps = window.gaps(WindowSlice::newest(CAPACITY));
            let missing: u64 = gaps.iter().map(|(from, to)| (to - from) / 1000 + 1).sum();
            prop_assert_eq!(missing as usize, expected.iter().filter(|v| v.is_none()).count());
        }

        #[test]
        fn ticks_in_any_order_keep_the_window_consistent(ticks in prop::collection::vec(0u64..90_000, 1..80)) {
            let mut window = Window::new(CAPACITY);
            for t in ticks {
                window.record(t, &memory(t));
                prop_assert!(window.len() <= CAPACITY);
                prop_assert_eq!(window.end(), Some(t));
                prop_assert_eq!(window.last("memory.used"), Some(t as f64));
            }
        }
    }
}
