//! The vertical axis: its maximum, rounded so that its divisions have readable labels.

use super::{Chart, Hidden, Layout};
use crate::{
    schema::{Window, WindowSlice},
    units::Unit,
};

/// Divisions of the vertical axis.
pub const DIVISIONS: u32 = 4;

/// Space above the highest line, as a factor.
const HEADROOM: f64 = 1.05;

/// How the maximum of the vertical axis is chosen.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Scale {
    /// Always 100.
    Percent,
    /// The newest known value of the series at this path, of which the chart shows parts.
    Total(String),
    /// The largest visible value, or sum of a stack.
    #[default]
    Largest,
}

impl Scale {
    /// The path of the series that it follows besides those of the chart.
    #[cfg(feature = "ssr")]
    pub(crate) fn path(&self) -> Option<&str> {
        match self {
            Self::Total(path) => Some(path),
            Self::Percent | Self::Largest => None,
        }
    }

    /// The value at the upper edge of `chart`: the maximum, rounded up to readable divisions.
    pub fn top(&self, chart: &Chart, window: &Window, slice: WindowSlice, hidden: Hidden) -> f64 {
        match self {
            Self::Percent => 100.0,
            Self::Total(path) => round_up(newest_known(window, path).unwrap_or(0.0), &chart.unit),
            Self::Largest => {
                let (mut sums, mut largest) = (vec![0.0; slice.seconds], 0.0f64);
                for series in chart.shown(hidden) {
                    for (sum, value) in sums.iter_mut().zip(series.value.values(window, slice)) {
                        let below = if chart.layout == Layout::Stacked { *sum } else { 0.0 };
                        *sum = below + value.unwrap_or(0.0);
                        largest = largest.max(*sum);
                    }
                }
                let top = round_up(largest * HEADROOM, &chart.unit);
                if chart.unit == Unit::Percent { top.min(100.0) } else { top }
            }
        }
    }
}

/// A range of the history may end in a gap, or before it is over.
#[cfg(feature = "ssr")]
fn newest_known(window: &Window, path: &str) -> Option<f64> {
    window.newest(path).flatten().next()
}

/// Live, the newest second is known.
#[cfg(not(feature = "ssr"))]
fn newest_known(window: &Window, path: &str) -> Option<f64> {
    window.last(path)
}

/// The next value at the upper edge after `previous`, if `needed` is the least possible. Hysteresis keeps the axis
/// readable, as it would change with every peak otherwise.
pub fn stable_top(previous: Option<f64>, needed: f64) -> f64 {
    /// The axis shrinks once this part of it suffices.
    const USED: f64 = 0.5;
    previous.filter(|top| needed <= *top && needed > *top * USED).unwrap_or(needed)
}

/// The least value not below `value` that is [`DIVISIONS`] readable steps.
fn round_up(value: f64, unit: &Unit) -> f64 {
    const STEPS: [f64; 9] = [1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0];
    let (multiple, _) = unit.multiple(value);
    let step = (value / multiple / f64::from(DIVISIONS)).max(match unit {
        Unit::Count => 1.0,
        _ => 0.25,
    });
    // A loop is smaller in WebAssembly than a logarithm, which needs tables.
    let mut power = 0.1;
    while power * 10.0 <= step {
        power *= 10.0;
    }
    let whole = |step: &f64| *unit != Unit::Count || step.fract() == 0.0;
    let rounded = STEPS.iter().map(|s| s * power).filter(whole).find(|s| *s >= step).unwrap_or(10.0 * power);
    rounded * multiple * f64::from(DIVISIONS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::charts::{Colour, Expression, Series};
    use proptest::prelude::*;

    const GIB: f64 = 1024.0 * 1024.0 * 1024.0;

    #[test]
    fn top_is_divisible_into_readable_steps() {
        assert_eq!(round_up(0.0, &Unit::Count), 4.0);
        assert_eq!(round_up(5.0, &Unit::Count), 8.0);
        assert_eq!(round_up(462.0, &Unit::Count), 600.0);
        assert_eq!(round_up(23.5 * GIB, &Unit::Bytes), 24.0 * GIB);
        assert_eq!(round_up(3.8 * GIB, &Unit::Bytes), 4.0 * GIB);
    }

    #[test]
    fn axis_of_a_stack_covers_the_sum() {
        let mut window = Window::new(2);
        window.advance(1000);
        window.set("shop.orders", Some(60.0));
        window.set("shop.baskets", Some(50.0));
        let series = |path: &str| Series {
            label: path.to_owned(),
            colour: Colour::Blue,
            value: Expression::Path(path.to_owned()),
        };
        let series = vec![series("shop.orders"), series("shop.baskets"), series("shop.unknown")];
        let lines = Chart { series, scale: Scale::Largest, layout: Layout::Lines, ..Chart::default() };
        let stack = Chart { layout: Layout::Stacked, ..lines.clone() };
        let slice = WindowSlice::newest(2);
        let top = |chart: &Chart| Scale::Largest.top(chart, &window, slice, Hidden::default());
        assert_eq!((top(&lines), top(&stack)), (80.0, 120.0));
    }

    #[test]
    fn axis_of_a_total_keeps_its_newest_known_value() {
        let mut window = Window::new(3);
        window.advance(1000);
        window.set("memory.total_bytes", Some(16.0 * GIB));
        window.advance(2000);
        let scale = Scale::Total("memory.total_bytes".to_owned());
        let chart = Chart { unit: Unit::Bytes, ..Chart::default() };
        assert_eq!(scale.top(&chart, &window, WindowSlice::newest(3), Hidden::default()), 16.0 * GIB);
    }

    #[test]
    fn axis_grows_at_once_and_shrinks_when_half_empty() {
        let tops = [100.0, 80.0, 60.0, 120.0, 61.0, 60.0].iter();
        let tops: Vec<_> = tops
            .scan(None, |top, needed| {
                *top = Some(stable_top(*top, *needed));
                *top
            })
            .collect();
        assert_eq!(tops, [100.0, 100.0, 100.0, 120.0, 120.0, 60.0]);
    }

    proptest! {
        #[test]
        fn top_covers_value_within_a_factor_of_two(value in 0.0..1e15f64) {
            for unit in [Unit::Count, Unit::Bytes, Unit::Bits, Unit::Throughput, Unit::Average] {
                let top = round_up(value, &unit);
                prop_assert!(top >= value, "{} is above {}", value, top);
                prop_assert!(value < 8.0 || top <= value * 2.0, "{} is far below {}", value, top);
            }
        }
    }
}
