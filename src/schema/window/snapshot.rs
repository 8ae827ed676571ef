//! The wire format of a window, the `data` of a `window` event, and how a window is written to and merged from it.

use super::Window;
use crate::schema::EventFilter;
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;

/// A window on the wire: `n` values per series, oldest first.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "ssr", derive(serde::Deserialize))]
pub struct WindowSnapshot {
    /// Tick of the first value, unix ms.
    pub t0: u64,
    /// Milliseconds from one value to the next.
    pub step_ms: u64,
    /// Number of values in each series.
    pub n: usize,
    /// The values by path; `null` is a second without a sample.
    pub series: BTreeMap<String, SeriesValues>,
    /// Whether seconds were requested that are no longer kept.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(feature = "ssr", serde(default))]
    pub truncated: bool,
}

impl WindowSnapshot {
    /// Truncates every series to its newest values, as many as `history` returns for its path, without the seconds before
    /// its first. A series that keeps none is left out.
    pub fn truncate_history(&mut self, history: impl Fn(&str) -> usize) {
        self.series.retain(|path, SeriesValues(values)| {
            let kept = history(path);
            values.drain(..values.len().saturating_sub(kept));
            let gaps = values.iter().take_while(|value| value.is_none()).count();
            values.drain(..gaps);
            !values.is_empty()
        });
    }
}

/// The values of one series: `n` of them, or only the newest ones.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "ssr", derive(serde::Deserialize), serde(transparent))]
pub struct SeriesValues(pub Vec<Option<f64>>);

impl Serialize for SeriesValues {
    /// Writes whole numbers without a fraction (`1024`, not `1024.0`), which saves a sixth of a window's size.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        /// Up to here (2^53), an f64 represents every whole number exactly.
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

impl Window {
    /// Copies the seconds after tick `after` (all of them for `None`), at most the newest `seconds`, of the series that
    /// belong to `events`.
    pub fn snapshot(&self, after: Option<u64>, seconds: usize, events: &EventFilter) -> WindowSnapshot {
        let newer = match (self.end, after) {
            // If the clock stepped back, `after` may be later than the newest tick; then the client gets everything.
            (Some(end), Some(after)) if after <= end => ((end - after) / self.step_ms()) as usize,
            _ => self.len(),
        };
        let n = newer.min(seconds).min(self.len());
        let skipped = self.len() - n;
        let is_wanted = |path: &str| path.split('.').next().is_some_and(|name| events.contains(name));
        let series = self.series.iter().filter(|(path, _)| is_wanted(path));
        let values = |column| SeriesValues(self.column_values(column, skipped..self.len()));
        let series = series.map(|(path, column)| (path.to_string(), values(column)));
        WindowSnapshot {
            t0: self.start().unwrap_or(0) + skipped as u64 * self.step_ms(),
            step_ms: self.step_ms(),
            n,
            series: series.collect(),
            truncated: matches!((self.start(), after), (Some(start), Some(after)) if after + self.step_ms() < start),
        }
    }

