//! Sparklines: the last minute of a series, in tiles and table rows.

use super::polyline::{Polyline, push_point, round};

/// Seconds that a sparkline shows.
pub const TREND_S: usize = 60;
/// Height in SVG units; a second is one unit wide.
const HEIGHT: f64 = 16.0;

/// Below the lower edge, where the ends of a filled line are out of sight.
const BASELINE: i32 = HEIGHT as i32 + 4;

/// The `points` of SVG polylines through `values`, which are newest first, one polyline per run of values. The vertical
/// scale is zero to the maximum. The ends of filled lines go down to the baseline. Polylines are used since browsers
/// recompute the style of a path whenever it changes.
pub fn trend(values: impl Iterator<Item = Option<f64>>, filled: bool) -> Vec<String> {
    let values: Vec<_> = values.take(TREND_S).enumerate().collect();
    let largest = values.iter().filter_map(|(_, value)| *value).fold(f64::MIN_POSITIVE, f64::max);
    let runs = values.chunk_by(|(_, one), (_, other)| one.is_some() == other.is_some());
    let lines = runs.filter(|run| run[0].1.is_some()).map(|run| {
        let mut line = Polyline::new();
        for (age, value) in run.iter().filter_map(|(age, value)| Some((*age, (*value)?))) {
            // A unit away from either edge, where half of the line width would be cut off.
            let y = HEIGHT - 1.0 - value / largest * (HEIGHT - 2.0);
            push_point(&mut line, ((TREND_S - 1 - age) as i32, round(y).clamp(1, HEIGHT as i32 - 1)));
        }
        if filled && let (Some(&(last, _)), Some(&(first, _))) = (line.first(), line.last()) {
            line.insert(0, (last, BASELINE));
            line.push((first, BASELINE));
        }
        let mut points = String::new();
        for (x, y) in line {
            push_number(&mut points, x);
            push_number(&mut points, y);
        }
        points
    });
    lines.collect()
}

/// Appends a number of one or two digits; faster than `format!`, which matters at hundreds of numbers per tick.
fn push_number(points: &mut String, number: i32) {
    if !points.is_empty() {
        points.push(' ');
    }
    if number >= 10 {
        points.push((b'0' + (number / 10) as u8) as char);
    }
    points.push((b'0' + (number % 10) as u8) as char);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newest_value_is_right_and_largest_is_on_top() {
        assert_eq!(trend([Some(7.0), Some(14.0), Some(0.0)].into_iter(), false), ["59 8 58 1 57 15"]);
    }

    #[test]
    fn missing_values_split_lines() {
        assert_eq!(trend([Some(1.0), None, Some(1.0)].into_iter(), false), ["59 1", "57 1"]);
        assert!(trend([None].into_iter(), false).is_empty());
        assert_eq!(trend([Some(0.0)].into_iter(), false), ["59 15"]);
    }

    #[test]
    fn filled_lines_end_at_baseline() {
        assert_eq!(trend([Some(1.0), None, Some(1.0)].into_iter(), true), ["59 20 59 1 59 20", "57 20 57 1 57 20"]);
        assert_eq!(trend([Some(0.0); 60].into_iter(), true), ["59 20 59 15 0 15 0 20"]);
    }

    #[test]
    fn level_values_are_one_segment() {
        assert_eq!(trend([Some(0.0); 60].into_iter(), false), ["59 15 0 15"]);
    }
}
