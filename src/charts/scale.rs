//! How high a chart reaches.

use super::{Chart, Hidden, units::Unit};
use crate::schema::{Window, WindowSlice};

/// Divisions of every vertical axis.
pub const DIVISIONS: u32 = 4;

/// Keeps the highest line off the edge.
const HEADROOM: f64 = 1.05;

/// What decides how high a chart reaches.
#[derive(Clone, Copy, Debug)]
pub enum Scale {
    /// A hundred.
    Percent,
    /// The newest value of a series: the whole that the chart shows parts of.
    Total(&'static str),
    /// The largest value in view of a line.
    Largest,
}

impl Scale {
    /// The value at the top of `chart` for what is shown of it: one that divides into readable labels.
    pub fn top(self, chart: &Chart, window: &Window, slice: WindowSlice, hidden: Hidden) -> f64 {
        match self {
            Self::Percent => 100.0,
            Self::Total(path) => round_up(window.last(path).unwrap_or(0.0), chart.unit),
            Self::Largest => {
                let values = chart.shown(hidden).flat_map(|series| series.value.values(window, slice));
                let largest = values.flatten().fold(0.0, f64::max);
                let top = round_up(largest * HEADROOM, chart.unit);
                if chart.unit == Unit::Percent { top.min(100.0) } else { top }
            }
        }
    }
}

/// The top to go on with where `needed` would do: an axis that changes with every peak can't be read.
pub fn settled(before: Option<f64>, needed: f64) -> f64 {
    /// Of an axis, this much has to be empty before it shrinks.
    const EMPTY: f64 = 0.5;
    before.filter(|before| needed <= *before && needed > *before * (1.0 - EMPTY)).unwrap_or(needed)
}

/// The least multiple of [`DIVISIONS`] readable steps that is not below `value`.
fn round_up(value: f64, unit: Unit) -> f64 {
    const STEPS: [f64; 9] = [1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0];
    let (multiple, _) = unit.multiple(value);
    let step = (value / multiple / f64::from(DIVISIONS)).max(match unit {
        Unit::Count => 1.0,
        _ => 0.25,
    });
    // A logarithm would bring tables of its own.
    let mut power = 0.1;
    while power * 10.0 <= step {
        power *= 10.0;
    }
    let whole = |step: &f64| unit != Unit::Count || step.fract() == 0.0;
    let rounded = STEPS.iter().map(|s| s * power).filter(whole).find(|s| *s >= step).unwrap_or(10.0 * power);
    rounded * multiple * f64::from(DIVISIONS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const GIB: f64 = 1024.0 * 1024.0 * 1024.0;

    #[test]
    fn tops_divide_into_readable_labels() {
        assert_eq!(round_up(0.0, Unit::Count), 4.0);
        assert_eq!(round_up(5.0, Unit::Count), 8.0);
        assert_eq!(round_up(462.0, Unit::Count), 600.0);
        assert_eq!(round_up(23.5 * GIB, Unit::Bytes), 24.0 * GIB);
        assert_eq!(round_up(3.8 * GIB, Unit::Bytes), 4.0 * GIB);
    }

    #[test]
    fn an_axis_grows_at_once_and_shrinks_when_half_of_it_is_empty() {
        let tops = [100.0, 80.0, 60.0, 120.0, 61.0, 60.0].iter();
        let tops: Vec<_> = tops
            .scan(None, |top, needed| {
                *top = Some(settled(*top, *needed));
                *top
            })
            .collect();
        assert_eq!(tops, [100.0, 100.0, 100.0, 120.0, 120.0, 60.0]);
    }

    proptest! {
        #[test]
        fn a_top_holds_its_value_and_wastes_little(value in 0.0..1e15f64) {
            for unit in [Unit::Count, Unit::Bytes, Unit::Bits, Unit::Throughput, Unit::Average] {
                let top = round_up(value, unit);
                prop_assert!(top >= value, "{} is above {}", value, top);
                prop_assert!(value < 8.0 || top <= value * 2.0, "{} is far below {}", value, top);
            }
        }
    }
}
