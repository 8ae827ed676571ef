//! A line so small that it stands in a row.

use super::draw::{Line, extend};

/// Seconds that a trend shows.
pub const TREND_S: usize = 60;
/// How high it is, in the units of its drawing; a second is one wide.
const TREND_HEIGHT: f64 = 16.0;

/// The path of values, the newest first, as SVG has it. It begins at zero and reaches up to the largest.
pub fn trend(values: impl Iterator<Item = Option<f64>>) -> String {
    let values: Vec<_> = values.take(TREND_S).enumerate().collect();
    let largest = values.iter().filter_map(|(_, value)| *value).fold(f64::MIN_POSITIVE, f64::max);
    let mut path = String::new();
    for run in values.chunk_by(|(_, one), (_, other)| one.is_some() == other.is_some()) {
        let mut line = Line::new();
        for (age, value) in run.iter().filter_map(|(age, value)| Some((*age, (*value)?))) {
            // A pixel off either edge, where half of the line would be cut off.
            let y = TREND_HEIGHT - 1.0 - value / largest * (TREND_HEIGHT - 2.0);
            extend(&mut line, ((TREND_S - 1 - age) as i32, y.round().clamp(1.0, TREND_HEIGHT - 1.0) as i32));
        }
        for (place, (x, y)) in line.into_iter().enumerate() {
            path += &format!("{}{x} {y}", if place == 0 { 'M' } else { 'L' });
        }
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

    #[test]
    fn what_is_level_is_one_line() {
        assert_eq!(trend([Some(0.0); 60].into_iter()), "M59 15L0 15");
    }
}
