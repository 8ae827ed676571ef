//! Draws a chart: gaps, annotations, stacked areas and lines. Axis labels and grid lines are HTML.
//!
//! A second without any sample is marked as a gap by [`draw_spans`]: a rectangle in the muted colour over the whole
//! height, on the canvas as in SVG. Every line and area ends before it and starts again after it.

use super::{
    Chart, Colour, DrawResult, Hidden, Layout, Palette, PlotArea, Series, Span,
    polyline::{Axes, PixelColumns, Polyline, runs},
};
use crate::schema::{Window, WindowSlice};
use plotters::{
    prelude::*,
    style::{RGBAColor, RGBColor},
};

/// The visible part of a chart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Viewport<'a> {
    /// The visible seconds; the last one is at the right edge.
    pub slice: WindowSlice,
    /// The value at the upper edge.
    pub top: f64,
    /// The hidden series.
    pub hidden: Hidden,
    /// The gaps and annotations, also of other seconds.
    pub spans: &'a [Span],
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

    draw_spans(area, window, viewport, axes, palette)?;
    let is_timeline = chart.layout == Layout::Timeline;
    for limit in chart.limits.iter().filter(|limit| !is_timeline && limit.value <= top) {
        let y = axes.y(limit.value);
        draw_line(area, vec![(0, y), (width as i32, y)], palette.of(limit.colour), 1)?;
    }
    let lines = |values: &[Option<f64>]| {
        runs(values, |one, other| one.is_some() == other.is_some())
            .map(|(x, run)| axes.polyline(x, run, columns))
            .collect()
    };
    let series = chart.shown(hidden).map(|series| (series, series.value.values(window, slice)));
    match chart.layout {
        Layout::Stacked => draw_stack(area, series, lines, palette, stroke),
        Layout::Lines => draw_lines(area, series, lines, palette, stroke),
        Layout::Timeline => draw_bars(area, chart, series.collect(), axes, palette),
    }
}

/// Draws the part of each span that is in view: shaded, and an annotation with a line where it begins.
fn draw_spans<B: DrawingBackend>(
    area: &PlotArea<B>,
    window: &Window,
    Viewport { slice, spans, .. }: &Viewport<'_>,
    axes: Axes,
    palette: &Palette,
) -> DrawResult<B::ErrorType> {
    let Some(last) = slice.last(window) else { return Ok(()) };
    let second = |t: u64| (t as f64 - last as f64) / window.step_ms() as f64;
    let oldest = 1.0 - slice.seconds as f64;
    for span in *spans {
        let (first, colour) = (second(span.first), palette.of(span.colour));
        let (left, right) = ((first - 0.5).max(oldest), (second(span.last) + 0.5).min(0.0));
        if left < right {
            let (left, right) = (axes.x(left), axes.x(right));
            fill(area, (left, 0), (right, axes.y(0.0)), colour.mix(0.13))?;
            if !span.is_gap() {
                // At the edge of the view for one that began before.
                let line = axes.x(first).max(left);
                fill(area, (line, 0), (line + 1, axes.y(0.0)), colour.mix(1.0))?;
            }
        }
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

/// Draws each series as a bar, the first on top.
fn draw_bars<B: DrawingBackend>(
    area: &PlotArea<B>,
    chart: &Chart,
    series: Vec<(&Series, Vec<Option<f64>>)>,
    axes: Axes,
    palette: &Palette,
) -> DrawResult<B::ErrorType> {
    let row = area.dim_in_pixel().1 as i32 / series.len().max(1) as i32;
    for (index, (_, values)) in series.into_iter().enumerate() {
        let top = row * index as i32;
        for (second, run) in runs(&values, |one, other| one == other) {
            let (left, right) = (axes.x(second - 0.5).max(0), axes.x(second + run.len() as f64 - 0.5).min(axes.x(0.0)));
            let value = run[0].unwrap_or_default();
            let limit = chart.limits.iter().rev().find(|limit| limit.value <= value);
            // Grey for 0.
            let state = Colour::ALL[(value.min(99.0) as usize + Colour::Grey as usize) % Colour::Mute as usize];
            let colour = palette.of(limit.map_or(state, |limit| limit.colour));
            // Many changes may fall on one pixel.
            if left < right {
                fill(area, (left, top + row / 8), (right, top + row - row / 8), colour.mix(1.0))?;
            }
        }
    }
    Ok(())
}

/// A rectangle without an outline, from its upper left to its lower right corner.
fn fill<B: DrawingBackend>(
    area: &PlotArea<B>,
    upper_left: (i32, i32),
    lower_right: (i32, i32),
    colour: RGBAColor,
) -> DrawResult<B::ErrorType> {
    area.draw(&Rectangle::new([upper_left, lower_right], colour.filled()))
}

pub(super) fn draw_line<B: DrawingBackend>(
    area: &PlotArea<B>,
    line: Polyline,
    colour: impl Color,
    stroke: u32,
) -> DrawResult<B::ErrorType> {
    area.draw(&PathElement::new(line, colour.stroke_width(stroke)))
}
