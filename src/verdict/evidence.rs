//! What the rules look at.

use crate::schema::{Process, Processes, Window};

/// Samples and processes.
pub(super) struct Evidence<'a> {
    pub window: &'a Window,
    pub processes: Option<&'a Processes>,
}

/// A condition that fails for fewer seconds than this goes on.
const PAUSE_S: usize = 15;

impl Evidence<'_> {
    /// The newest value.
    pub(super) fn last(&self, path: &str) -> Option<f64> {
        self.window.last(path)
    }

    /// The mean of the newest `seconds`, if nearly all of them were sampled.
    pub(super) fn mean(&self, path: &str, seconds: usize) -> Option<f64> {
        let (sum, count) = self.window.newest(path).take(seconds).flatten().fold((0.0, 0), |(s, n), v| (s + v, n + 1));
        (count * 10 >= seconds * 9).then(|| sum / f64::from(count as u32))
    }

    /// Since when (unix seconds) `holds` has held for the series, short pauses aside.
    pub(super) fn since(&self, path: &str, holds: impl Fn(f64) -> bool) -> Option<u64> {
        let (mut first, mut pause) = (None, 0);
        for (age, value) in self.window.newest(path).enumerate() {
            match value {
                Some(value) if holds(value) => (first, pause) = (Some(age), 0),
                _ => pause += 1,
            }
            if pause >= PAUSE_S {
                break;
            }
        }
        Some(self.window.end()? / 1000 - first? as u64)
    }

    /// The last second (unix) at which `holds` held, among the newest `seconds`.
    pub(super) fn last_time(&self, path: &str, seconds: usize, holds: impl Fn(f64) -> bool) -> Option<u64> {
        let age = self.window.newest(path).take(seconds).position(|value| value.is_some_and(&holds))?;
        Some(self.window.end()? / 1000 - age as u64)
    }

    /// The devices below `before` that have `field`.
    pub(super) fn names(&self, before: &str, field: &str) -> Vec<String> {
        self.window.names(before, &[field])
    }

    /// The process of which there is most, by its name.
    pub(super) fn top(&self, of: impl Fn(&Process) -> f64) -> Option<(&Process, f64)> {
        let most = self.processes?.top.iter().map(|process| (process, of(process)));
        most.max_by(|(_, one), (_, other)| one.total_cmp(other)).filter(|(_, most)| *most > 0.0)
    }

    /// The service or container of which there is most.
    pub(super) fn top_service(&self, field: &str) -> Option<(String, f64)> {
        let services = self.names("cgroup.services.", field).into_iter();
        let most = services.filter_map(|name| {
            let value = self.last(&format!("cgroup.services.{name}{field}"))?;
            Some((name, value))
        });
        most.max_by(|(_, one), (_, other)| one.total_cmp(other)).filter(|(_, most)| *most > 0.0)
    }

    /// How fast a series rises, in its unit a second, and how well a straight line fits it (the coefficient of
    /// determination), by least squares over the newest `seconds`; `None` where it is not held for so long.
    pub(super) fn rise(&self, path: &str, seconds: usize) -> Option<(f64, f64)> {
        let values = self.window.newest(path).take(seconds).enumerate();
        let points: Vec<(f64, f64)> = values.filter_map(|(age, value)| Some((-(age as f64), value?))).collect();
        if points.len() * 10 < seconds * 9 {
            return None;
        }
        let count = points.len() as f64;
        let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
        let (x, y) = (mean(|point| point.0), mean(|point| point.1));
        let sum = |of: &dyn Fn(f64, f64) -> f64| points.iter().map(|(px, py)| of(px - x, py - y)).sum::<f64>();
        let (xx, xy, yy) = (sum(&|dx, _| dx * dx), sum(&|dx, dy| dx * dy), sum(&|_, dy| dy * dy));
        Some((xy / xx, if yy == 0.0 { 0.0 } else { xy * xy / (xx * yy) }))
    }
}
