//! What a table shows, and in which order.

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
    /// Its name to the stylesheet, and to what the browser remembers.
    pub id: &'static str,
    /// What its rows are of.
    pub title: &'static str,
    /// Where they are from.
    pub rows: Rows,
    /// What is told of each, after its name.
    pub columns: &'static [Column],
    /// How it is sorted at first.
    pub sort: Sort,
}

/// Where rows are from.
#[derive(Debug)]
pub(super) enum Rows {
    /// Series: their path up to the name of a row; fields of which every row has one; and that of which the last minute is shown.
    Series { path: &'static str, keys: &'static [&'static str], trend: Option<&'static str> },
    /// The newest processes.
    Processes,
}

/// A heading, what its figures count, and the field that they are in.
pub(super) type Column = (&'static str, Unit, &'static str);

/// What sorts a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sort {
    /// Which column, 0 being that of the names.
    pub column: usize,
    /// Whether the largest come first.
    pub descending: bool,
}

impl Sort {
    pub(super) const BY_NAME: Self = Self { column: 0, descending: false };
    pub(super) const BY_FIRST_FIGURE: Self = Self { column: 1, descending: true };

    /// As the browser keeps it: the column, and `-` where the largest come first.
    pub fn to_text(self) -> String {
        format!("{}{}", self.column, if self.descending { "-" } else { "" })
    }

    /// What [`to_text`](Self::to_text) has written; `None` of any other text.
    pub fn of_text(text: &str) -> Option<Self> {
        let column = text.strip_suffix('-');
        Some(Self { column: column.unwrap_or(text).parse().ok()?, descending: column.is_some() })
    }

    /// What a click on the heading of `column` makes of it: the largest are what people look for first.
    pub(super) fn click(self, column: usize) -> Self {
        match self.column == column {
            true => Self { descending: !self.descending, ..self },
            false => Self { column, descending: column > 0 },
        }
    }

    /// As ARIA has it, for the heading of `column`.
    pub(super) fn aria(self, column: usize) -> &'static str {
        match self.column == column {
            false => "none",
            true if self.descending => "descending",
            true => "ascending",
        }
    }
}

/// How a table is being read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableState {
    /// What sorts it.
    pub sort: Sort,
    /// What its rows must have in them.
    pub filter: String,
    /// Tick at which somebody last pointed at it.
    pub(super) pointed: Option<u64>,
}

/// What stands in one place of a table.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell {
    Figure(Option<f64>, Unit),
    Text(String),
}

impl Cell {
    pub(super) fn text(self) -> String {
        match self {
            Self::Figure(value, unit) => unit.text(value),
            Self::Text(text) => text,
        }
    }

    fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Figure(one, _), Self::Figure(other, _)) => {
                let known = |value: &Option<f64>| value.unwrap_or(f64::NEG_INFINITY);
                known(one).total_cmp(&known(other))
            }
            (Self::Text(one), Self::Text(other)) => one.to_ascii_lowercase().cmp(&other.to_ascii_lowercase()),
            _ => Ordering::Equal,
        }
    }
}