    /// Merges a snapshot into the window. Seconds for which the snapshot has no sample keep theirs.
    pub fn merge(&mut self, snapshot: &WindowSnapshot) {
        let Some(newest) = snapshot.n.checked_sub(1) else { return };
        let last = snapshot.t0 + newest as u64 * self.step_ms();
        match self.end {
            Some(end) if last <= end => {}
            _ => self.advance(last),
        }
        self.extend_back_to(snapshot.t0);
        let Some(ahead) = self.end.map(|end| ((end - last) / self.step_ms()) as usize) else { return };
        for (path, values) in &snapshot.series {
            for (age, value) in values.0.iter().rev().enumerate() {
                if value.is_some() && age + ahead < self.len() {
                    self.put(age + ahead, path, *value);
                }
            }
        }
        self.forget_dead();
    }
}

impl From<&WindowSnapshot> for Window {
    /// A window that holds exactly the snapshot's seconds and has room for no more.
    fn from(snapshot: &WindowSnapshot) -> Self {
        let mut window = Self::new(snapshot.n);
        #[cfg(feature = "ssr")]
        {
            window.step_ms = snapshot.step_ms.max(1);
        }
        window.merge(snapshot);
        window
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::window::tests::{CAPACITY, history, memory, used};
    use proptest::prelude::*;

    #[test]
    fn snapshot_holds_newer_seconds_and_reports_missing_ones() {
        let mut window = Window::new(3);
        for t in 1..=5 {
            window.record(t * 1000, &memory(t));
        }
        let snapshot = |after| window.snapshot(after, CAPACITY, &EventFilter::All);
        assert_eq!((snapshot(None).t0, snapshot(None).n, snapshot(None).truncated), (3000, 3, false));
        assert_eq!((snapshot(Some(4000)).t0, snapshot(Some(4000)).n), (5000, 1));
        assert_eq!((snapshot(Some(5000)).n, snapshot(Some(5000)).truncated), (0, false));
        assert!(!snapshot(Some(2000)).truncated);
        assert!(snapshot(Some(1000)).truncated);
        assert!(window.snapshot(None, CAPACITY, &EventFilter::from_iter(["cpu"])).series.is_empty());
    }

    #[test]
    fn whole_numbers_are_written_without_fraction() {
        let values = SeriesValues(vec![Some(1024.0), Some(0.5), None]);
        assert_eq!(serde_json::to_string(&values).unwrap(), "[1024,0.5,null]");
    }

    #[test]
    fn merge_keeps_history_of_the_living_and_forgets_the_dead() {
        let record = |window: &mut Window, seconds: std::ops::Range<u64>| {
            for second in seconds {
                window.record(second * 1000, &memory(second));
                if second < 50 {
                    window.set("disk.devices.sda.busy_percent", Some(1.0));
                }
            }
        };
        let (mut server, mut client) = (Window::new(3600), Window::new(3600));
        record(&mut server, 0..200);
        record(&mut client, 40..60);
        let newer = server.snapshot(client.end(), 3600, &EventFilter::All);
        client.merge(&newer);
        assert!(!client.has("disk."), "dead on the server");
        let mut dead = newer;
        dead.series.insert("disk.devices.sdb.busy_percent".to_owned(), SeriesValues(vec![Some(1.0); 20]));
        dead.series.insert(
            "disk.devices.sdc.busy_percent".to_owned(),
            SeriesValues([vec![Some(1.0)], vec![None; 139]].concat()),
        );
        client.merge(&dead);
        assert!(client.has("disk.devices.sdb.") && !client.has("disk.devices.sdc."));
        client.merge(&server.snapshot(None, 3600, &EventFilter::All));
        assert_eq!(used(&client), used(&server));
    }

    #[test]
    fn truncated_series_begins_with_its_first_value() {
        let mut window = Window::new(CAPACITY);
        (1..=5).for_each(|second| window.record(second * 1000, &memory(second)));
        window.set("cpu.total_percent", Some(7.0));
        let mut snapshot = window.snapshot(None, CAPACITY, &EventFilter::All);
        assert_eq!(
            snapshot.series["cpu.total_percent"].0,
            [None, None, None, None, Some(7.0)],
            "as many as seconds on the wire"
        );
        snapshot.truncate_history(|_| 3);
        assert_eq!(
            (snapshot.series["cpu.total_percent"].0.len(), snapshot.series["memory.used_bytes"].0.len()),
            (1, 3)
        );
    }

    proptest! {
        #[test]
        fn snapshot_round_trip_rebuilds_the_window(history in history(), split in 0u64..60) {
            let mut window = Window::new(60);
            for (second, value) in &history {
                window.record(second * 1000, &memory(*value));
            }
            let mut client = Window::new(60);
            for (second, value) in history.range(..=split) {
                client.record(second * 1000, &memory(*value));
            }
            let snapshot = window.snapshot(client.end(), 60, &EventFilter::All);
            let wire = serde_json::to_string(&snapshot).unwrap();
            client.merge(&serde_json::from_str(&wire).unwrap());
            prop_assert_eq!(used(&client), used(&window));

            let mut late = Window::new(60);
            late.record(window.end().unwrap(), &memory(*history.values().last().unwrap()));
            late.merge(&window.snapshot(None, 60, &EventFilter::All));
            prop_assert_eq!(used(&late), used(&window));
        }
    }
}
