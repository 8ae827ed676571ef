//! A chart's drawing: grid, gaps, areas and lines. Text is the page's.

use super::{Chart, Colour, DIVISIONS, Layout, Palette, Series};
use crate::metrics::Window;
use plotters::{
    coord::{Shift, types::RangedCoordf64},
    prelude::*,
    style::RGBColor,
};

type Plot<B> = DrawingArea<B, Cartesian2d<RangedCoordf64, RangedCoordf64>>;
type Outcome<B> = Result<(), DrawingAreaErrorKind<<B as DrawingBackend>::ErrorType>>;

/// Draws the newest `span` seconds of `window` over the whole of `area`; the newest second is its right edge. Lines are
/// `stroke` pixels wide, so that they look the same at any density of pixels.
///
/// # Errors
/// What the backend reports.
pub fn draw<B: DrawingBackend>(
    area: &DrawingArea<B, Shift>,
    chart: &Chart,
    window: &Window,
    span: usize,
    palette: &Palette,
    stroke: u32,
) -> Outcome<B> {
    let top = chart.scale.top(chart, window, span);
    let oldest = 1.0 - span as f64;
    let (across, down) = area.get_pixel_range();
    // Not with a chart builder, which would bring room for labels and legends, of which there are none.
    let pixels = (across, down.end - 1..down.start);
    let plot = area.apply_coord_spec(Cartesian2d::new(oldest..0.0, 0.0..top, pixels));

    for division in 1..DIVISIONS {
        let y = top * f64::from(division) / f64::from(DIVISIONS);
        draw_line(&plot, vec![(oldest, y), (0.0, y)], palette.of(Colour::Line), stroke.div_ceil(2))?;
    }
    draw_gaps(&plot, window, span, top, palette)?;
    match chart.layout {
        Layout::Stacked => draw_stack(&plot, chart, window, span, palette, stroke),
        Layout::Lines => draw_lines(&plot, chart, window, span, palette, stroke),
    }
}

fn draw_line<B: DrawingBackend>(plot: &Plot<B>, points: Vec<(f64, f64)>, colour: RGBColor, stroke: u32) -> Outcome<B> {
    plot.draw(&PathElement::new(points, colour.stroke_width(stroke)))
}

fn draw_gaps<B: DrawingBackend>(
    plot: &Plot<B>,
    window: &Window,
    span: usize,
    top: f64,
    palette: &Palette,
) -> Outcome<B> {
    let Some(end) = window.end() else { return Ok(()) };
    let x = |t: u64| -((end - t) as f64) / 1000.0;
    let shade = palette.of(Colour::Mute).mix(0.13).filled();
    for (first, last) in window.gaps(span) {
        let left = (x(first) - 0.5).max(1.0 - span as f64);
        plot.draw(&Rectangle::new([(left, 0.0), ((x(last) + 0.5).min(0.0), top)], shade))?;
    }
    Ok(())
}

/// Each series as an area on the one below it.
fn draw_stack<B: DrawingBackend>(
    plot: &Plot<B>,
    chart: &Chart,
    window: &Window,
    span: usize,
    palette: &Palette,
    stroke: u32,
) -> Outcome<B> {
    let ground = |age: usize| chart.series.iter().any(|s| s.value.at(window, age).is_some()).then_some(0.0);
    let mut base: Vec<Option<f64>> = ages(window, span).map(ground).collect();
    let (mut edges, mut backwards) = (Vec::new(), false);
    for series in chart.series {
        let values: Vec<_> = ages(window, span).map(|age| series.value.at(window, age)).collect();
        if values.iter().all(|value| value.unwrap_or(0.0) == 0.0) {
            continue;
        }
        // A part that is unknown for a second adds nothing to those that are known.
        let tops: Vec<_> = base.iter().zip(values).map(|(base, value)| Some((*base)? + value.unwrap_or(0.0))).collect();
        let colour = palette.of(series.colour);
        for (mut lower, mut upper) in runs(&base).zip(runs(&tops)) {
            // Every other line runs backwards wherever it stands, so that as text it is the same in both areas that it
            // parts: compressed, it weighs nothing the second time.
            if backwards { &mut upper } else { &mut lower }.reverse();
            let outline = [&upper[..], &lower[..]].concat();
            plot.draw(&Polygon::new(outline, colour.mix(0.22)))?;
            edges.push((upper, colour));
        }
        backwards = !backwards;
        base = tops;
    }
    // Bottom up last: the edge of a part that is nothing must not cover the one that it lies on.
    for (edge, colour) in edges.into_iter().rev() {
        draw_line(plot, edge, colour, stroke)?;
    }
    Ok(())
}

fn draw_lines<B: DrawingBackend>(
    plot: &Plot<B>,
    chart: &Chart,
    window: &Window,
    span: usize,
    palette: &Palette,
    stroke: u32,
) -> Outcome<B> {
    // The first of a legend is drawn last: it is the one that nothing may cover.
    for Series { colour, value, .. } in chart.series.iter().rev() {
        let values: Vec<_> = ages(window, span).map(|age| value.at(window, age)).collect();
        for run in runs(&values) {
            draw_line(plot, run, palette.of(*colour), stroke)?;
        }
    }
    Ok(())
}

/// Ages of the newest `span` seconds, oldest first.
fn ages(window: &Window, span: usize) -> impl Iterator<Item = usize> {
    (0..span.min(window.len())).rev()
}

/// The unbroken runs of values that end at age 0, as points. A run of one second is drawn as wide as a second, since a
/// line of one point is invisible.
fn runs(values: &[Option<f64>]) -> impl Iterator<Item = Vec<(f64, f64)>> {
    let x = |slot: usize| 1.0 + slot as f64 - values.len() as f64;
    let mut slot = 0;
    std::iter::from_fn(move || {
        slot += values[slot..].iter().position(Option::is_some)?;
        let run = values[slot..].iter().map_while(|value| *value);
        let mut points: Vec<_> = run.enumerate().map(|(i, value)| (x(slot + i), value)).collect();
        slot += points.len();
        if let [(x, value)] = points[..] {
            points = vec![(x - 0.5, value), ((x + 0.5).min(0.0), value)];
        }
        Some(points)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_end_at_gaps() {
        let values = [None, Some(1.0), Some(2.0), None, None, Some(3.0), Some(4.0), Some(5.0)];
        let runs: Vec<_> = runs(&values).collect();
        assert_eq!(runs, [vec![(-6.0, 1.0), (-5.0, 2.0)], vec![(-2.0, 3.0), (-1.0, 4.0), (0.0, 5.0)]]);
    }

    #[test]
    fn a_lone_second_is_as_wide_as_a_second() {
        assert_eq!(runs(&[Some(7.0), None, None]).collect::<Vec<_>>(), [vec![(-2.5, 7.0), (-1.5, 7.0)]]);
        assert_eq!(runs(&[Some(7.0)]).collect::<Vec<_>>(), [vec![(-0.5, 7.0), (0.0, 7.0)]]);
        assert_eq!(runs(&[None]).count(), 0);
        assert_eq!(runs(&[]).count(), 0);
    }
}
