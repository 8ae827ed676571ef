//! The last so many seconds of every series, with explicit gaps.

use super::{EventNames, Group, INTERVAL_MS, WindowSlice};
use serde::{Serialize, Serializer};
use std::{
    collections::{BTreeMap, VecDeque},
    ops::Bound,
};

/// Columnar time series that share one time axis: a slot for each second, oldest first. A second without a sample keeps
/// its slot, so that a gap is a gap and never a line across it.
#[derive(Clone, Debug, PartialEq)]
pub struct Window {
    capacity: usize,
    /// Tick of the newest slot, unix ms.
    end: Option<u64>,
    len: usize,
    /// `len` values each; NaN stands for "no sample", since an `Option<f64>` would take twice the memory.
    series: BTreeMap<String, VecDeque<f64>>,
}

impl Window {
    /// An empty window that will hold the newest `capacity` seconds (at least one).
    pub fn new(capacity: usize) -> Self {
        Self { capacity: capacity.max(1), end: None, len: 0, series: BTreeMap::new() }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        *self = Self::new(self.capacity);
    }

    /// Tick of the newest slot, unix ms; `None` while empty.
    pub fn end(&self) -> Option<u64> {
        self.end
    }

    /// Tick of the oldest slot, unix ms; `None` while empty.
    pub fn start(&self) -> Option<u64> {
        Some(self.end? - (self.len as u64 - 1) * INTERVAL_MS)
    }

    /// Makes room for the newest `capacity` seconds; never less than are held.
    pub fn with_capacity(self, capacity: usize) -> Self {
        Self { capacity: capacity.max(self.len).max(1), ..self }
    }

    /// Seconds held, gaps included.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether no second is held.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Puts a group's figures at tick `t`, which becomes the newest.
    pub fn record<G: Group>(&mut self, t: u64, group: &G) {
        self.advance(t);
        group.series(&mut |path, value| self.set(path, value));
    }

    /// Sets a figure of the newest second, if there is one.
    pub fn set(&mut self, path: &str, value: Option<f64>) {
        if !self.is_empty() {
            self.put(0, path, value);
        }
    }

    /// Makes `t` the newest slot. Seconds passed over become gaps; after a clock has stepped back, what it now calls
    /// the future is dropped.
    pub fn advance(&mut self, t: u64) {
        let Some(end) = self.end else {
            self.restart(t);
            return;
        };
        // As each group but the first of a tick finds it.
        if t == end {
            return;
        }
        let steps = usize::try_from(t.abs_diff(end) / INTERVAL_MS).unwrap_or(usize::MAX);
        if t >= end {
            self.push_gaps(steps.min(self.capacity));
        } else if steps < self.len {
            self.drop_newest(steps);
        } else {
            self.restart(t);
        }
        self.end = Some(t);
    }

    fn restart(&mut self, t: u64) {
        self.series.clear();
        self.end = Some(t);
        self.len = 1;
    }

    fn push_gaps(&mut self, count: usize) {
        self.len = (self.len + count).min(self.capacity);
        for column in self.series.values_mut() {
            column.extend(std::iter::repeat_n(f64::NAN, count));
            column.drain(..column.len() - self.len);
        }
        // A device that is gone for as long as the window is long is forgotten.
        self.series.retain(|_, column| column.iter().rev().any(|value| !value.is_nan()));
    }

    fn drop_newest(&mut self, count: usize) {
        self.len -= count;
        for column in self.series.values_mut() {
            column.truncate(self.len);
        }
    }

    /// Sets the value `age` slots before the newest.
    fn put(&mut self, age: usize, path: &str, value: Option<f64>) {
        let len = self.len;
        let slot = len - 1 - age;
        let value = value.unwrap_or(f64::NAN);
        if let Some(column) = self.series.get_mut(path) {
            column[slot] = value;
        } else if !value.is_nan() {
            let mut column = VecDeque::from(vec![f64::NAN; len]);
            column[slot] = value;
            self.series.insert(path.to_owned(), column);
        }
    }

    /// The value of a series `age` seconds before the newest.
    pub fn value(&self, path: &str, age: usize) -> Option<f64> {
        let slot = self.len.checked_sub(1 + age)?;
        self.series.get(path)?.get(slot).copied().filter(|value| !value.is_nan())
    }

    /// The values of a series, oldest first: one for each second of `slice` that is held.
    pub fn over(&self, path: &str, slice: WindowSlice) -> Vec<Option<f64>> {
        let slots = slice.of(self.len);
        match self.series.get(path) {
            Some(column) => column.range(slots).map(|value| Some(*value).filter(|value| !value.is_nan())).collect(),
            None => vec![None; slots.len()],
        }
    }