impl Table {
    /// Where its series are.
    pub(super) fn path(&self) -> &'static str {
        match self.rows {
            Rows::Series { path, .. } => path,
            Rows::Processes => "",
        }
    }

    /// What tells its rows apart, in no order that means anything.
    fn keys(&self, state: PageState) -> Vec<String> {
        match self.rows {
            Rows::Series { path, keys, .. } => state.window.with(|window| window.names(path, keys)),
            Rows::Processes => state.processes(|processes| processes.top.iter().map(Process::key).collect()),
        }
    }

    /// What stands in a row under a column, 0 being that of the names.
    pub(super) fn cell(&self, state: PageState, key: &str, column: usize) -> Cell {
        let name = ("", Unit::Count, "name");
        // One that was remembered may be of a table that had more of them.
        let (_, unit, field) =
            column.checked_sub(1).and_then(|column| self.columns.get(column).copied()).unwrap_or(name);
        match self.rows {
            Rows::Series { .. } if column == 0 => Cell::Text(key.to_owned()),
            Rows::Series { path, .. } => {
                Cell::Figure(state.window.with(|window| window.last(&[path, key, field].concat())), unit)
            }
            Rows::Processes => {
                // Also of one that is no longer told of while its row is frozen.
                let (pid, name) = key.split_once(' ').unwrap_or((key, ""));
                let number = |of: fn(&Process) -> Option<f64>| state.process(key, of).flatten();
                let number = match field {
                    "name" => return Cell::Text(name.to_owned()),
                    "user" => {
                        return Cell::Text(
                            state.process(key, |process| process.user.clone()).flatten().unwrap_or_default(),
                        );
                    }
                    "cpu" => number(|process| process.cpu),
                    "rss" => number(|process| Some(process.rss as f64)),
                    "read_bytes" => number(|process| process.read_bytes),
                    "write_bytes" => number(|process| process.write_bytes),
                    "threads" => number(|process| Some(process.threads as f64)),
                    "started" => state.age(number(|process| process.started.map(|started| started as f64))),
                    _ => pid.parse::<u32>().ok().map(f64::from),
                };
                Cell::Figure(number, unit)
            }
        }
    }

    /// What stands beside a name.
    pub(super) fn note(&self, state: PageState, key: &str) -> String {
        match self.rows {
            Rows::Series { .. } => String::new(),
            Rows::Processes => {
                state.process(key, |process| process.command.clone().unwrap_or_default()).unwrap_or_default()
            }
        }
    }

    /// Whether the series at `path` is shown as the last minute of a row.
    #[cfg(feature = "ssr")]
    pub(super) fn has_trend_of(&self, path: &str) -> bool {
        match self.rows {
            Rows::Series { path: rows, trend: Some(field), .. } => path.starts_with(rows) && path.ends_with(field),
            _ => false,
        }
    }

    /// Whether its rows have a last minute to show.
    pub(super) fn has_trend(&self) -> bool {
        matches!(self.rows, Rows::Series { trend: Some(_), .. })
    }

    /// The last minute of a row, as lines.
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

    /// The keys of all rows that have `filter` in a text of theirs, in order.
    pub(super) fn sorted(&self, state: PageState, TableState { sort, filter, .. }: &TableState) -> Vec<String> {
        let mut rows: Vec<(Cell, String)> = Vec::new();
        for key in self.keys(state).into_iter().filter(|key| self.has(state, key, filter)) {
            let cell = self.cell(state, &key, sort.column);
            // Few rows that are nearly in order: what sorts millions fast would weigh ten kilobytes.
            let place = rows.partition_point(|(other, _)| {
                let order = other.order(&cell);
                if sort.descending { order.is_ge() } else { order.is_le() }
            });
            rows.insert(place, (cell, key));
        }
        rows.into_iter().map(|(_, key)| key).collect()
    }

    /// Whether a text of the row has `filter` in it, whatever the case of its letters.
    fn has(&self, state: PageState, key: &str, filter: &str) -> bool {
        let has = |text: &str| {
            let mut parts = text.as_bytes().windows(filter.len().max(1));
            filter.is_empty() || parts.any(|part| part.eq_ignore_ascii_case(filter.as_bytes()))
        };
        let mut cells = (0..=self.columns.len()).map(|column| self.cell(state, key, column));
        has(key) || has(&self.note(state, key)) || cells.any(|cell| matches!(cell, Cell::Text(text) if has(&text)))
    }
}

/// Rows of a table that is frozen, at most.
const HELD: usize = 100;

/// The order to show: the one that is due, unless it is frozen. Then whatever stands there stays where it is, and what has
/// come since stands below it.
pub(super) fn arrange(due: Vec<String>, shown: Option<&Vec<String>>, frozen: bool) -> Vec<String> {
    let Some(shown) = shown.filter(|_| frozen) else { return due };
    let new = due.into_iter().filter(|key| !shown.contains(key));
    shown.iter().cloned().chain(new).take(HELD).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(keys: &[&str]) -> Vec<String> {
        keys.iter().map(|key| (*key).to_owned()).collect()
    }

    #[test]
    fn rows_that_are_held_stay_where_they_are() {
        let shown = keys(&["7", "1", "3"]);
        assert_eq!(arrange(keys(&["3", "9", "7"]), Some(&shown), true), keys(&["7", "1", "3", "9"]));
        assert_eq!(arrange(keys(&["3", "9", "7"]), Some(&shown), false), keys(&["3", "9", "7"]));
        assert_eq!(arrange(keys(&["3"]), None, true), keys(&["3"]));
    }

    #[test]
    fn a_click_sorts_by_the_largest_first_and_names_by_the_alphabet() {
        let sort = Sort::BY_NAME.click(2);
        assert_eq!((sort.column, sort.descending), (2, true));
        assert!(!sort.click(2).descending);
        assert_eq!(sort.click(0), Sort::BY_NAME);
        assert_eq!((sort.aria(2), sort.aria(1)), ("descending", "none"));
    }

    #[test]
    fn what_is_remembered_is_understood() {
        for sort in [Sort::BY_NAME, Sort::BY_FIRST_FIGURE] {
            assert_eq!(Sort::of_text(&sort.to_text()), Some(sort));
        }
        for text in ["", "-", "x", "1 ", "-1"] {
            assert_eq!(Sort::of_text(text), None, "{text:?}");
        }
    }

    #[test]
    fn what_is_unknown_is_less_than_all_that_is_known() {
        let figure = |value| Cell::Figure(value, Unit::Count);
        assert_eq!(figure(None).order(&figure(Some(0.0))), Ordering::Less);
        assert_eq!(figure(Some(10.0)).order(&figure(Some(9.0))), Ordering::Greater);
        assert_eq!(Cell::Text("b".to_owned()).order(&Cell::Text("A".to_owned())), Ordering::Greater);
    }
}
