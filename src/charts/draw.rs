//! Draws a chart: gaps, stacked areas and lines. Axis labels and grid lines are HTML.
//!
//! A second without any sample is marked as a gap by [`draw_gaps`]: a rectangle in the muted colour over the whole
//! height, on the canvas as in SVG. Every line and area ends before it and starts again after it.

use super::{
    Chart, Colour, DrawResult, Hidden, Layout, Palette, PlotArea, Series,
    polyline::{Axes, PixelColumns, Polyline, runs},
};
use crate::schema::{INTERVAL_MS, Window, WindowSlice};
use plotters::{prelude::*, style::RGBColor};

/// The visible part of a chart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Viewport<'a> {
    /// The visible seconds; the last one is at the right edge.
    pub slice: WindowSlice,
    /// The value at the upper edge.
    pub top: f64,
    /// The hidden series.
    pub hidden: Hidden,
    /// First and last tick of each gap, unix ms.
    pub gaps: &'a [(u64, u64)],
}

/// Draws the visible part of `chart` over the whole of `area`, with lines `stroke` pixels wide, which the caller scales
/// with the screen's pixel density.
///
/// # Errors
/// Those of the backend.
pub fn draw<B: DrawingBackend>(
    area: &PlotArea<B>,
    chart: &Chart,
    window: &Window,
    viewport: &Viewport<'_>,
    palette: &Palette,
    stroke: u32,
) -> DrawResult<B::ErrorType> {
    let Viewport { slice, top, hidden, .. } = *viewport;
    let (width, height) = area.dim_in_pixel();
    let axes = Axes::new(width, height, slice.seconds, top);
    // Details narrower than a line would be hidden by it.
    let columns = PixelColumns::new(slice, window, (width / stroke.max(1)) as usize);

    draw_gaps(area, window, viewport, axes, palette)?;
    for limit in chart.limits.iter().filter(|limit| limit.value <= top) {
        let y = axes.y(limit.value);
        draw_line(area, vec![(0, y), (width as i32, y)], palette.of(limit.colour), 1)?;
    }
    let lines = |values: &[Option<f64>]| runs(values).map(|(x, run)| axes.polyline(x, run, columns)).collect();
    let series = chart.shown(hidden).map(|series| (series, series.value.values(window, slice)));
    match chart.layout {
        Layout::Stacked => draw_stack(area, series, lines, palette, stroke),
        Layout::Lines => draw_lines(area, series, lines, palette, stroke),
    }
}

fn draw_gaps<B: DrawingBackend>(
    area: &PlotArea<B>,
    window: &Window,
    Viewport { slice, gaps, .. }: &Viewport<'_>,
    axes: Axes,
    palette: &Palette,
) -> DrawResult<B::ErrorType> {
    let Some(last) = slice.last(window) else { return Ok(()) };
    let second = |t: u64| -(last.saturating_sub(t) as f64) / INTERVAL_MS as f64;
    let shade = palette.of(Colour::Mute).mix(0.13).filled();
    for (first, last) in *gaps {
        let left = (second(*first) - 0.5).max(1.0 - slice.seconds as f64);
        let right = (second(*last) + 0.5).min(0.0);
        area.draw(&Rectangle::new([(axes.x(left), 0), (axes.x(right), axes.y(0.0))], shade))?;
    }
    Ok(())
}

/// Draws each series as an area on top of the previous one.
fn draw_stack<'a, B: DrawingBackend>(
    area: &PlotArea<B>,
    series: impl Iterator<Item = (&'a Series, Vec<Option<f64>>)>,
    lines: impl Fn(&[Option<f64>]) -> Vec<Polyline>,
    palette: &Palette,
    stroke: u32,
) -> DrawResult<B::ErrorType> {
    let series: Vec<_> = series.collect();
    let baseline = |slot: usize| series.iter().any(|(_, values)| values[slot].is_some()).then_some(0.0);
    let mut top: Vec<Option<f64>> = (0..series.first().map_or(0, |(_, values)| values.len())).map(baseline).collect();
    // Every other line runs backwards. The edge between two areas is then the same text in both, and the second one
    // compresses to almost nothing.
    let lines = |top: &[Option<f64>], backwards: bool| {
        let mut lines = lines(top);
        lines.iter_mut().filter(|_| backwards).for_each(|line| line.reverse());
        lines
    };
    let baseline = lines(&top, true);
    let mut edges: Vec<(Vec<Polyline>, RGBColor)> = Vec::new();
    for (series, values) in series {
        if values.iter().all(|value| value.unwrap_or(0.0) == 0.0) {
            continue;
        }
        // A missing value counts as zero if other series have one.
        for (top, value) in top.iter_mut().zip(values) {
            *top = top.map(|top| top + value.unwrap_or(0.0));
        }
        let upper = lines(&top, edges.len() % 2 == 1);
        let lower = edges.last().map_or(&baseline, |(lower, _)| lower);
        let colour = palette.of(series.colour);
        for (lower, upper) in lower.iter().zip(&upper) {
            area.draw(&Polygon::new([&upper[..], &lower[..]].concat(), colour.mix(0.22)))?;
        }
        edges.push((upper, colour));
    }
    // Lower edges are drawn last, so that the edge of a zero series does not cover the one below it.
    for (lines, colour) in edges.into_iter().rev() {
        for line in lines {
            draw_line(area, line, colour, stroke)?;
        }
    }
    Ok(())
}

fn draw_lines<'a, B: DrawingBackend>(
    area: &PlotArea<B>,
    series: impl DoubleEndedIterator<Item = (&'a Series, Vec<Option<f64>>)>,
    lines: impl Fn(&[Option<f64>]) -> Vec<Polyline>,
    palette: &Palette,
    stroke: u32,
) -> DrawResult<B::ErrorType> {
    // The first series is the most important and is drawn on top.
    for (series, values) in series.rev() {
        for line in lines(&values) {
            draw_line(area, line, palette.of(series.colour), stroke)?;
        }
    }
    Ok(())
}

fn draw_line<B: DrawingBackend>(
    area: &PlotArea<B>,
    line: Polyline,
    colour: RGBColor,
    stroke: u32,
) -> DrawResult<B::ErrorType> {
    area.draw(&PathElement::new(line, colour.stroke_width(stroke)))
}