    /// The values of a series, the newest first.
    pub fn newest(&self, path: &str) -> impl Iterator<Item = Option<f64>> {
        let values = self.series.get(path).into_iter().flatten().rev();
        values.map(|value| Some(*value).filter(|value| !value.is_nan()))
    }

    /// The newest value of a series; `None` where the newest second has none.
    pub fn last(&self, path: &str) -> Option<f64> {
        self.value(path, 0)
    }

    /// What stands between `before` and one of `fields` in the path of a series that has a value now: the names of devices,
    /// in order.
    pub fn names(&self, before: &str, fields: &[&str]) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for (path, column) in self.below(before) {
            let name = fields.iter().find_map(|field| path[before.len()..].strip_suffix(field));
            let is_there = column.back().is_some_and(|value| !value.is_nan());
            if let Some(name) = name.filter(|name| is_there && !names.iter().any(|known| known == name)) {
                names.push(name.to_owned());
            }
        }
        names
    }

    /// The series whose paths begin so.
    fn below(&self, path: &str) -> impl Iterator<Item = (&String, &VecDeque<f64>)> {
        let from = (Bound::Included(path), Bound::Unbounded);
        self.series.range::<str, _>(from).take_while(move |(series, _)| series.starts_with(path))
    }

    /// Whether it holds anything below this path.
    pub fn has(&self, path: &str) -> bool {
        self.below(path).next().is_some()
    }

    /// Spans of seconds without any sample, as first and last tick, oldest first.
    pub fn gaps(&self, slice: WindowSlice) -> Vec<(u64, u64)> {
        let Some(start) = self.start() else { return Vec::new() };
        let mut empty: Vec<usize> = slice.of(self.len).collect();
        // Nearly always, the first has a value in each.
        for column in self.series.values() {
            empty.retain(|slot| column[*slot].is_nan());
        }
        let mut gaps: Vec<(u64, u64)> = Vec::new();
        for slot in empty {
            let t = start + slot as u64 * INTERVAL_MS;
            match gaps.last_mut() {
                Some((_, last)) if *last + INTERVAL_MS == t => *last = t,
                _ => gaps.push((t, t)),
            }
        }
        gaps
    }

    /// A copy of everything after tick `after` (of all, with `None`), at most the newest `span` seconds, of the series
    /// that belong to one of `events`.
    pub fn columns(&self, after: Option<u64>, span: usize, events: EventNames) -> WindowSnapshot {
        let newer = match (self.end, after) {
            // After a clock has stepped back, `after` may lie beyond the newest: then nothing is known to be old.
            (Some(end), Some(after)) if after <= end => ((end - after) / INTERVAL_MS) as usize,
            _ => self.len,
        };
        let n = newer.min(span).min(self.len);
        let skipped = self.len - n;
        let group = |path: &str| path.split('.').next()?.parse().ok();
        let wanted = |path: &str| group(path).is_some_and(|name| events.contains(name));
        let series = self.series.iter().filter(|(path, _)| wanted(path));
        let series = series.map(|(path, column)| {
            (path.clone(), SeriesValues(column.range(skipped..).map(|v| Some(*v).filter(|v| !v.is_nan())).collect()))
        });
        WindowSnapshot {
            t0: self.start().unwrap_or(0) + skipped as u64 * INTERVAL_MS,
            step_ms: INTERVAL_MS,
            n,
            series: series.collect(),
            truncated: matches!((self.start(), after), (Some(start), Some(after)) if after + INTERVAL_MS < start),
        }
    }

    /// Fills in what `columns` know. Seconds already held keep what `columns` have no sample for.
    pub fn merge(&mut self, columns: &WindowSnapshot) {
        let Some(newest) = columns.n.checked_sub(1) else { return };
        let last = columns.t0 + newest as u64 * INTERVAL_MS;
        match self.end {
            Some(end) if last <= end => {}
            _ => self.advance(last),
        }
        self.reach_back_to(columns.t0);
        let Some(ahead) = self.end.map(|end| ((end - last) / INTERVAL_MS) as usize) else { return };
        for (path, values) in &columns.series {
            for (age, value) in values.0.iter().rev().enumerate() {
                if value.is_some() && age + ahead < self.len {
                    self.put(age + ahead, path, *value);
                }
            }
        }
    }

    /// Adds gaps in front of the oldest slot back to tick `t`, as far as the capacity goes.
    fn reach_back_to(&mut self, t: u64) {
        let Some(start) = self.start() else { return };
        let missing = (start.saturating_sub(t) / INTERVAL_MS) as usize;
        let missing = missing.min(self.capacity - self.len);
        self.len += missing;
        for column in self.series.values_mut() {
            for _ in 0..missing {
                column.push_front(f64::NAN);
            }
        }
    }
}

