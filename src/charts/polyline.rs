//! Turns series into polylines in pixels: splits them at gaps and thins them to two points per pixel column.

use crate::schema::{Window, WindowSlice};

/// Points in pixels from the upper left corner.
pub(super) type Polyline = Vec<(i32, i32)>;

/// Appends a point and drops the previous one if it lies between two points of the same height.
pub(super) fn push_point(line: &mut Polyline, (x, y): (i32, i32)) {
    if matches!(line[..], [.., (_, one), (_, other)] if one == y && other == y) {
        line.pop();
    }
    line.push((x, y));
}

/// Maps seconds and values to pixels. plotters' own coordinates would repeat the mapping for both areas that share a
/// line, and add more code than this.
#[derive(Clone, Copy)]
pub(super) struct Axes {
    right: f64,
    bottom: f64,
    /// Pixels per second.
    second: f64,
    /// Pixels per unit of the values.
    unit: f64,
}

impl Axes {
    pub(super) fn new(width: u32, height: u32, seconds: usize, top: f64) -> Self {
        let (right, bottom) = (f64::from(width), f64::from(height) - 1.0);
        Self { right, bottom, second: right / (seconds.max(2) - 1) as f64, unit: bottom / top }
    }

    /// `second` is 0 at the right edge and negative before it.
    pub(super) fn x(self, second: f64) -> i32 {
        round(self.right + second * self.second)
    }

    pub(super) fn y(self, value: f64) -> i32 {
        round(self.bottom - value * self.unit)
    }

    /// The line through a run of values that starts at `second`. A single point becomes a line as wide as its column,
    /// since it would be invisible otherwise.
    pub(super) fn polyline(self, second: f64, run: &[Option<f64>], columns: PixelColumns) -> Polyline {
        let mut line = Polyline::with_capacity(run.len());
        columns.downsample(second, run, |(second, value)| push_point(&mut line, (self.x(second), self.y(value))));
        if let [(x, y)] = line[..] {
            let half = round(columns.seconds as f64 * self.second / 2.0).max(1);
            line = vec![(x - half, y), ((x + half).min(self.x(0.0)), y)];
        }
        line
    }
}

/// Rounds half up. `f64::round` rounds half away from zero, for which WebAssembly has no instruction.
pub(super) fn round(pixel: f64) -> i32 {
    (pixel + 0.5).floor() as i32
}

/// Groups seconds into pixel columns if there are more seconds than columns.
#[derive(Clone, Copy, Debug)]
pub(super) struct PixelColumns {
    /// Seconds per column.
    seconds: u64,
    /// The last second, unix time. Columns start at multiples of `seconds`, so that the same seconds share a column
    /// from tick to tick and peaks do not flicker.
    last: u64,
}

impl PixelColumns {
    pub(super) fn new(slice: WindowSlice, window: &Window, columns: usize) -> Self {
        let last = slice.last(window).unwrap_or_default() / window.step_ms();
        Self { seconds: slice.seconds.div_ceil(columns.max(1)) as u64, last }
    }

    /// Calls `take` with the minimum and the maximum of each column, in time order. The line through them covers the
    /// same pixels as one through all points. `first` is the second of the first point.
    fn downsample(self, first: f64, run: &[Option<f64>], mut take: impl FnMut((f64, f64))) {
        // A column of two seconds would keep both.
        let seconds = if self.seconds <= 2 { 1 } else { self.seconds };
        let before = (self.last as f64 + first) as u64 % seconds;
        let mut points = run.iter().flatten().enumerate().map(|(slot, value)| (first + slot as f64, *value));
        let mut left = seconds - before;
        while let Some(point) = points.next() {
            let mut ends = [point, point];
            for point in points.by_ref().take(left as usize - 1) {
                if point.1 < ends[0].1 {
                    ends[0] = point;
                } else if point.1 > ends[1].1 {
                    ends[1] = point;
                }
            }
            left = seconds;
            if ends[0].0 > ends[1].0 {
                ends.reverse();
            }
            take(ends[0]);
            if ends[0] != ends[1] {
                take(ends[1]);
            }
        }
    }
}

