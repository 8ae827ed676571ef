//! A chart's drawing: gaps, areas and lines. Text and the lines of the grid are the page's.

use super::{Chart, Colour, Hidden, Layout, Palette, Series};
use crate::schema::{INTERVAL_MS, Window, WindowSlice};
use plotters::{coord::Shift, prelude::*, style::RGBColor};

type Plot<B> = DrawingArea<B, Shift>;
type Outcome<B> = Result<(), DrawingAreaErrorKind<<B as DrawingBackend>::ErrorType>>;

/// What is seen of a chart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Viewport<'a> {
    /// Its seconds, of which the last is the right edge.
    pub slice: WindowSlice,
    /// The value at its upper edge.
    pub top: f64,
    /// The series that aren't.
    pub hidden: Hidden,
    /// First and last tick of each span of seconds without a sample.
    pub gaps: &'a [(u64, u64)],
}

/// Draws what is seen of `chart` over the whole of `plot`. Lines are `stroke` pixels wide, so that they look the same at
/// any density of pixels.
///
/// # Errors
/// What the backend reports.
pub fn draw<B: DrawingBackend>(
    plot: &DrawingArea<B, Shift>,
    chart: &Chart,
    window: &Window,
    viewport: &Viewport<'_>,
    palette: &Palette,
    stroke: u32,
) -> Outcome<B> {
    let Viewport { slice, top, hidden, .. } = *viewport;
    let (width, height) = plot.dim_in_pixel();
    let grid = Grid::new(width, height, slice.seconds, top);
    // A line hides what is narrower than itself.
    let columns = PixelColumns::new(slice, window, (width / stroke.max(1)) as usize);

    draw_gaps(plot, window, viewport, grid, palette)?;
    let lines = |values: &[Option<f64>]| runs(values).map(|(x, run)| grid.line(x, run, columns)).collect();
    let series = chart.shown(hidden).map(|series| (series, series.value.values(window, slice)));
    match chart.layout {
        Layout::Stacked => draw_stack(plot, series, lines, palette, stroke),
        Layout::Lines => draw_lines(plot, series, lines, palette, stroke),
    }
}

/// In pixels from the upper left.
pub(super) type Line = Vec<(i32, i32)>;

/// Draws `line` on to a point, over one that lies between two others on a level with it.
pub(super) fn extend(line: &mut Line, (x, y): (i32, i32)) {
    if matches!(line[..], [.., (_, one), (_, other)] if one == y && other == y) {
        line.pop();
    }
    line.push((x, y));
}

/// Where seconds and values are, in pixels. plotters' own coordinates would work that out anew for each area that a line
/// parts, and weigh more than this.
#[derive(Clone, Copy)]
struct Grid {
    right: f64,
    bottom: f64,
    /// From one second to the next.
    second: f64,
    /// Up from a value to one larger by one.
    unit: f64,
}

impl Grid {
    fn new(width: u32, height: u32, seconds: usize, top: f64) -> Self {
        let (right, bottom) = (f64::from(width), f64::from(height) - 1.0);
        Self { right, bottom, second: right / (seconds.max(2) - 1) as f64, unit: bottom / top }
    }

    /// `second` is 0 for the last, and negative before that.
    fn x(self, second: f64) -> i32 {
        nearest(self.right + second * self.second)
    }

    fn y(self, value: f64) -> i32 {
        nearest(self.bottom - value * self.unit)
    }

    /// The line through a run of values that begins at `second`. One of a single point is drawn as wide as its column,
    /// since it would be invisible.
    fn line(self, second: f64, run: &[Option<f64>], columns: PixelColumns) -> Line {
        let mut line = Line::with_capacity(run.len());
        columns.thin(second, run, |(second, value)| extend(&mut line, (self.x(second), self.y(value))));
        if let [(x, y)] = line[..] {
            let half = nearest(columns.seconds as f64 * self.second / 2.0).max(1);
            line = vec![(x - half, y), ((x + half).min(self.x(0.0)), y)];
        }
        line
    }
}