impl From<&WindowSnapshot> for Window {
    /// A window that holds just these seconds, with room for no more.
    fn from(columns: &WindowSnapshot) -> Self {
        let mut window = Self::new(columns.n);
        window.merge(columns);
        window
    }
}

/// A window on the wire, the `data` of a `window` event: `n` values for each series, oldest first.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "ssr", derive(serde::Deserialize))]
pub struct WindowSnapshot {
    /// Tick of the first value, unix ms.
    pub t0: u64,
    /// Milliseconds from one value to the next.
    pub step_ms: u64,
    /// SeriesValues in each series.
    pub n: usize,
    /// The values by path; `null` is a second without a sample.
    pub series: BTreeMap<String, SeriesValues>,
    /// Whether older seconds were asked for than are kept.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(feature = "ssr", serde(default))]
    pub truncated: bool,
}

impl WindowSnapshot {
    /// Cuts every series down to as many of its newest values as `history` has for its path.
    pub fn cut_history(&mut self, history: impl Fn(&str) -> usize) {
        for (path, SeriesValues(values)) in &mut self.series {
            values.drain(..values.len().saturating_sub(history(path)));
        }
    }
}

/// Digits that a chart of a few hundred pixels can show.
#[cfg(feature = "ssr")]
const DIGITS: i32 = 3;
/// Percent between the shades of a strip of heat, which is all that shows the past of the series that begin so.
#[cfg(feature = "ssr")]
const SHADE: f64 = 12.5;
#[cfg(feature = "ssr")]
const CORES: &str = "cpu.cores.";

#[cfg(feature = "ssr")]
impl WindowSnapshot {
    /// Rounds the past to what a chart can show of it, which is half the bytes. The newest value, which is read as a
    /// figure, stays as it is.
    pub fn round_past(&mut self) {
        for (path, SeriesValues(values)) in &mut self.series {
            let largest = values.iter().flatten().fold(0.0, |largest: f64, value| largest.max(value.abs()));
            if largest == 0.0 {
                continue;
            }
            let place = DIGITS - largest.log10().ceil() as i32;
            let unit = 10f64.powi(place.abs());
            let round = |value: f64| match place {
                _ if path.starts_with(CORES) => (value / SHADE).round() * SHADE,
                1.. => (value * unit).round() / unit,
                _ => (value / unit).round() * unit,
            };
            let past = values.len() - 1;
            values[..past].iter_mut().flatten().for_each(|value| *value = round(*value));
        }
    }
}

/// The values of one series: `n` of them, or only the newest ones.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "ssr", derive(serde::Deserialize), serde(transparent))]
pub struct SeriesValues(pub Vec<Option<f64>>);

