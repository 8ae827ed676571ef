//! A chart's drawing: grid, gaps, areas and lines. Text is the page's.

use super::{Chart, Colour, DIVISIONS, Hidden, Layout, Palette, Series};
use crate::metrics::{INTERVAL_MS, Slice, Window};
use plotters::{coord::Shift, prelude::*, style::RGBColor};

type Plot<B> = DrawingArea<B, Shift>;
type Outcome<B> = Result<(), DrawingAreaErrorKind<<B as DrawingBackend>::ErrorType>>;

/// What is seen of a chart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Viewport<'a> {
    /// Its seconds, of which the last is the right edge.
    pub slice: Slice,
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
    let Viewport { slice, top, .. } = *viewport;
    let (width, height) = plot.dim_in_pixel();
    let grid = Grid { width, height, seconds: slice.seconds, top };
    // A line hides what is narrower than itself.
    let columns = Columns::new(slice, window, (width / stroke.max(1)) as usize);

    for division in 1..DIVISIONS {
        let y = grid.y(top * f64::from(division) / f64::from(DIVISIONS));
        draw_line(plot, vec![(0, y), (width as i32, y)], palette.of(Colour::Line), stroke.div_ceil(2))?;
    }
    draw_gaps(plot, window, viewport, grid, palette)?;
    let lines = |values: &[Option<f64>]| runs(values, columns).map(|run| grid.line(run)).collect();
    let series = chart.shown(viewport.hidden).map(|series| (series, series.value.over(window, slice)));
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

/// Where seconds and values are. plotters' own coordinates would work that out anew for each area that a line parts, and
/// weigh more than this.
#[derive(Clone, Copy)]
struct Grid {
    width: u32,
    height: u32,
    seconds: usize,
    top: f64,
}

impl Grid {
    /// `second` is 0 for the last, and negative before that.
    fn x(self, second: f64) -> i32 {
        (f64::from(self.width) * (1.0 + second / (self.seconds.max(2) - 1) as f64)).round() as i32
    }

    fn y(self, value: f64) -> i32 {
        ((f64::from(self.height) - 1.0) * (1.0 - value / self.top)).round() as i32
    }

