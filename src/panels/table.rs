//! A table of a panel: its rows, columns and default order.

use super::Detail;

/// A table with a row for each device, service or process.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// Its id in the page, and its key in `localStorage`.
    pub id: String,
    /// Heading of the first column, the rows' names.
    pub title: String,
    /// Source of the rows.
    pub rows: Rows,
    /// The columns after the name.
    pub columns: Vec<Detail>,
    /// The default order.
    pub sort: Sort,
}

/// Source of a table's rows.
#[derive(Clone, Debug, PartialEq)]
pub enum Rows {
    /// Series by path.
    Series {
        /// What precedes a row's name.
        path: String,
        /// Every row has a value in one of these fields at least.
        keys: Vec<String>,
        /// The field of the trend.
        trend: Option<String>,
    },
    /// The newest processes.
    Processes,
}

/// The order of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sort {
    /// Index of the column; 0 is the name.
    pub column: usize,
    /// Whether the largest value comes first.
    pub descending: bool,
}

impl Sort {
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
    pub fn click(self, column: usize) -> Self {
        match self.column == column {
            true => Self { descending: !self.descending, ..self },
            false => Self { column, descending: column > 0 },
        }
    }

    /// The `aria-sort` of the heading of `column`.
    pub fn aria(self, column: usize) -> &'static str {
        match self.column == column {
            false => "none",
            true if self.descending => "descending",
            true => "ascending",
        }
    }
}

impl Table {
    /// Path prefix of its series; empty for processes.
    pub fn path(&self) -> &str {
        match &self.rows {
            Rows::Series { path, .. } => path,
            Rows::Processes => "",
        }
    }

    /// Whether its rows have a trend.
    pub fn has_trend(&self) -> bool {
        matches!(self.rows, Rows::Series { trend: Some(_), .. })
    }

    /// Whether a row shows the trend of the series at `path`.
    #[cfg(feature = "ssr")]
    pub(super) fn has_trend_of(&self, path: &str) -> bool {
        match &self.rows {
            Rows::Series { path: rows, trend: Some(field), .. } => path.starts_with(rows) && path.ends_with(field),
            _ => false,
        }
    }

    /// The paths of its columns, keys and trend, with `*` for the name of a row.
    #[cfg(all(test, feature = "ssr"))]
    pub(crate) fn series_paths(&self) -> Vec<String> {
        let Rows::Series { path, keys, trend } = &self.rows else { return Vec::new() };
        let fields = self.columns.iter().map(|column| &column.path).chain(keys).chain(trend);
        fields.map(|field| [path, "*", field].concat()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BY_NAME: Sort = Sort { column: 0, descending: false };

    #[test]
    fn click_sorts_values_descending_and_names_ascending() {
        let sort = BY_NAME.click(2);
        assert_eq!((sort.column, sort.descending), (2, true));
        assert!(!sort.click(2).descending);
        assert_eq!(sort.click(0), BY_NAME);
        assert_eq!((sort.aria(2), sort.aria(1)), ("descending", "none"));
    }

    #[test]
    fn sort_text_round_trips() {
        for sort in [BY_NAME, BY_NAME.click(1)] {
            assert_eq!(Sort::of_text(&sort.to_text()), Some(sort));
        }
        for text in ["", "-", "x", "1 ", "-1"] {
            assert_eq!(Sort::of_text(text), None, "{text:?}");
        }
    }
}
