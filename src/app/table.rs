//! The model of a table: columns, cells, sort order and filter.

use super::PageState;
use crate::{
    charts::{TREND_S, trend},
    schema::{Process, WindowSlice},
    units::Unit,
};
use leptos::prelude::With;
use std::cmp::Ordering;

/// A table with a row for each device, service or process.
#[derive(Debug)]
pub(super) struct Table {
    /// Its id in the page, and its key in `localStorage`.
    pub id: &'static str,
    /// Heading of the first column, the rows' names.
    pub title: &'static str,
    /// Source of the rows.
    pub rows: Rows,
    /// The columns after the name.
    pub columns: &'static [Column],
    /// The default order.
    pub sort: Sort,
}

/// Source of a table's rows.
#[derive(Debug)]
pub(super) enum Rows {
    /// Series by path: the prefix before a row's name, fields of which every row has at least one, and the field of
    /// the trend.
    Series { path: &'static str, keys: &'static [&'static str], trend: Option<&'static str> },
    /// The newest processes.
    Processes,
}

/// Heading, unit and field of a column.
pub(super) type Column = (&'static str, Unit, &'static str);

/// The order of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sort {
    /// Index of the column; 0 is the name.
    pub column: usize,
    /// Whether the largest value comes first.
    pub descending: bool,
}

impl Sort {
    pub(super) const BY_NAME: Self = Self { column: 0, descending: false };
    pub(super) const BY_FIRST_VALUE: Self = Self { column: 1, descending: true };

    /// The text in `localStorage`: the column, and `-` if descending.
    pub fn to_text(self) -> String {
        format!("{}{}", self.column, if self.descending { "-" } else { "" })
    }

    /// Parses the text of [`to_text`](Self::to_text); `None` for any other.
    pub fn of_text(text: &str) -> Option<Self> {
        let descending = text.strip_suffix('-');
        Some(Self { column: descending.unwrap_or(text).parse().ok()?, descending: descending.is_some() })
    }

    /// The order after a click on the heading of `column`: the largest values first, names in alphabetical order.
    pub(super) fn click(self, column: usize) -> Self {
        match self.column == column {
            true => Self { descending: !self.descending, ..self },
            false => Self { column, descending: column > 0 },
        }
    }

    /// The `aria-sort` of the heading of `column`.
    pub(super) fn aria(self, column: usize) -> &'static str {
        match self.column == column {
            false => "none",
            true if self.descending => "descending",
            true => "ascending",
        }
    }
}

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
    /// Path prefix of its series; empty for processes.
    pub(super) fn path(&self) -> &'static str {
        match self.rows {
            Rows::Series { path, .. } => path,
            Rows::Processes => "",
        }
    }

    /// The keys of all rows, unordered.
    fn keys(&self, state: PageState) -> Vec<String> {
        match self.rows {
            Rows::Series { path, keys, .. } => state.window.with(|window| window.names(path, keys)),
            Rows::Processes => state.processes(|processes| processes.top.iter().map(Process::key).collect()),
        }
    }

    /// The cell of a row in `column`; 0 is the name.
    pub(super) fn cell(&self, state: PageState, key: &str, column: usize) -> Cell {
        let name = ("", Unit::Count, "name");
        // A stored order may name a column that no longer exists.
        let (_, unit, field) =
            column.checked_sub(1).and_then(|column| self.columns.get(column).copied()).unwrap_or(name);
        match self.rows {
            Rows::Series { .. } if column == 0 => Cell::Text(key.to_owned()),
            Rows::Series { path, .. } => {
                Cell::Value(state.window.with(|window| window.last(&[path, key, field].concat())), unit)
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
                    "cpu" => read(|process| process.cpu),
                    "rss" => read(|process| Some(process.rss as f64)),
                    "read_bytes" => read(|process| process.read_bytes),
                    "write_bytes" => read(|process| process.write_bytes),
                    "threads" => read(|process| Some(process.threads as f64)),
                    "started" => state.age(read(|process| process.started.map(|started| started as f64))),
                    _ => pid.parse::<u32>().ok().map(f64::from),
                };
                Cell::Value(value, unit)
            }
        }
    }

    /// The note below a row's name: the command line of a process.
    pub(super) fn note(&self, state: PageState, key: &str) -> String {
        match self.rows {
            Rows::Series { .. } => String::new(),
            Rows::Processes => {
                state.process(key, |process| process.command.clone().unwrap_or_default()).unwrap_or_default()
            }
        }
    }

    /// Whether a row shows the trend of the series at `path`.
    #[cfg(feature = "ssr")]
    pub(super) fn has_trend_of(&self, path: &str) -> bool {
        match self.rows {
            Rows::Series { path: rows, trend: Some(field), .. } => path.starts_with(rows) && path.ends_with(field),
            _ => false,
        }
    }

    /// The paths of its columns, keys and trend, with `*` for the name of a row.
    #[cfg(all(test, feature = "ssr"))]
    pub(super) fn series_paths(&self) -> Vec<String> {
        let Rows::Series { path, keys, trend } = self.rows else { return Vec::new() };
        let fields = self.columns.iter().map(|(_, _, field)| *field).chain(keys.iter().copied()).chain(trend);
        fields.map(|field| [path, "*", field].concat()).collect()
    }

    /// Whether its rows have a trend.
    pub(super) fn has_trend(&self) -> bool {
        matches!(self.rows, Rows::Series { trend: Some(_), .. })
    }

    /// The trend of a row, as the points of SVG polylines.
    pub(super) fn trend(&self, state: PageState, key: &str) -> Vec<String> {
        match self.rows {
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
    fn click_sorts_values_descending_and_names_ascending() {
        let sort = Sort::BY_NAME.click(2);
        assert_eq!((sort.column, sort.descending), (2, true));
        assert!(!sort.click(2).descending);
        assert_eq!(sort.click(0), Sort::BY_NAME);
        assert_eq!((sort.aria(2), sort.aria(1)), ("descending", "none"));
    }

    #[test]
    fn sort_text_round_trips() {
        for sort in [Sort::BY_NAME, Sort::BY_FIRST_VALUE] {
            assert_eq!(Sort::of_text(&sort.to_text()), Some(sort));
        }
        for text in ["", "-", "x", "1 ", "-1"] {
            assert_eq!(Sort::of_text(text), None, "{text:?}");
        }
    }

    #[test]
    fn unknown_value_sorts_below_known() {
        let value = |value| Cell::Value(value, Unit::Count);
        assert_eq!(value(None).order(&value(Some(0.0))), Ordering::Less);
        assert_eq!(value(Some(10.0)).order(&value(Some(9.0))), Ordering::Greater);
        assert_eq!(Cell::Text("b".to_owned()).order(&Cell::Text("A".to_owned())), Ordering::Greater);
    }
}
