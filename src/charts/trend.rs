//! A line so small that it stands in a row.

/// Seconds that a trend shows.
pub const TREND_S: usize = 60;
/// How high it is, in the units of its drawing; a second is one wide.
const TREND_HEIGHT: f64 = 16.0;

/// The path of values, the newest first, as SVG has it. It begins at zero and reaches up to the largest.
pub fn trend(values: impl Iterator<Item = Option<f64>>) -> String {
    let values: Vec<_> = values.take(TREND_S).collect();
    let largest = values.iter().flatten().fold(f64::MIN_POSITIVE, |a, b| a.max(*b));
    let mut path = String::new();
    let mut command = 'M';
    for (age, value) in values.into_iter().enumerate() {
        let Some(value) = value else {
            command = 'M';
            continue;
        };
        // A pixel off either edge, where half of the line would be cut off.
        let y = TREND_HEIGHT - 1.0 - value / largest * (TREND_HEIGHT - 2.0);
        path += &format!("{command}{} {}", TREND_S - 1 - age, y.round().clamp(1.0, TREND_HEIGHT - 1.0) as u32);
        command = 'L';
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_is_on_the_right_and_the_largest_at_the_top() {
        assert_eq!(trend([Some(7.0), Some(14.0), Some(0.0)].into_iter()), "M59 8L58 1L57 15");
    }

    #[test]
    fn what_is_missing_is_missing() {
        assert_eq!(trend([Some(1.0), None, Some(1.0)].into_iter()), "M59 1M57 1");
        assert_eq!(trend([None].into_iter()), "");
        assert_eq!(trend([Some(0.0)].into_iter()), "M59 15");
    }
}
