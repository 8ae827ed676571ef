//! The content of a table: cells, order and filter.

use super::PageState;
use crate::{
    charts::{TREND_S, trend},
    panels::{Rows, Sort, Table},
    schema::{Process, WindowSlice},
    units::Unit,
};
use leptos::prelude::With;
use std::cmp::Ordering;

/// How the user has sorted and filtered a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableState {
    /// The order.
    pub sort: Sort,
    /// Text that the rows must contain.
    pub filter: String,
    /// Tick at which the pointer last moved over it, unix ms.
    pub(super) pointed: Option<u64>,
}

/// The content of a cell.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell {
    Value(Option<f64>, Unit),
    Text(String),
}

impl Cell {
    pub(super) fn text(self) -> String {
        match self {
            Self::Value(value, unit) => unit.text(value),
            Self::Text(text) => text,
        }
    }

    fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Value(one, _), Self::Value(other, _)) => {
                let unknown_first = |value: &Option<f64>| value.unwrap_or(f64::NEG_INFINITY);
                unknown_first(one).total_cmp(&unknown_first(other))
            }
            (Self::Text(one), Self::Text(other)) => one.to_ascii_lowercase().cmp(&other.to_ascii_lowercase()),
            _ => Ordering::Equal,
        }
    }
}

impl Table {
    /// The keys of all rows, unordered.
    fn keys(&self, state: PageState) -> Vec<String> {
        match &self.rows {
            Rows::Series { path, keys, .. } => {
                let keys: Vec<_> = keys.iter().map(String::as_str).collect();
                state.window.with(|window| window.names(path, &keys))
            }
            Rows::Processes => state.processes(|processes| processes.top.iter().map(Process::key).collect()),
        }
    }

    /// The cell of a row in `column`; 0 is the name.
    pub(super) fn cell(&self, state: PageState, key: &str, column: usize) -> Cell {
        // A stored order may name a column that no longer exists.
        let detail = column.checked_sub(1).and_then(|column| self.columns.get(column));
        let (unit, field) = detail.map_or((&Unit::Count, "name"), |detail| (&detail.unit, &*detail.path));
        match &self.rows {
            Rows::Series { .. } if column == 0 => Cell::Text(key.to_owned()),
            Rows::Series { path, .. } => {
                Cell::Value(state.window.with(|window| window.last(&[path, key, field].concat())), unit.clone())
            }
            Rows::Processes => {
                // PID and name come from the key: a frozen row may outlive its process.
                let (pid, name) = key.split_once(' ').unwrap_or((key, ""));
                let read = |read: fn(&Process) -> Option<f64>| state.process(key, read).flatten();
                let value = match field {
                    "name" => return Cell::Text(name.to_owned()),
                    "user" => {
                        return Cell::Text(
                            state.process(key, |process| process.user.clone()).flatten().unwrap_or_default(),
                        );
                    }
                    "cpu_percent" => read(|process| process.cpu_percent),
                    "rss_bytes" => read(|process| Some(process.rss_bytes as f64)),
                    "read_bytes_per_second" => read(|process| process.read_bytes_per_second),
                    "write_bytes_per_second" => read(|process| process.write_bytes_per_second),
                    "threads" => read(|process| Some(process.threads as f64)),
                    "start_time_seconds" => {
                        state.age(read(|process| process.start_time_seconds.map(|time| time as f64)))
                    }
                    _ => pid.parse::<u32>().ok().map(f64::from),
                };
                Cell::Value(value, unit.clone())
            }
        }
    }

    /// The note below a row's name: the command line of a process.
    pub(super) fn note(&self, state: PageState, key: &str) -> String {
        match &self.rows {
            Rows::Series { .. } => String::new(),
            Rows::Processes => {
                state.process(key, |process| process.command.clone().unwrap_or_default()).unwrap_or_default()
            }
        }
    }

    /// The trend of a row, as the points of SVG polylines.
    pub(super) fn trend(&self, state: PageState, key: &str) -> Vec<String> {
        match &self.rows {
            Rows::Series { path, trend: Some(field), .. } => {
                let path = [path, key, field].concat();
                state
                    .window
                    .with(|window| trend(window.values(&path, WindowSlice::newest(TREND_S)).into_iter().rev(), false))
            }
            _ => Vec::new(),
        }
    }

    /// The keys of the rows that match the filter, in order.
    pub(super) fn sorted(&self, state: PageState, TableState { sort, filter, .. }: &TableState) -> Vec<String> {
        let mut rows: Vec<(Cell, String)> = Vec::new();
        for key in self.keys(state).into_iter().filter(|key| self.matches(state, key, filter)) {
            let cell = self.cell(state, &key, sort.column);
            // An insertion sort: the rows are few, and the standard sort adds ten kilobytes to the library.
            let index = rows.partition_point(|(other, _)| {
                let order = other.order(&cell);
                if sort.descending { order.is_ge() } else { order.is_le() }
            });
            rows.insert(index, (cell, key));
        }
        rows.into_iter().map(|(_, key)| key).collect()
    }

    /// Whether a text of the row contains `filter`, ignoring ASCII case.
    fn matches(&self, state: PageState, key: &str, filter: &str) -> bool {
        let contains = |text: &str| {
            let mut parts = text.as_bytes().windows(filter.len().max(1));
            filter.is_empty() || parts.any(|part| part.eq_ignore_ascii_case(filter.as_bytes()))
        };
        let mut cells = (0..=self.columns.len()).map(|column| self.cell(state, key, column));
        contains(key)
            || contains(&self.note(state, key))
            || cells.any(|cell| matches!(cell, Cell::Text(text) if contains(&text)))
    }
}

/// Maximum number of rows of a frozen table.
const MAX_FROZEN_ROWS: usize = 100;

/// The rows to show: `sorted`, unless the table is frozen. Then the `shown` rows keep their positions and new ones
/// follow.
pub(super) fn arrange(sorted: Vec<String>, shown: Option<&Vec<String>>, frozen: bool) -> Vec<String> {
    let Some(shown) = shown.filter(|_| frozen) else { return sorted };
    let new = sorted.into_iter().filter(|key| !shown.contains(key));
    shown.iter().cloned().chain(new).take(MAX_FROZEN_ROWS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(keys: &[&str]) -> Vec<String> {
        keys.iter().map(|key| (*key).to_owned()).collect()
    }

    #[test]
    fn frozen_rows_keep_their_positions() {
        let shown = keys(&["7", "1", "3"]);
        assert_eq!(arrange(keys(&["3", "9", "7"]), Some(&shown), true), keys(&["7", "1", "3", "9"]));
        assert_eq!(arrange(keys(&["3", "9", "7"]), Some(&shown), false), keys(&["3", "9", "7"]));
        assert_eq!(arrange(keys(&["3"]), None, true), keys(&["3"]));
    }

    #[test]
    fn unknown_value_sorts_below_known() {
        let value = |value| Cell::Value(value, Unit::Count);
        assert_eq!(value(None).order(&value(Some(0.0))), Ordering::Less);
        assert_eq!(value(Some(10.0)).order(&value(Some(9.0))), Ordering::Greater);
        assert_eq!(Cell::Text("b".to_owned()).order(&Cell::Text("A".to_owned())), Ordering::Greater);
    }
}
