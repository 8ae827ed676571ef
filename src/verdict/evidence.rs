//! Queries that the rules make: newest values, means, durations and trends of series, and the top consumer of a resource.

use super::paths::named;
use crate::schema::{Process, Processes, Window};

/// Input of the rules: the window, and the processes if they are sampled.
pub(super) struct Evidence<'a> {
    pub window: &'a Window,
    pub processes: Option<&'a Processes>,
}

/// Interruption, in seconds, that ends a condition.
const MAX_PAUSE_S: usize = 15;

/// Whether `count` samples describe a time of `seconds`.
pub(super) fn is_enough(count: usize, seconds: usize) -> bool {
    count * 10 >= seconds * 9
}

impl Evidence<'_> {
    /// Value of the newest second.
    pub(super) fn last(&self, path: &str) -> Option<f64> {
        self.window.last(path)
    }

    /// How many of the newest `seconds` were sampled.
    pub(super) fn count(&self, path: &str, seconds: usize) -> usize {
        self.window.newest(path).take(seconds).flatten().count()
    }

    /// Mean of the newest `seconds`; `None` if fewer than 90 % of them were sampled.
    pub(super) fn mean(&self, path: &str, seconds: usize) -> Option<f64> {
        let (sum, count) = self.window.newest(path).take(seconds).flatten().fold((0.0, 0), |(s, n), v| (s + v, n + 1));
        is_enough(count, seconds).then(|| sum / f64::from(count as u32))
    }

    /// Start (unix seconds) of the time for which `holds` has been true of the series; shorter pauses are ignored.
    pub(super) fn since(&self, path: &str, holds: impl Fn(f64) -> bool) -> Option<u64> {
        let (mut first, mut pause) = (None, 0);
        for (age, value) in self.window.newest(path).enumerate() {
            match value {
                Some(value) if holds(value) => (first, pause) = (Some(age), 0),
                _ => pause += 1,
            }
            if pause >= MAX_PAUSE_S {
                break;
            }
        }
        Some(self.window.end()? / 1000 - first? as u64)
    }

    /// Latest of the newest `seconds` (as unix seconds) for which `holds` is true.
    pub(super) fn last_time(&self, path: &str, seconds: usize, holds: impl Fn(f64) -> bool) -> Option<u64> {
        let age = self.window.newest(path).take(seconds).position(|value| value.is_some_and(&holds))?;
        Some(self.window.end()? / 1000 - age as u64)
    }

    /// Names in place of the `*` in the paths of current series, such as devices.
    pub(super) fn names(&self, path: &str) -> Vec<String> {
        path.split_once('*').map_or(Vec::new(), |(prefix, suffix)| self.window.names(prefix, &[suffix]))
    }

    /// Process with the largest `value`, if any is above zero.
    pub(super) fn top_process(&self, value: impl Fn(&Process) -> f64) -> Option<(&Process, f64)> {
        let values = self.processes?.top.iter().map(|process| (process, value(process)));
        values.max_by(|(_, one), (_, other)| one.total_cmp(other)).filter(|(_, largest)| *largest > 0.0)
    }

    /// Service or container with the largest value at `path`, if any is above zero.
    pub(super) fn top_service(&self, path: &str) -> Option<(String, f64)> {
        let services = self.names(path).into_iter();
        let values = services.filter_map(|name| {
            let value = self.last(&named(path, &name))?;
            Some((name, value))
        });
        values.max_by(|(_, one), (_, other)| one.total_cmp(other)).filter(|(_, largest)| *largest > 0.0)
    }

    /// Least-squares line through the newest `seconds`: slope, in the series' unit a second, and coefficient of
    /// determination (r², 0 to 1). `None` if fewer than 90 % of the seconds were sampled.
    pub(super) fn trend(&self, path: &str, seconds: usize) -> Option<(f64, f64)> {
        let values = self.window.newest(path).take(seconds).enumerate();
        let points: Vec<(f64, f64)> = values.filter_map(|(age, value)| Some((-(age as f64), value?))).collect();
        if !is_enough(points.len(), seconds) {
            return None;
        }
        let count = points.len() as f64;
        let mean = |axis: fn(&(f64, f64)) -> f64| points.iter().map(axis).sum::<f64>() / count;
        let (x, y) = (mean(|point| point.0), mean(|point| point.1));
        let sum = |term: &dyn Fn(f64, f64) -> f64| points.iter().map(|(px, py)| term(px - x, py - y)).sum::<f64>();
        let (xx, xy, yy) = (sum(&|dx, _| dx * dx), sum(&|dx, dy| dx * dy), sum(&|_, dy| dy * dy));
        Some((xy / xx, if yy == 0.0 { 0.0 } else { xy * xy / (xx * yy) }))
    }
}