/// WebAssembly has no instruction that rounds away from zero, as `round` does.
pub(super) fn nearest(pixel: f64) -> i32 {
    (pixel + 0.5).floor() as i32
}

fn draw_line<B: DrawingBackend>(plot: &Plot<B>, points: Line, colour: RGBColor, stroke: u32) -> Outcome<B> {
    plot.draw(&PathElement::new(points, colour.stroke_width(stroke)))
}

fn draw_gaps<B: DrawingBackend>(
    plot: &Plot<B>,
    window: &Window,
    Viewport { slice, gaps, .. }: &Viewport<'_>,
    grid: Grid,
    palette: &Palette,
) -> Outcome<B> {
    let Some(last) = slice.last(window) else { return Ok(()) };
    let x = |t: u64| -(last.saturating_sub(t) as f64) / INTERVAL_MS as f64;
    let shade = palette.of(Colour::Mute).mix(0.13).filled();
    for (first, last) in *gaps {
        let left = (x(*first) - 0.5).max(1.0 - slice.seconds as f64);
        let right = (x(*last) + 0.5).min(0.0);
        plot.draw(&Rectangle::new([(grid.x(left), 0), (grid.x(right), grid.y(0.0))], shade))?;
    }
    Ok(())
}

/// Each series as an area on the one below it.
fn draw_stack<'a, B: DrawingBackend>(
    plot: &Plot<B>,
    series: impl Iterator<Item = (&'a Series, Vec<Option<f64>>)>,
    lines: impl Fn(&[Option<f64>]) -> Vec<Line>,
    palette: &Palette,
    stroke: u32,
) -> Outcome<B> {
    let series: Vec<_> = series.collect();
    let ground = |slot: usize| series.iter().any(|(_, values)| values[slot].is_some()).then_some(0.0);
    let mut top: Vec<Option<f64>> = (0..series.first().map_or(0, |(_, values)| values.len())).map(ground).collect();
    // Every other line runs backwards, wherever it stands, so that as text it is the same in both areas that it parts:
    // compressed, it weighs nothing the second time.
    let lines = |top: &[Option<f64>], backwards: bool| {
        let mut lines = lines(top);
        lines.iter_mut().filter(|_| backwards).for_each(|line| line.reverse());
        lines
    };
    let ground = lines(&top, true);
    let mut edges: Vec<(Vec<Line>, RGBColor)> = Vec::new();
    for (series, values) in series {
        if values.iter().all(|value| value.unwrap_or(0.0) == 0.0) {
            continue;
        }
        // A part that is unknown for a second adds nothing to those that are known.
        for (top, value) in top.iter_mut().zip(values) {
            *top = top.map(|top| top + value.unwrap_or(0.0));
        }
        let upper = lines(&top, edges.len() % 2 == 1);
        let lower = edges.last().map_or(&ground, |(lower, _)| lower);
        let colour = palette.of(series.colour);
        for (lower, upper) in lower.iter().zip(&upper) {
            plot.draw(&Polygon::new([&upper[..], &lower[..]].concat(), colour.mix(0.22)))?;
        }
        edges.push((upper, colour));
    }
    // Bottom up last: the edge of a part that is nothing must not cover the one that it lies on.
    for (lines, colour) in edges.into_iter().rev() {
        for line in lines {
            draw_line(plot, line, colour, stroke)?;
        }
    }
    Ok(())
}

fn draw_lines<'a, B: DrawingBackend>(
    plot: &Plot<B>,
    series: impl DoubleEndedIterator<Item = (&'a Series, Vec<Option<f64>>)>,
    lines: impl Fn(&[Option<f64>]) -> Vec<Line>,
    palette: &Palette,
    stroke: u32,
) -> Outcome<B> {
    // The first of a legend is drawn last: it is the one that nothing may cover.
    for (series, values) in series.rev() {
        for line in lines(&values) {
            draw_line(plot, line, palette.of(series.colour), stroke)?;
        }
    }
    Ok(())
}

/// Where there are more seconds than lines beside each other, the seconds that share a column.
#[derive(Clone, Copy, Debug)]
struct PixelColumns {
    seconds: u64,
    /// The last of all, in seconds. A column begins where its number of seconds divides the time: as time goes on, the same
    /// seconds share a column, and no peak flickers.
    last: u64,
}

