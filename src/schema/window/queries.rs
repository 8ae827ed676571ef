//! Reads from a window: single values, slices of a series, device names and gaps.

use super::{Column, Window};
use crate::schema::WindowSlice;
use std::{
    ops::{Bound, Range},
    sync::Arc,
};

impl Window {
    /// The paths of all series, in order.
    #[cfg(feature = "ssr")]
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.series.keys().map(|path| &**path)
    }

    /// Tick of the newest slot, unix ms; `None` while empty.
    pub fn end(&self) -> Option<u64> {
        self.end
    }

    /// Tick of the oldest slot, unix ms; `None` while empty.
    pub fn start(&self) -> Option<u64> {
        Some(self.end? - (self.len() as u64).saturating_sub(1) * self.step_ms())
    }

    /// Seconds held, gaps included.
    pub fn len(&self) -> usize {
        self.recorded.len()
    }

    /// Number of series held.
    pub fn series_len(&self) -> usize {
        self.series.len()
    }

    /// Values that were not recorded because their series would exceed the limit.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Whether the window holds no second.
    pub fn is_empty(&self) -> bool {
        self.recorded.is_empty()
    }

    /// The value of a series `age` seconds before the newest.
    pub fn value(&self, path: &str, age: usize) -> Option<f64> {
        let column = self.series.get(path)?;
        column.get(column.len().checked_sub(1 + age)?).copied().and_then(sample)
    }

    /// The newest value of a series; `None` if the newest second has none.
    pub fn last(&self, path: &str) -> Option<f64> {
        self.value(path, 0)
    }

    /// The values of a series, oldest first: one per held second of `slice`.
    pub fn values(&self, path: &str, slice: WindowSlice) -> Vec<Option<f64>> {
        let slots = slice.slots(self.len());
        match self.series.get(path) {
            Some(column) => self.column_values(column, slots),
            None => vec![None; slots.len()],
        }
    }

    /// The values of a column in `slots`; it has none before its first.
    pub(super) fn column_values(&self, column: &Column, slots: Range<usize>) -> Vec<Option<f64>> {
        let missing = self.len() - column.len();
        let held = slots.start.saturating_sub(missing)..slots.end.saturating_sub(missing);
        let mut values = vec![None; slots.len() - held.len()];
        values.extend(column.range(held).copied().map(sample));
        values
    }

    /// The values of a series, newest first, back to its first.
    pub fn newest(&self, path: &str) -> impl Iterator<Item = Option<f64>> {
        self.series.get(path).into_iter().flat_map(|column| column.iter().rev()).copied().map(sample)
    }

    /// The device names in paths `<prefix><name><suffix>`, for any of `suffixes`, of series that have a value in the
    /// newest second; sorted by path, without duplicates.
    pub fn names(&self, prefix: &str, suffixes: &[&str]) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for (path, column) in self.with_prefix(prefix) {
            let name = suffixes.iter().find_map(|suffix| path[prefix.len()..].strip_suffix(suffix));
            let is_present = column.back().is_some_and(|value| !value.is_nan());
            if let Some(name) = name.filter(|name| is_present && !names.iter().any(|known| known == name)) {
                names.push(name.to_owned());
            }
        }
        names
    }

    /// Whether the window holds any series whose path starts with `prefix`.
    pub fn has(&self, prefix: &str) -> bool {
        self.with_prefix(prefix).next().is_some()
    }

    fn with_prefix(&self, prefix: &str) -> impl Iterator<Item = (&Arc<str>, &Column)> {
        let from = (Bound::Included(prefix), Bound::Unbounded);
        self.series.range::<str, _>(from).take_while(move |(path, _)| path.starts_with(prefix))
    }

    /// Runs of seconds without any sample, each as its first and last tick, oldest first.
    pub fn gaps(&self, slice: WindowSlice) -> Vec<(u64, u64)> {
        let Some(start) = self.start() else { return Vec::new() };
        let mut gaps: Vec<(u64, u64)> = Vec::new();
        for slot in slice.slots(self.len()).filter(|slot| !self.recorded[*slot]) {
            let t = start + slot as u64 * self.step_ms();
            match gaps.last_mut() {
                Some((_, last)) if *last + self.step_ms() == t => *last = t,
                _ => gaps.push((t, t)),
            }
        }
        gaps
    }
}

/// The value of a slot, where NaN means "no sample".
pub(super) fn sample(value: f64) -> Option<f64> {
    Some(value).filter(|value| !value.is_nan())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::window::tests::{CAPACITY, memory, used};

    #[test]
    fn missing_second_is_a_gap() {
        let mut window = Window::new(CAPACITY);
        for t in [1000, 2000, 5000] {
            window.record(t, &memory(t));
        }
        assert_eq!(used(&window), [Some(1000.0), Some(2000.0), None, None, Some(5000.0)]);
        assert_eq!(window.gaps(WindowSlice::newest(CAPACITY)), [(3000, 4000)]);
    }

    #[test]
    fn window_without_samples_is_one_gap() {
        let mut window = Window::new(CAPACITY);
        window.advance(4000);
        assert_eq!(window.gaps(WindowSlice::newest(CAPACITY)), [(4000, 4000)]);
        assert_eq!(window.last("cpu.total_percent"), None);
    }
}
