//! The charts of the page: series, headline value, unit, stacking and scale of each.

use super::{Colour, DIVISIONS, Scale};
use crate::{
    schema::{Window, WindowSlice},
    units::Unit,
};

/// The definition of a chart.
#[derive(Debug)]
pub struct Chart {
    /// Anchor on the page.
    pub id: &'static str,
    /// Heading.
    pub title: &'static str,
    /// The value in large type.
    pub headline: Expression,
    /// Unit of the values and axis labels.
    pub unit: Unit,
    /// Whether series are stacked.
    pub layout: Layout,
    /// Maximum of the vertical axis.
    pub scale: Scale,
    /// The series, bottom up.
    pub series: &'static [Series],
}

impl Chart {
    /// The headline `age` seconds before the newest, as number and unit; counts, which have no unit, take the label of
    /// the first series.
    pub fn headline_text(&self, window: &Window, age: usize) -> (String, &'static str) {
        let (number, symbol) = self.unit.number_and_symbol(self.headline.at(window, age));
        match self.unit {
            Unit::Count | Unit::Average => (number, self.series.first().map_or("", |series| series.label)),
            _ => (number, symbol),
        }
    }

    /// The visible series.
    pub(super) fn shown(&self, hidden: Hidden) -> impl DoubleEndedIterator<Item = &Series> {
        self.series.iter().enumerate().filter(move |(index, _)| !hidden.contains(*index)).map(|(_, series)| series)
    }

    /// The label of a division of the vertical axis whose maximum is `top`; the topmost label includes the unit.
    pub fn label(&self, division: u32, top: f64) -> String {
        let label = self.unit.label(top * f64::from(division) / f64::from(DIVISIONS), top);
        match self.unit.multiple(top).1 {
            symbol if division == DIVISIONS && !symbol.is_empty() => [&label, " ", symbol].concat(),
            _ => label,
        }
    }
}

/// Whether series are stacked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// On top of each other, as parts of a whole.
    Stacked,
    /// Each from zero.
    Lines,
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

/// One series of a chart.
#[derive(Debug)]
pub struct Series {
    /// Name in the legend.
    pub label: &'static str,
    /// Colour role.
    pub colour: Colour,
    /// The values.
    pub value: Expression,
}

/// A value derived from series of the window, which are given by their paths.
#[derive(Clone, Copy, Debug)]
pub enum Expression {
    /// One series.
    Path(&'static str),
    /// The first minus the second, at least zero.
    Difference(&'static str, &'static str),
    /// The sum of both.
    Sum(&'static str, &'static str),
}

impl Expression {
    /// The path of the first series, which decides whether the host has the value.
    pub fn path(self) -> &'static str {
        match self {
            Self::Path(path) | Self::Difference(path, _) | Self::Sum(path, _) => path,
        }
    }

