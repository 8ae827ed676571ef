//! A chart: its series, headline value, unit, stacking and scale.

use super::{Colour, DIVISIONS, Scale};
use crate::{
    schema::{Window, WindowSlice},
    units::Unit,
};

/// The definition of a chart.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Chart {
    /// The value in large type.
    pub headline: Expression,
    /// Unit of the values and axis labels.
    pub unit: Unit,
    /// How the series lie in the chart.
    pub layout: Layout,
    /// Maximum of the vertical axis.
    pub scale: Scale,
    /// The series, bottom up.
    pub series: Vec<Series>,
    /// Values at which a line is drawn across the chart.
    pub limits: Vec<Limit>,
}

impl Chart {
    /// The headline `age` seconds before the newest, as number and unit; counts, which have no unit, take the label of
    /// the first series.
    pub fn headline_text(&self, window: &Window, age: usize) -> (String, &str) {
        let (number, symbol) = self.unit.number_and_symbol(self.headline.at(window, age));
        match self.unit {
            Unit::Count | Unit::Average => (number, self.series.first().map_or("", |series| &*series.label)),
            _ => (number, symbol),
        }
    }

    /// The visible series.
    pub(super) fn shown(&self, hidden: Hidden) -> impl DoubleEndedIterator<Item = &Series> {
        self.series.iter().enumerate().filter(move |(index, _)| !hidden.contains(*index)).map(|(_, series)| series)
    }

    /// The label of a division of the vertical axis whose maximum is `top`; the topmost label includes the unit. A timeline
    /// has no such axis.
    pub fn label(&self, division: u32, top: f64) -> String {
        if self.layout == Layout::Timeline {
            return String::new();
        }
        let label = self.unit.label(top * f64::from(division) / f64::from(DIVISIONS), top);
        match self.unit.multiple(top).1 {
            symbol if division == DIVISIONS && !symbol.is_empty() => [&label, " ", symbol].concat(),
            _ => label,
        }
    }
}

/// How the series lie in a chart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layout {
    /// On top of each other, as parts of a whole.
    Stacked,
    /// Each from zero.
    #[default]
    Lines,
    /// Each as a bar in time, whose colour is the value's.
    Timeline,
}

/// The hidden series of a chart, as a bit set of their indices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hidden(pub u32);

impl Hidden {
    /// Whether the series at `index` is hidden.
    pub const fn contains(self, index: usize) -> bool {
        self.0 >> index & 1 == 1
    }

    /// The set with the series at `index` added or removed.
    pub const fn toggled(self, index: usize) -> Self {
        Self(self.0 ^ 1 << index)
    }
}

/// A line across a chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Limit {
    /// Where it is, in the unit of the chart.
    pub value: f64,
    /// Colour role.
    pub colour: Colour,
}

/// One series of a chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Name in the legend.
    pub label: String,
    /// Colour role.
    pub colour: Colour,
    /// The values.
    pub value: Expression,
}

/// A value derived from series of the window, which are given by their paths.
#[derive(Clone, Debug, PartialEq)]
pub enum Expression {
    /// One series.
    Path(String),
    /// The first minus the second, at least zero.
    Difference(String, String),
    /// The sum of both.
    Sum(String, String),
}

impl Default for Expression {
    /// No series.
    fn default() -> Self {
        Self::Path(String::new())
    }
}

impl Expression {
    /// The path of the first series, which decides whether the host has the value.
    pub fn path(&self) -> &str {
        match self {
            Self::Path(path) | Self::Difference(path, _) | Self::Sum(path, _) => path,
        }
    }

    /// The paths of all its series.
    #[cfg(feature = "ssr")]
    pub(crate) fn paths(&self) -> impl Iterator<Item = &str> {
        let (path, other) = match self {
            Self::Path(path) => (path, None),
            Self::Difference(path, other) | Self::Sum(path, other) => (path, Some(other)),
        };
        [path].into_iter().chain(other).map(|path| &**path)
    }

    /// The value `age` seconds before the newest.
    pub fn at(&self, window: &Window, age: usize) -> Option<f64> {
        match self {
            Self::Path(path) => window.value(path, age),
            Self::Difference(from, less) => Some((window.value(from, age)? - window.value(less, age)?).max(0.0)),
            Self::Sum(one, other) => Some(window.value(one, age)? + window.value(other, age)?),
        }
    }

    /// The values of a slice, oldest first: one per held second.
    pub fn values(&self, window: &Window, slice: WindowSlice) -> Vec<Option<f64>> {
        let (path, other) = match self {
            Self::Path(path) => return window.values(path, slice),
            Self::Difference(path, other) | Self::Sum(path, other) => (path, other),
        };
        let mut values = window.values(path, slice);
        for (value, other) in values.iter_mut().zip(window.values(other, slice)) {
            *value = value.zip(other).map(|(value, other)| match self {
                Self::Difference(..) => (value - other).max(0.0),
                _ => value + other,
            });
        }
        values
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A stack of two series.
    pub(in crate::charts) fn cpu_chart() -> Chart {
        let series = |label: &str, colour, path: &str| Series {
            label: label.to_owned(),
            colour,
            value: Expression::Path(path.to_owned()),
        };
        Chart {
            headline: Expression::Path("cpu.total_percent".to_owned()),
            unit: Unit::Percent,
            layout: Layout::Stacked,
            scale: Scale::Percent,
            series: vec![
                series("user", Colour::Blue, "cpu.user_percent"),
                series("system", Colour::Teal, "cpu.system_percent"),
            ],
            limits: Vec::new(),
        }
    }
}