/// The runs of consecutive values that are the `same`, each with the second at which it starts. The last value is at second 0.
pub(super) fn runs(
    values: &[Option<f64>],
    same: fn(&Option<f64>, &Option<f64>) -> bool,
) -> impl Iterator<Item = (f64, &[Option<f64>])> {
    let mut second = 1.0 - values.len() as f64;
    values.chunk_by(same).filter_map(move |run| {
        let start = second;
        second += run.len() as f64;
        run[0].is_some().then_some((start, run))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A pixel per second and per unit: a hundred seconds wide and a hundred units high.
    const AXES: Axes = Axes { right: 100.0, bottom: 100.0, second: 1.0, unit: 1.0 };
    const EACH: PixelColumns = PixelColumns { seconds: 1, last: 1000 };

    /// The line of each run, in seconds and values.
    fn lines(values: &[Option<f64>], columns: PixelColumns) -> Vec<Polyline> {
        let back = |(x, y): (i32, i32)| (x - 100, 100 - y);
        runs(values, |one, other| one.is_some() == other.is_some())
            .map(|(second, run)| AXES.polyline(second, run, columns).into_iter().map(back).collect())
            .collect()
    }

    #[test]
    fn gaps_split_runs() {
        let values = [None, Some(1.0), Some(2.0), None, None, Some(3.0), Some(4.0), Some(5.0)];
        assert_eq!(lines(&values, EACH), [vec![(-6, 1), (-5, 2)], vec![(-2, 3), (-1, 4), (0, 5)]]);
    }

    #[test]
    fn level_points_are_dropped() {
        let axes = Axes::new(100, 11, 6, 10.0);
        let line = axes.polyline(-5.0, &[4.0, 4.0, 4.1, 4.0, 10.0, 0.0].map(Some), EACH);
        assert_eq!(line, [(0, 6), (60, 6), (80, 0), (100, 10)]);
    }

    #[test]
    fn single_second_is_drawn_as_wide_as_its_column() {
        let axes = Axes { second: 4.0, ..AXES };
        assert_eq!(axes.polyline(-2.0, &[Some(7.0)], EACH), [(90, 93), (94, 93)]);
        assert_eq!(axes.polyline(0.0, &[Some(7.0)], EACH), [(98, 93), (100, 93)]);
        assert_eq!(axes.polyline(-5.0, &[Some(7.0)], PixelColumns { seconds: 3, last: 1000 }), [(74, 93), (86, 93)]);
        let narrow = Axes { second: 0.1, ..AXES };
        assert_eq!(narrow.polyline(-10.0, &[Some(7.0)], EACH), [(98, 93), (100, 93)]);
        assert!(lines(&[None], EACH).is_empty() && lines(&[], EACH).is_empty());
    }

    #[test]
    fn columns_keep_their_seconds_as_time_goes_on() {
        let value = |second: u64| Some((second * 7919 % 101) as f64);
        let drawn = |last: u64| {
            let values: Vec<_> = (last - 599..=last).map(value).collect();
            let line = lines(&values, PixelColumns { seconds: 6, last }).remove(0);
            line.into_iter().map(|(x, y)| ((last as i64 + i64::from(x)) as u64, y)).collect::<Vec<_>>()
        };
        let (one, next) = (drawn(10_000), drawn(10_001));
        let inner =
            |line: &[(u64, i32)]| line.iter().filter(|(t, _)| (9_500..9_990).contains(t)).copied().collect::<Vec<_>>();
        assert_eq!(inner(&one), inner(&next));
        assert!(one.len() <= 2 * 101, "{} points for a hundred columns", one.len());
    }

    proptest! {
        #[test]
        fn downsampling_keeps_minimum_and_maximum(
            values in prop::collection::vec(0..100i32, 1..300),
            seconds in 1u64..20,
            last in 300u64..900,
        ) {
            let run: Vec<_> = values.iter().map(|value| Some(f64::from(*value))).collect();
            let line = lines(&run, PixelColumns { seconds, last }).remove(0);
            let ends = |values: &[i32]| (values.iter().min().copied(), values.iter().max().copied());
            prop_assert_eq!(ends(&line.iter().map(|(_, y)| *y).collect::<Vec<_>>()), ends(&values));
            prop_assert!(line.is_sorted_by(|one, other| one.0 < other.0), "{:?}", line);
        }
    }
}
