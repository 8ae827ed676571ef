//! The panel of a published channel.

use super::{Detail, Panel, Rows, Sort, Table};
use crate::{
    charts::{Chart, Colour, Expression, Layout, Limit, Scale, Series},
    schema::{Channel, ChartKind, PublishedPath},
    units::Unit,
};
use std::collections::BTreeSet;

/// Series that a chart shows; more could not be told apart.
const MAX_SERIES: usize = 12;
/// Columns of the table of labels.
const MAX_COLUMNS: usize = 6;
const COLOURS: [Colour; 6] = [Colour::Blue, Colour::Teal, Colour::Violet, Colour::Amber, Colour::Green, Colour::Grey];

/// The panel of a channel whose series are at `paths`; without any, there is nothing to draw.
pub fn channel_panel(channel: &Channel, paths: &[&str]) -> Panel {
    let (name, unit) = (&*channel.name, unit(&channel.unit));
    let paths = paths.iter().filter_map(|path| Some((PublishedPath::of(path)?, *path)));
    let (plain, labelled): (Vec<_>, Vec<_>) = paths.partition(|(of, _)| of.label.is_empty());
    let (mut series, mut details) = (Vec::new(), Vec::new());
    let shown = if channel.kind == ChartKind::Single { 1 } else { MAX_SERIES };
    for (index, (of, path)) in plain.iter().chain(&labelled).enumerate() {
        let (label, path) = ([of.label, " ", &*spaced(of.value)].concat().trim().to_owned(), (*path).to_owned());
        if index < shown {
            let (colour, value) = (COLOURS[index % COLOURS.len()], Expression::Path(path));
            series.push(Series { label, colour, value });
        } else if of.label.is_empty() {
            details.push(Detail { label, unit: unit.clone(), path });
        }
    }
    let limits = [(channel.warning, Colour::Amber), (channel.critical, Colour::Red)];
    let limits = limits.into_iter().filter_map(|(value, colour)| Some(Limit { value: value?, colour }));
    let chart = Chart {
        headline: series.first().map(|series| series.value.clone()).unwrap_or_default(),
        unit: unit.clone(),
        layout: match channel.kind {
            ChartKind::Stacked => Layout::Stacked,
            ChartKind::Timeline => Layout::Timeline,
            ChartKind::Lines | ChartKind::Single => Layout::Lines,
        },
        scale: Scale::Largest,
        series,
        limits: limits.collect(),
    };
    let values: BTreeSet<_> = labelled.iter().map(|(of, _)| of.value).collect();
    let tables = (!values.is_empty()).then(|| labels_table(name, &unit, &values));
    let (id, title) = (name.to_owned(), channel.title.clone());
    Panel { id, title, chart, details, tables: tables.into_iter().collect(), ..Panel::default() }
}

/// A row for each label, a column for each value.
fn labels_table(name: &str, unit: &Unit, values: &BTreeSet<&str>) -> Table {
    let field = |value: &&str| [".", *value].concat();
    let column = |value: &&str| Detail { label: spaced(value), unit: unit.clone(), path: field(value) };
    Table {
        id: [name, "-labels"].concat(),
        title: "Label".to_owned(),
        rows: Rows::Series {
            path: [name, ".labels."].concat(),
            keys: values.iter().map(field).collect(),
            trend: values.first().map(field),
        },
        columns: values.iter().take(MAX_COLUMNS).map(column).collect(),
        sort: Sort { column: 0, descending: false },
    }
}

fn spaced(name: &str) -> String {
    name.replace('_', " ")
}

/// The unit that values in a declared unit are shown in.
fn unit(declared: &str) -> Unit {
    match declared {
        "number" | "boolean" => Unit::Other(String::new()),
        // A published percentage may exceed 100.
        "percent" | "percent_of_core" => Unit::OfCore,
        "bytes" => Unit::Bytes,
        "bytes_per_second" => Unit::Throughput,
        "per_second" => Unit::Rate,
        "seconds" => Unit::Other("s".to_owned()),
        "celsius" => Unit::Celsius,
        "hertz" => Unit::Hertz,
        symbol => Unit::Other(symbol.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::panels::{PanelKind, of_text, to_text};

    #[test]
    fn panel_has_values_then_labels_and_limits() {
        let channel =
            Channel {
                unit: "€".to_owned(), warning: Some(10.0), critical: Some(20.0), ..Channel::undeclared("shop")
            };
        let paths = ["shop.basket_eur", "shop.labels.eu west.1.basket_eur", "shop.orders"];
        let panel = channel_panel(&channel, &paths);
        let labels: Vec<_> = panel.chart.series.iter().map(|series| &*series.label).collect();
        assert_eq!(labels, ["basket eur", "orders", "eu west.1 basket eur"]);
        assert_eq!((panel.path(), panel.kind(), panel.chart.limits.len()), ("shop.basket_eur", PanelKind::Chart, 2));
        assert_eq!(panel.tables[0].path(), "shop.labels.");
        assert_eq!(of_text(&to_text([&panel])), Some(vec![panel]));
    }

    #[test]
    fn timeline_is_drawn_as_bars() {
        let channel = Channel { kind: ChartKind::Timeline, ..Channel::undeclared("shop") };
        let panel = channel_panel(&channel, &["shop.state"]);
        assert_eq!(panel.chart.layout, Layout::Timeline);
        assert_eq!(of_text(&to_text([&panel])), Some(vec![panel]));
    }

    #[test]
    fn panel_of_many_values_shows_the_rest_as_details() {
        let paths: Vec<_> = (0..64).map(|n| format!("shop.value_{n:02}")).collect();
        let panel = channel_panel(&Channel::undeclared("shop"), &paths.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!((panel.chart.series.len(), panel.details.len()), (MAX_SERIES, 64 - MAX_SERIES));
    }
}