    /// The paths of all its series.
    pub(super) fn paths(self) -> impl Iterator<Item = &'static str> {
        let (path, other) = match self {
            Self::Path(path) => (path, None),
            Self::Difference(path, other) | Self::Sum(path, other) => (path, Some(other)),
        };
        [path].into_iter().chain(other)
    }

    /// The value `age` seconds before the newest.
    pub fn at(self, window: &Window, age: usize) -> Option<f64> {
        match self {
            Self::Path(path) => window.value(path, age),
            Self::Difference(from, less) => Some((window.value(from, age)? - window.value(less, age)?).max(0.0)),
            Self::Sum(one, other) => Some(window.value(one, age)? + window.value(other, age)?),
        }
    }

    /// The values of a slice, oldest first: one per held second.
    pub fn values(self, window: &Window, slice: WindowSlice) -> Vec<Option<f64>> {
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

/// Whether a chart plots the series at `path`.
pub fn is_plotted(path: &str) -> bool {
    CHARTS.iter().flat_map(|chart| chart.series).any(|series| series.value.paths().any(|plotted| plotted == path))
}

const fn series(label: &'static str, colour: Colour, path: &'static str) -> Series {
    Series { label, colour, value: Expression::Path(path) }
}

/// The charts of the page, in order.
pub static CHARTS: [Chart; 9] = [
    Chart {
        id: "cpu",
        title: "CPU",
        headline: Expression::Path("cpu.total"),
        unit: Unit::Percent,
        layout: Layout::Stacked,
        scale: Scale::Percent,
        series: &[
            series("user", Colour::Blue, "cpu.user"),
            series("nice", Colour::Green, "cpu.nice"),
            series("system", Colour::Teal, "cpu.system"),
            series("irq", Colour::Violet, "cpu.irq"),
            series("steal", Colour::Red, "cpu.steal"),
            // On top, since it is not part of the busy time.
            series("iowait", Colour::Amber, "cpu.iowait"),
        ],
    },
    Chart {
        id: "memory",
        title: "Memory",
        headline: Expression::Path("memory.used"),
        unit: Unit::Bytes,
        layout: Layout::Stacked,
        scale: Scale::Total("memory.total"),
        series: &[
            series("used", Colour::Green, "memory.used"),
            // Memory neither used nor free; `memory.cached` would count shared memory twice.
            Series {
                label: "cache",
                colour: Colour::Grey,
                value: Expression::Difference("memory.available", "memory.free"),
            },
        ],
    },
    Chart {
        id: "load",
        title: "Load",
        headline: Expression::Path("load.one"),
        unit: Unit::Average,
        layout: Layout::Lines,
        scale: Scale::Largest,
        series: &[
            series("1 min", Colour::Blue, "load.one"),
            series("5 min", Colour::Violet, "load.five"),
            series("15 min", Colour::Grey, "load.fifteen"),
        ],
    },
    Chart {
        id: "pressure",
        title: "Pressure",
        headline: Expression::Path("pressure.cpu.some"),
        unit: Unit::Percent,
        layout: Layout::Lines,
        scale: Scale::Largest,
        series: &[
            series("CPU", Colour::Blue, "pressure.cpu.some"),
            series("memory", Colour::Green, "pressure.memory.some"),
            series("I/O", Colour::Amber, "pressure.io.some"),
        ],
    },
    Chart {
        id: "connections",
        title: "Connections",
        headline: Expression::Path("connections.tcp.established"),
        unit: Unit::Count,
        layout: Layout::Lines,
        scale: Scale::Largest,
        series: &[
            series("established", Colour::Teal, "connections.tcp.established"),
            series("time-wait", Colour::Red, "connections.tcp.time_wait"),
            series("listening", Colour::Violet, "connections.tcp.listen"),
            series("viewers", Colour::Blue, "connections.viewers"),
        ],
    },
    Chart {
        id: "network",
        title: "Network",
        headline: Expression::Sum("network.rx_bytes", "network.tx_bytes"),
        unit: Unit::Bits,
        layout: Layout::Lines,
        scale: Scale::Largest,
        series: &[series("in", Colour::Teal, "network.rx_bytes"), series("out", Colour::Violet, "network.tx_bytes")],
    },
    Chart {
        id: "disk",
        title: "Disk",
        headline: Expression::Sum("disk.read_bytes", "disk.write_bytes"),
        unit: Unit::Throughput,
        layout: Layout::Lines,
        scale: Scale::Largest,
        series: &[series("read", Colour::Grey, "disk.read_bytes"), series("write", Colour::Amber, "disk.write_bytes")],
    },
    Chart {
        id: "temperature",
        title: "Temperature",
        headline: Expression::Path("temperature.highest"),
        unit: Unit::Celsius,
        layout: Layout::Lines,
        scale: Scale::Largest,
        series: &[series("highest", Colour::Red, "temperature.highest")],
    },
    Chart {
        id: "cgroup",
        title: "Container",
        headline: Expression::Path("cgroup.cpu"),
        unit: Unit::OfCore,
        layout: Layout::Lines,
        scale: Scale::Largest,
        series: &[
            series("CPU", Colour::Blue, "cgroup.cpu"),
            // On the same axis, since both are percentages of time.
            series("throttled", Colour::Red, "cgroup.throttled"),
        ],
    },
];