impl Serialize for SeriesValues {
    /// Whole numbers without a fraction: `1024`, not `1024.0`, a sixth of a window's size.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        /// Up to here, every whole number has an f64 of its own.
        const EXACT: f64 = 9_007_199_254_740_992.0;
        #[derive(Serialize)]
        #[serde(untagged)]
        enum Number {
            Whole(i64),
            Real(f64),
        }
        serializer.collect_seq(self.0.iter().map(|value| {
            value.map(|v| if v.fract() == 0.0 && v.abs() < EXACT { Number::Whole(v as i64) } else { Number::Real(v) })
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{EventName, Memory};
    use proptest::prelude::*;

    const CAPACITY: usize = 20;

    fn memory(used: u64) -> Memory {
        Memory { used: Some(used), ..Memory::default() }
    }

    fn used(window: &Window) -> Vec<Option<f64>> {
        (0..window.len()).rev().map(|age| window.value("memory.used", age)).collect()
    }

    #[cfg(feature = "ssr")]
    #[test]
    fn the_past_is_rounded_to_what_a_chart_shows_and_the_newest_is_not() {
        let series = [
            ("percent", [Some(12.34), None, Some(99.96), Some(0.05), Some(12.34)]),
            ("bytes", [Some(7_766_123_456.0), Some(1.0), None, None, Some(123_456.0)]),
            ("none", [Some(0.0), None, None, None, None]),
            ("cpu.cores.0", [Some(6.0), Some(7.0), Some(99.0), None, Some(43.2)]),
        ];
        let series = series.map(|(path, values)| (path.to_owned(), SeriesValues(values.into())));
        let mut columns = WindowSnapshot { t0: 0, step_ms: 1000, n: 5, series: series.into(), truncated: false };
        columns.round_past();
        let of = |path: &str| columns.series[path].0.clone();
        assert_eq!(of("percent"), [Some(12.3), None, Some(100.0), Some(0.1), Some(12.34)]);
        assert_eq!(of("bytes"), [Some(7_770_000_000.0), Some(0.0), None, None, Some(123_456.0)]);
        assert_eq!(of("none"), [Some(0.0), None, None, None, None]);
        assert_eq!(of("cpu.cores.0"), [Some(0.0), Some(12.5), Some(100.0), None, Some(43.2)]);
    }

    #[test]
    fn a_missing_second_is_a_gap() {
        let mut window = Window::new(CAPACITY);
        for t in [1000, 2000, 5000] {
            window.record(t, &memory(t));
        }
        assert_eq!(used(&window), [Some(1000.0), Some(2000.0), None, None, Some(5000.0)]);
        assert_eq!(window.gaps(WindowSlice::newest(CAPACITY)), [(3000, 4000)]);
    }

    #[test]
    fn a_clock_that_steps_back_drops_what_is_now_the_future() {
        let mut window = Window::new(CAPACITY);
        for t in [1000, 2000, 3000, 2000] {
            window.record(t, &memory(t));
        }
        assert_eq!((window.start(), window.end(), window.len()), (Some(1000), Some(2000), 2));
        window.record(500_000, &memory(1));
        window.record(0, &memory(2));
        assert_eq!(used(&window), [Some(2.0)]);
    }

    #[test]
    fn a_window_without_samples_is_all_gap() {
        let mut window = Window::new(CAPACITY);
        window.advance(4000);
        assert_eq!(window.gaps(WindowSlice::newest(CAPACITY)), [(4000, 4000)]);
        assert_eq!(window.last("cpu.total"), None);
    }

    #[test]
    fn columns_hold_what_is_newer_than_a_tick_and_say_when_that_is_not_all() {
        let mut window = Window::new(3);
        for t in 1..=5 {
            window.record(t * 1000, &memory(t));
        }
        let columns = |after| window.columns(after, CAPACITY, EventNames::ALL);
        assert_eq!((columns(None).t0, columns(None).n, columns(None).truncated), (3000, 3, false));
        assert_eq!((columns(Some(4000)).t0, columns(Some(4000)).n), (5000, 1));
        assert_eq!((columns(Some(5000)).n, columns(Some(5000)).truncated), (0, false));
        assert!(!columns(Some(2000)).truncated);
        assert!(columns(Some(1000)).truncated);
        assert!(window.columns(None, CAPACITY, EventNames::from_iter([EventName::Cpu])).series.is_empty());
    }

    #[test]
    fn whole_numbers_are_sent_without_a_fraction() {
        let values = SeriesValues(vec![Some(1024.0), Some(0.5), None]);
        assert_eq!(serde_json::to_string(&values).unwrap(), "[1024,0.5,null]");
    }

    /// Seconds of a window with and without samples.
    fn history() -> impl Strategy<Value = BTreeMap<u64, u64>> {
        prop::collection::btree_map(0u64..60, 0u64..1000, 1..60)
    }

    proptest! {
        #[test]
        fn the_window_is_the_newest_seconds_of_history(history in history()) {
            let mut window = Window::new(CAPACITY);
            for (second, value) in &history {
                window.record(second * 1000, &memory(*value));
            }
            let newest = *history.keys().last().unwrap();
            let oldest = (*history.keys().next().unwrap()).max((newest + 1).saturating_sub(CAPACITY as u64));
            let expected: Vec<_> = (oldest..=newest).map(|s| history.get(&s).map(|v| *v as f64)).collect();
            prop_assert!(window.len() <= CAPACITY);
            prop_assert_eq!(used(&window), expected.clone());
            let missing: u64 = window.gaps(WindowSlice::newest(CAPACITY)).iter().map(|(from, to)| (to - from) / 1000 + 1).sum();
            prop_assert_eq!(missing as usize, expected.iter().filter(|v| v.is_none()).count());
        }

        #[test]
        fn columns_survive_the_wire_and_rebuild_the_window(history in history(), split in 0u64..60) {
            let mut window = Window::new(60);
            for (second, value) in &history {
                window.record(second * 1000, &memory(*value));
            }
            let mut client = Window::new(60);
            for (second, value) in history.range(..=split) {
                client.record(second * 1000, &memory(*value));
            }
            let columns = window.columns(client.end(), 60, EventNames::ALL);
            let wire = serde_json::to_string(&columns).unwrap();
            client.merge(&serde_json::from_str(&wire).unwrap());
            prop_assert_eq!(used(&client), used(&window));

            let mut late = Window::new(60);
            late.record(window.end().unwrap(), &memory(*history.values().last().unwrap()));
            late.merge(&window.columns(None, 60, EventNames::ALL));
            prop_assert_eq!(used(&late), used(&window));
        }

        #[test]
        fn no_order_of_ticks_breaks_the_window(ticks in prop::collection::vec(0u64..90_000, 1..80)) {
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