impl PixelColumns {
    fn new(slice: WindowSlice, window: &Window, columns: usize) -> Self {
        let last = slice.last(window).unwrap_or_default() / INTERVAL_MS;
        Self { seconds: slice.seconds.div_ceil(columns.max(1)) as u64, last }
    }

    /// Hands over, of each column's points, the least and the largest, in their order. A line through them covers the
    /// pixels that a line through all of them would. The first point's second is `first`.
    fn thin(self, first: f64, run: &[Option<f64>], mut take: impl FnMut((f64, f64))) {
        // Two of two points are no fewer.
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

/// The unbroken runs of values that end at the right edge, each with the second that it begins at.
fn runs(values: &[Option<f64>]) -> impl Iterator<Item = (f64, &[Option<f64>])> {
    let mut second = 1.0 - values.len() as f64;
    values.chunk_by(|one, other| one.is_some() == other.is_some()).filter_map(move |run| {
        let begin = second;
        second += run.len() as f64;
        run[0].is_some().then_some((begin, run))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A pixel for each second and for each unit, as far as a hundred seconds back and a hundred units up.
    const GRID: Grid = Grid { right: 100.0, bottom: 100.0, second: 1.0, unit: 1.0 };
    const EACH: PixelColumns = PixelColumns { seconds: 1, last: 1000 };

    /// The points of each run's line, as seconds and values.
    fn lines(values: &[Option<f64>], columns: PixelColumns) -> Vec<Line> {
        let back = |(x, y): (i32, i32)| (x - 100, 100 - y);
        runs(values).map(|(second, run)| GRID.line(second, run, columns).into_iter().map(back).collect()).collect()
    }

    #[test]
    fn runs_end_at_gaps() {
        let values = [None, Some(1.0), Some(2.0), None, None, Some(3.0), Some(4.0), Some(5.0)];
        assert_eq!(lines(&values, EACH), [vec![(-6, 1), (-5, 2)], vec![(-2, 3), (-1, 4), (0, 5)]]);
    }

    #[test]
    fn a_line_has_no_points_that_change_nothing() {
        let grid = Grid::new(100, 11, 6, 10.0);
        let line = grid.line(-5.0, &[4.0, 4.0, 4.1, 4.0, 10.0, 0.0].map(Some), EACH);
        assert_eq!(line, [(0, 6), (60, 6), (80, 0), (100, 10)]);
    }

    #[test]
    fn a_lone_second_is_as_wide_as_a_second() {
        let grid = Grid { second: 4.0, ..GRID };
        assert_eq!(grid.line(-2.0, &[Some(7.0)], EACH), [(90, 93), (94, 93)]);
        assert_eq!(grid.line(0.0, &[Some(7.0)], EACH), [(98, 93), (100, 93)]);
        assert_eq!(grid.line(-5.0, &[Some(7.0)], PixelColumns { seconds: 3, last: 1000 }), [(74, 93), (86, 93)]);
        let narrow = Grid { second: 0.1, ..GRID };
        assert_eq!(narrow.line(-10.0, &[Some(7.0)], EACH), [(98, 93), (100, 93)]);
        assert!(lines(&[None], EACH).is_empty() && lines(&[], EACH).is_empty());
    }

    #[test]
    fn the_same_seconds_share_a_column_whenever_it_is_drawn() {
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
        fn no_peak_is_lost(values in prop::collection::vec(0..100i32, 1..300), seconds in 1u64..20, last in 300u64..900) {
            let run: Vec<_> = values.iter().map(|value| Some(f64::from(*value))).collect();
            let line = lines(&run, PixelColumns { seconds, last }).remove(0);
            let ends = |values: &[i32]| (values.iter().min().copied(), values.iter().max().copied());
            prop_assert_eq!(ends(&line.iter().map(|(_, y)| *y).collect::<Vec<_>>()), ends(&values));
            prop_assert!(line.is_sorted_by(|one, other| one.0 < other.0), "{:?}", line);
        }
    }
}