    fn line(self, points: Vec<(f64, f64)>) -> Line {
        let mut line = Line::with_capacity(points.len());
        points.into_iter().for_each(|(second, value)| extend(&mut line, (self.x(second), self.y(value))));
        line
    }
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
    let (mut edges, mut lower, mut backwards) = (Vec::new(), lines(&top, true), false);
    for (series, values) in series {
        if values.iter().all(|value| value.unwrap_or(0.0) == 0.0) {
            continue;
        }
        // A part that is unknown for a second adds nothing to those that are known.
        for (top, value) in top.iter_mut().zip(values) {
            *top = top.map(|top| top + value.unwrap_or(0.0));
        }
        let upper = lines(&top, backwards);
        let colour = palette.of(series.colour);
        for (lower, upper) in lower.iter().zip(&upper) {
            plot.draw(&Polygon::new([&upper[..], &lower[..]].concat(), colour.mix(0.22)))?;
        }
        edges.extend(upper.iter().map(|line| (line.clone(), colour)));
        (lower, backwards) = (upper, !backwards);
    }
    // Bottom up last: the edge of a part that is nothing must not cover the one that it lies on.
    for (edge, colour) in edges.into_iter().rev() {
        draw_line(plot, edge, colour, stroke)?;
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
struct Columns {
    seconds: u64,
    /// The last of all, in seconds. A column begins where its number of seconds divides the time: as time goes on, the same
    /// seconds share a column, and no peak flickers.
    last: u64,
}

impl Columns {
    fn new(slice: Slice, window: &Window, columns: usize) -> Self {
        let last = slice.last(window).unwrap_or_default() / INTERVAL_MS;
        Self { seconds: slice.seconds.div_ceil(columns.max(1)) as u64, last }
    }

    /// Of each column's points, the least and the largest, in their order. A line through them covers the pixels that a
    /// line through all of them would.
    fn thin(self, points: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
        // Two of two points are no fewer.
        if self.seconds <= 2 {
            return points;
        }
        let column = |(x, _): &(f64, f64)| (self.last as f64 + x) as u64 / self.seconds;
        let mut thinned = Vec::new();
        for column in points.chunk_by(|one, other| column(one) == column(other)) {
            let mut ends = [column[0], column[0]];
            for point in column {
                if point.1 < ends[0].1 {
                    ends[0] = *point;
                } else if point.1 > ends[1].1 {
                    ends[1] = *point;
                }
            }
            if ends[0].0 > ends[1].0 {
                ends.reverse();
            }
            let [first, second] = ends;
            thinned.push(first);
            if first != second {
                thinned.push(second);
            }
        }
        thinned
    }
}

/// The unbroken runs of values that end at the right edge, as points. A run of one point is drawn as wide as its column,
/// since a line of one point is invisible.
fn runs(values: &[Option<f64>], columns: Columns) -> impl Iterator<Item = Vec<(f64, f64)>> {
    let x = |slot: usize| 1.0 + slot as f64 - values.len() as f64;
    let mut slot = 0;
    std::iter::from_fn(move || {
        slot += values[slot..].iter().position(Option::is_some)?;
        let run = values[slot..].iter().map_while(|value| *value);
        let mut points: Vec<_> = run.enumerate().map(|(i, value)| (x(slot + i), value)).collect();
        slot += points.len();
        points = columns.thin(points);
        if let [(x, value)] = points[..] {
            let half = columns.seconds as f64 / 2.0;
            points = vec![(x - half, value), ((x + half).min(0.0), value)];
        }
        Some(points)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const EACH: Columns = Columns { seconds: 1, last: 0 };

    #[test]
    fn runs_end_at_gaps() {
        let values = [None, Some(1.0), Some(2.0), None, None, Some(3.0), Some(4.0), Some(5.0)];
        let runs: Vec<_> = runs(&values, EACH).collect();
        assert_eq!(runs, [vec![(-6.0, 1.0), (-5.0, 2.0)], vec![(-2.0, 3.0), (-1.0, 4.0), (0.0, 5.0)]]);
    }

    #[test]
    fn a_line_has_no_points_that_change_nothing() {
        let grid = Grid { width: 100, height: 11, seconds: 6, top: 10.0 };
        let values = [4.0, 4.0, 4.1, 4.0, 10.0, 0.0];
        let line = grid.line((-5..=0).map(f64::from).zip(values).collect());
        assert_eq!(line, [(0, 6), (60, 6), (80, 0), (100, 10)]);
    }

    #[test]
    fn a_lone_second_is_as_wide_as_a_second() {
        assert_eq!(runs(&[Some(7.0), None, None], EACH).collect::<Vec<_>>(), [vec![(-2.5, 7.0), (-1.5, 7.0)]]);
        assert_eq!(runs(&[Some(7.0)], EACH).collect::<Vec<_>>(), [vec![(-0.5, 7.0), (0.0, 7.0)]]);
        let wide = Columns { seconds: 6, last: 100 };
        assert_eq!(runs(&[Some(7.0), None, None, None], wide).collect::<Vec<_>>(), [vec![(-6.0, 7.0), (0.0, 7.0)]]);
        assert_eq!(runs(&[None], EACH).count(), 0);
        assert_eq!(runs(&[], EACH).count(), 0);
    }

    #[test]
    fn the_same_seconds_share_a_column_whenever_it_is_drawn() {
        let value = |second: u64| Some((second * 7919 % 101) as f64);
        let drawn = |last: u64| {
            let values: Vec<_> = (last - 599..=last).map(value).collect();
            let run = runs(&values, Columns { seconds: 6, last }).next().unwrap();
            run.into_iter().map(|(x, y)| ((last as f64 + x) as u64, y)).collect::<Vec<_>>()
        };
        let (one, next) = (drawn(10_000), drawn(10_001));
        let inner = |points: &[(u64, f64)]| {
            points.iter().filter(|(t, _)| (9_500..9_990).contains(t)).copied().collect::<Vec<_>>()
        };
        assert_eq!(inner(&one), inner(&next));
        assert!(one.len() <= 2 * 101, "{} points for a hundred columns", one.len());
    }

    proptest! {
        #[test]
        fn no_peak_is_lost(values in prop::collection::vec(0.0..100.0f64, 1..300), seconds in 1u64..20, last in 300u64..900) {
            let values: Vec<_> = values.into_iter().map(Some).collect();
            let columns = Columns { seconds, last };
            let points: Vec<_> = runs(&values, columns).flatten().collect();
            let ends = |values: &mut dyn Iterator<Item = f64>| {
                values.fold((f64::MAX, f64::MIN), |(least, largest), value| (least.min(value), largest.max(value)))
            };
            prop_assert_eq!(ends(&mut points.iter().map(|(_, y)| *y)), ends(&mut values.iter().copied().flatten()));
            prop_assert!(points.is_sorted_by(|one, other| one.0 < other.0));
        }
    }
}
