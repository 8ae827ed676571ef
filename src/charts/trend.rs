//! A line so small that it stands in a row.

use super::draw::{Line, extend, nearest};

/// Seconds that a trend shows.
pub const TREND_S: usize = 60;
/// How high it is, in the units of its drawing; a second is one wide.
const TREND_HEIGHT: f64 = 16.0;

/// Beyond the lower edge, where the ends of a line that is filled are out of sight.
const GROUND: i32 = TREND_HEIGHT as i32 + 4;

/// The lines through values, the newest first, as the points of SVG polylines: of a path, each new one makes the browser work
/// out its style anew. They begin at zero and reach up to the largest; to be filled, their ends go down to the ground.
pub fn trend(values: impl Iterator<Item = Option<f64>>, filled: bool) -> Vec<String> {
    let values: Vec<_> = values.take(TREND_S).enumerate().collect();
    let largest = values.iter().filter_map(|(_, value)| *value).fold(f64::MIN_POSITIVE, f64::max);
    let runs = values.chunk_by(|(_, one), (_, other)| one.is_some() == other.is_some());
    let lines = runs.filter(|run| run[0].1.is_some()).map(|run| {
        let mut line = Line::new();
        for (age, value) in run.iter().filter_map(|(age, value)| Some((*age, (*value)?))) {
            // A pixel off either edge, where half of the line would be cut off.
            let y = TREND_HEIGHT - 1.0 - value / largest * (TREND_HEIGHT - 2.0);
            extend(&mut line, ((TREND_S - 1 - age) as i32, nearest(y).clamp(1, TREND_HEIGHT as i32 - 1)));
        }
        if filled && let (Some(&(last, _)), Some(&(first, _))) = (line.first(), line.last()) {
            line.insert(0, (last, GROUND));
            line.push((first, GROUND));
        }
        let mut points = String::new();
        for (x, y) in line {
            push(&mut points, x);
            push(&mut points, y);
        }
        points
    });
    lines.collect()
}

/// A number of one or two digits, of which there are hundreds a tick: they need nothing of what `format!` does.
fn push(points: &mut String, number: i32) {
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
    fn the_newest_is_on_the_right_and_the_largest_at_the_top() {
        assert_eq!(trend([Some(7.0), Some(14.0), Some(0.0)].into_iter(), false), ["59 8 58 1 57 15"]);
    }

    #[test]
    fn what_is_missing_is_missing() {
        assert_eq!(trend([Some(1.0), None, Some(1.0)].into_iter(), false), ["59 1", "57 1"]);
        assert!(trend([None].into_iter(), false).is_empty());
        assert_eq!(trend([Some(0.0)].into_iter(), false), ["59 15"]);
    }

    #[test]
    fn what_is_filled_stands_on_the_ground() {
        assert_eq!(trend([Some(1.0), None, Some(1.0)].into_iter(), true), ["59 20 59 1 59 20", "57 20 57 1 57 20"]);
        assert_eq!(trend([Some(0.0); 60].into_iter(), true), ["59 20 59 15 0 15 0 20"]);
    }

    #[test]
    fn what_is_level_is_one_line() {
        assert_eq!(trend([Some(0.0); 60].into_iter(), false), ["59 15 0 15"]);
    }
}
