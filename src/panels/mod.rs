//! The panels of the page, as data that the server sends: for each channel its chart, details and tables. A panel of the
//! host's own groups and one of a published channel are alike to the page.

#[cfg(feature = "ssr")]
mod channel;
mod history;
#[cfg(feature = "ssr")]
mod host;
mod table;
mod text;

#[cfg(feature = "ssr")]
pub use channel::channel_panel;
pub use history::core_history;
#[cfg(feature = "ssr")]
pub use history::history;
#[cfg(feature = "ssr")]
pub use host::host_panels;
#[cfg(all(test, feature = "ssr"))]
pub(crate) use host::series_paths;
pub use table::{Rows, Sort, Table};
pub use text::of_text;
#[cfg(feature = "ssr")]
pub use text::to_text;

use crate::{charts::Chart, schema::HOST_EVENTS, units::Unit};

/// A panel of the page.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Panel {
    /// Its anchor on the page, and its name in `?panels=`.
    pub id: String,
    /// Heading.
    pub title: String,
    /// What it draws; without series, there is no chart.
    pub chart: Chart,
    /// Values below the main value in the overview's tile; without any, there is no tile.
    pub tile: Vec<Detail>,
    /// Values that the chart doesn't show.
    pub details: Vec<Detail>,
    /// Rows of values.
    pub tables: Vec<Table>,
}

/// How a panel looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PanelKind {
    /// A chart, with tables below it.
    Chart,
    /// A table.
    Table,
    /// The table of processes, which have no series.
    Processes,
}

impl Panel {
    /// How it looks.
    pub fn kind(&self) -> PanelKind {
        match self.tables.first() {
            _ if !self.chart.series.is_empty() => PanelKind::Chart,
            Some(Table { rows: Rows::Processes, .. }) => PanelKind::Processes,
            _ => PanelKind::Table,
        }
    }

    /// Whether it is that of a published channel, which is named as the event of its values.
    pub fn is_published(&self) -> bool {
        self.kind() == PanelKind::Chart && !HOST_EVENTS.contains(&&*self.id)
    }

    /// The path at or below which a host has series if it has anything to show here.
    pub fn path(&self) -> &str {
        match (self.kind(), self.tables.first()) {
            (PanelKind::Table, Some(table)) => table.path(),
            _ => self.chart.headline.path(),
        }
    }
}

/// A value with its label.
#[derive(Clone, Debug, PartialEq)]
pub struct Detail {
    /// What it is.
    pub label: String,
    /// The unit that it is shown in.
    pub unit: Unit,
    /// The path of its series; in a table, what follows the row's name.
    pub path: String,
}
