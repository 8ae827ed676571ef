//! A snapshot as differences from each second to the next, which compress to half the size of the values.

use super::{SeriesValues, WindowSnapshot};

impl WindowSnapshot {
    /// Replaces all values but the newest of each series by what they differ from the next newer one, to nine digits.
    #[cfg(feature = "ssr")]
    pub fn to_differences(&mut self) {
        for SeriesValues(values) in self.series.values_mut() {
            let mut newer = 0.0;
            for value in values.iter_mut().rev().flatten() {
                let difference = if newer == 0.0 { *value } else { shortest(*value - newer, *value) };
                newer += difference;
                *value = difference;
            }
        }
    }

    /// Restores the values that [`to_differences`](Self::to_differences) replaced.
    pub fn of_differences(&mut self) {
        for SeriesValues(values) in self.series.values_mut() {
            let mut newer = 0.0;
            for value in values.iter_mut().rev().flatten() {
                newer += *value;
                *value = newer;
            }
        }
    }
}

/// `difference` with as few decimals as leave an error below the ninth digit of `value`.
#[cfg(feature = "ssr")]
fn shortest(difference: f64, value: f64) -> f64 {
    const MAX_DECIMALS: i32 = 12;
    let is_precise = |rounded: &f64| (rounded - difference).abs() <= value.abs() * 1e-9;
    let rounded = (0..MAX_DECIMALS).map(|decimals| {
        let factor = 10f64.powi(decimals);
        (difference * factor).round() / factor
    });
    rounded.into_iter().find(is_precise).unwrap_or(difference)
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn snapshot(values: Vec<Option<f64>>) -> WindowSnapshot {
        let series = [("cpu.total_percent".to_owned(), SeriesValues(values))].into();
        WindowSnapshot { t0: 0, step_ms: 1000, n: 0, series, truncated: false }
    }

    #[test]
    fn differences_are_short_and_the_newest_value_is_exact() {
        let mut differences = snapshot(vec![Some(43.7), None, Some(43.9), Some(0.0), Some(16.0 / 3.0)]);
        differences.to_differences();
        let text = serde_json::to_string(&differences.series).unwrap();
        assert_eq!(text, "{\"cpu.total_percent\":[-0.2,null,43.9,-5.333333333333333,5.333333333333333]}");
    }

    proptest! {
        #[test]
        fn differences_restore_the_values(values in prop::collection::vec(prop::option::of(-1e12..1e12f64), 0..200)) {
            let mut restored = snapshot(values.clone());
            restored.to_differences();
            restored.of_differences();
            let restored = &restored.series["cpu.total_percent"].0;
            for (value, restored) in values.iter().zip(restored) {
                prop_assert_eq!(value.is_some(), restored.is_some());
                let (value, restored) = (value.unwrap_or(0.0), restored.unwrap_or(0.0));
                prop_assert!((value - restored).abs() <= value.abs() * 1e-8 + 1e-2, "{} became {}", value, restored);
            }
            prop_assert_eq!(values.last(), restored.last());
        }
    }
}
