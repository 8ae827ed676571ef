//! Rounds a snapshot's history to the precision that charts show, which halves its size on the wire.

use super::{SeriesValues, WindowSnapshot};

/// Significant digits that a chart of a few hundred pixels can show.
const DIGITS: i32 = 3;
/// Series of this prefix are drawn as a heatmap only, so that its steps are precise enough.
const HEATMAP_PREFIX: &str = "cpu.cores_percent.";
/// Percent from one shade of the heatmap to the next.
const HEATMAP_STEP: f64 = 12.5;

impl WindowSnapshot {
    /// Rounds all values but the newest, which the page shows as a number.
    pub fn round_history(&mut self) {
        for (path, SeriesValues(values)) in &mut self.series {
            let largest = values.iter().flatten().fold(0.0, |largest: f64, value| largest.max(value.abs()));
            if largest == 0.0 {
                continue;
            }
            let decimals = DIGITS - largest.log10().ceil() as i32;
            let factor = 10f64.powi(decimals.abs());
            let round = |value: f64| match decimals {
                _ if path.starts_with(HEATMAP_PREFIX) => (value / HEATMAP_STEP).round() * HEATMAP_STEP,
                1.. => (value * factor).round() / factor,
                _ => (value / factor).round() * factor,
            };
            let newest = values.len() - 1;
            values[..newest].iter_mut().flatten().for_each(|value| *value = round(*value));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn history_is_rounded_and_newest_value_is_kept() {
        let series = [
            ("percent", [Some(12.34), None, Some(99.96), Some(0.05), Some(12.34)]),
            ("bytes", [Some(7_766_123_456.0), Some(1.0), None, None, Some(123_456.0)]),
            ("none", [Some(0.0), None, None, None, None]),
            ("cpu.cores_percent.0", [Some(6.0), Some(7.0), Some(99.0), None, Some(43.2)]),
        ];
        let series = series.map(|(path, values)| (path.to_owned(), SeriesValues(values.into())));
        let mut snapshot = WindowSnapshot { t0: 0, step_ms: 1000, n: 5, series: series.into(), truncated: false };
        snapshot.round_history();
        let of = |path: &str| snapshot.series[path].0.clone();
        assert_eq!(of("percent"), [Some(12.3), None, Some(100.0), Some(0.1), Some(12.34)]);
        assert_eq!(of("bytes"), [Some(7_770_000_000.0), Some(0.0), None, None, Some(123_456.0)]);
        assert_eq!(of("none"), [Some(0.0), None, None, None, None]);
        assert_eq!(of("cpu.cores_percent.0"), [Some(0.0), Some(12.5), Some(100.0), None, Some(43.2)]);
    }
}
