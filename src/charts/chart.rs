//! What each chart shows.

use super::{Colour, DIVISIONS, Scale, units::Unit};
use crate::schema::{Window, WindowSlice};

/// A chart: what it shows and how.
#[derive(Debug)]
pub struct Chart {
    /// Its anchor in the page.
    pub id: &'static str,
    /// Its heading.
    pub title: &'static str,
    /// The figure in large type.
    pub figure: Value,
    /// What figures and labels count.
    pub unit: Unit,
    /// How series share the area.
    pub layout: Layout,
    /// How high the area reaches.
    pub scale: Scale,
    /// What is drawn, bottom up.
    pub series: &'static [Series],
}

impl Chart {
    /// The figure in large type `age` seconds before the newest, and what stands after it: its unit, or of a count, which
    /// has none, what the first series counts.
    pub fn reading(&self, window: &Window, age: usize) -> (String, &'static str) {
        let (number, symbol) = self.unit.figure(self.figure.at(window, age));
        match self.unit {
            Unit::Count | Unit::Average => (number, self.series.first().map_or("", |series| series.label)),
            _ => (number, symbol),
        }
    }

    /// The series that aren't hidden.
    pub(super) fn shown(&self, hidden: Hidden) -> impl DoubleEndedIterator<Item = &Series> {
        self.series.iter().enumerate().filter(move |(place, _)| !hidden.has(*place)).map(|(_, series)| series)
    }

    /// The label of a division of the vertical axis, which reaches to `top`; the topmost has the unit.
    pub fn label(&self, division: u32, top: f64) -> String {
        let label = self.unit.label(top * f64::from(division) / f64::from(DIVISIONS), top);
        match self.unit.multiple(top).1 {
            symbol if division == DIVISIONS && !symbol.is_empty() => [&label, " ", symbol].concat(),
            _ => label,
        }
    }
}

/// How series share a chart's area.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// One on top of the other: parts of a whole.
    Stacked,
    /// Each from the ground.
    Lines,
}

/// Which series of a chart are hidden, a bit for each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hidden(pub u32);

impl Hidden {
    /// Whether the series at this place is.
    pub const fn has(self, place: usize) -> bool {
        self.0 >> place & 1 == 1
    }

    /// The same with the series at this place switched.
    pub const fn switched(self, place: usize) -> Self {
        Self(self.0 ^ 1 << place)
    }
}

/// One series of a chart.
#[derive(Debug)]
pub struct Series {
    /// Its name in the legend.
    pub label: &'static str,
    /// Its colour.
    pub colour: Colour,
    /// Where its values come from.
    pub value: Value,
}

/// Where a value comes from.
#[derive(Clone, Copy, Debug)]
pub enum Value {
    /// A series of the window, by its path.
    Of(&'static str),
    /// The first less the second, at least zero.
    Difference(&'static str, &'static str),
    /// Both together.
    Sum(&'static str, &'static str),
}

impl Value {
    /// The series without which it is unknown, or the first of them.
    pub fn path(self) -> &'static str {
        match self {
            Self::Of(path) | Self::Difference(path, _) | Self::Sum(path, _) => path,
        }
    }

    /// The value `age` seconds before the newest.
    pub fn at(self, window: &Window, age: usize) -> Option<f64> {
        match self {
            Self::Of(path) => window.value(path, age),
            Self::Difference(from, less) => Some((window.value(from, age)? - window.value(less, age)?).max(0.0)),
            Self::Sum(one, other) => Some(window.value(one, age)? + window.value(other, age)?),
        }
    }

    /// The values of every second of `slice` that is held, oldest first.
    pub fn values(self, window: &Window, slice: WindowSlice) -> Vec<Option<f64>> {
        let (path, other) = match self {
            Self::Of(path) => return window.values(path, slice),
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

/// Whether a chart needs the past of the series at `path`.
pub fn shows(path: &str) -> bool {
    let mut values = CHARTS.iter().flat_map(|chart| chart.series).map(|series| series.value);
    values.any(|value| match value {
        Value::Of(shown) => shown == path,
        Value::Difference(one, other) | Value::Sum(one, other) => one == path || other == path,
    })
}

const fn series(label: &'static str, colour: Colour, path: &'static str) -> Series {
    Series { label, colour, value: Value::Of(path) }
}

/// The charts of the page, in order.
pub static CHARTS: [Chart; 9] = [
    Chart {
        id: "cpu",
        title: "CPU",
        figure: Value::Of("cpu.total"),
        unit: Unit::Percent,
        layout: Layout::Stacked,
        scale: Scale::Percent,
        series: &[
            series("user", Colour::Blue, "cpu.user"),
            series("nice", Colour::Green, "cpu.nice"),
            series("system", Colour::Teal, "cpu.system"),
            series("irq", Colour::Violet, "cpu.irq"),
            series("steal", Colour::Red, "cpu.steal"),
            // On top, where it adds nothing to the busy time below it.
            series("iowait", Colour::Amber, "cpu.iowait"),
        ],
    },
    Chart {
        id: "memory",
        title: "Memory",
        figure: Value::Of("memory.used"),
        unit: Unit::Bytes,
        layout: Layout::Stacked,
        scale: Scale::Total("memory.total"),
        series: &[
            series("used", Colour::Green, "memory.used"),
            // What is neither used nor free; `cached` would count shared memory twice.
            Series {
                label: "cache",
                colour: Colour::Grey,
                value: Value::Difference("memory.available", "memory.free"),
            },
        ],
    },
    Chart {
        id: "load",
        title: "Load",
        figure: Value::Of("load.one"),
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
        figure: Value::Of("pressure.cpu.some"),
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
        figure: Value::Of("connections.tcp.established"),
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
        figure: Value::Sum("network.rx_bytes", "network.tx_bytes"),
        unit: Unit::Bits,
        layout: Layout::Lines,
        scale: Scale::Largest,
        series: &[series("in", Colour::Teal, "network.rx_bytes"), series("out", Colour::Violet, "network.tx_bytes")],
    },
    Chart {
        id: "disk",
        title: "Disk",
        figure: Value::Sum("disk.read_bytes", "disk.write_bytes"),
        unit: Unit::Throughput,
        layout: Layout::Lines,
        scale: Scale::Largest,
        series: &[series("read", Colour::Grey, "disk.read_bytes"), series("write", Colour::Amber, "disk.write_bytes")],
    },
    Chart {
        id: "temperature",
        title: "Temperature",
        figure: Value::Of("temperature.highest"),
        unit: Unit::Celsius,
        layout: Layout::Lines,
        scale: Scale::Largest,
        series: &[series("highest", Colour::Red, "temperature.highest")],
    },
    Chart {
        id: "cgroup",
        title: "Container",
        figure: Value::Of("cgroup.cpu"),
        unit: Unit::OfCore,
        layout: Layout::Lines,
        scale: Scale::Largest,
        series: &[
            series("CPU", Colour::Blue, "cgroup.cpu"),
            // Beside the processor time that it is kept from: both are shares of the time.
            series("throttled", Colour::Red, "cgroup.throttled"),
        ],
    },
];
