//! Short forms of definitions.

use crate::{
    charts::{Chart, Colour, Expression, Layout, Scale, Series},
    panels::{Detail, Panel, Rows},
    units::Unit,
};

/// A panel without content.
pub(super) fn panel(id: &str, title: &str) -> Panel {
    let (id, title) = (id.to_owned(), title.to_owned());
    Panel { id, title, ..Panel::default() }
}

/// A chart of lines, as high as the largest value.
pub(super) fn lines(headline: Expression, unit: Unit, series: Vec<Series>) -> Chart {
    Chart { headline, unit, layout: Layout::Lines, scale: Scale::Largest, series, limits: Vec::new() }
}

/// A value with its label.
pub(super) fn detail(label: &str, unit: Unit, path: &str) -> Detail {
    Detail { label: label.to_owned(), unit, path: path.to_owned() }
}

/// A series that is one of the window.
pub(super) fn series(label: &str, colour: Colour, series: &str) -> Series {
    Series { label: label.to_owned(), colour, value: path(series) }
}

/// A series of the window.
pub(super) fn path(series: &str) -> Expression {
    Expression::Path(series.to_owned())
}

/// Rows of series, which have `keys` and perhaps a trend.
pub(super) fn rows(path: &str, keys: &[&str], trend: Option<&str>) -> Rows {
    Rows::Series {
        path: path.to_owned(),
        keys: keys.iter().map(|key| (*key).to_owned()).collect(),
        trend: trend.map(str::to_owned),
    }
}

/// The sum of two series.
pub(super) fn sum(one: &str, other: &str) -> Expression {
    Expression::Sum(one.to_owned(), other.to_owned())
}
