//! What a chart of the history shows beside the mean of each step: its smallest and largest value, and an earlier time.

use super::{
    Chart, Colour, DrawResult, Expression, Hidden, Layout, Palette, PlotArea,
    draw::draw_line,
    polyline::{Axes, PixelColumns, runs},
};
use crate::schema::{Window, WindowSlice};
use plotters::prelude::*;

/// Opacity of the band between the smallest and the largest values.
const BAND: f64 = 0.28;
/// Opacity of the line of an earlier time.
const EARLIER: f64 = 0.8;

/// The values of a range of the history that are not its means. Its windows have the same slots.
#[derive(Clone, Debug)]
pub struct Band {
    /// The smallest value of each step.
    pub min: Window,
    /// The largest value of each step.
    pub max: Window,
    /// The means of the range that it is compared with.
    pub earlier: Option<Window>,
}

impl Band {
    /// The value at the upper edge of `chart`, so that it covers the band of the newest `steps` too.
    pub fn top(&self, chart: &Chart, steps: usize) -> f64 {
        let top = |window| chart.scale.top(chart, window, WindowSlice::newest(steps), Hidden::default());
        self.earlier.as_ref().map_or(0.0, top).max(top(&self.max))
    }

    /// Draws the band of each line, or that of the main value of a stack, and the main value of the earlier time.
    pub(super) fn draw<B: DrawingBackend>(
        &self,
        area: &PlotArea<B>,
        chart: &Chart,
        slice: WindowSlice,
        top: f64,
        palette: &Palette,
    ) -> DrawResult<B::ErrorType> {
        let (width, height) = area.dim_in_pixel();
        let axes = Axes::new(width, height, slice.seconds, top);
        let columns = PixelColumns::new(slice, &self.max, width as usize);
        let lines = |values: &[Option<f64>]| {
            let lines = runs(values, |one, other| one.is_some() == other.is_some());
            lines.map(|(step, run)| axes.polyline(step, run, columns)).collect::<Vec<_>>()
        };
        for (value, colour) in banded(chart) {
            let (low, high) = self.bounds(value, slice);
            if low == high {
                continue;
            }
            for (mut low, high) in lines(&low).into_iter().zip(lines(&high)) {
                low.reverse();
                area.draw(&Polygon::new([high, low].concat(), palette.of(colour).mix(BAND)))?;
            }
        }
        if let Some(earlier) = self.earlier.as_ref().filter(|_| chart.layout != Layout::Timeline) {
            for line in lines(&chart.headline.values(earlier, slice)) {
                draw_line(area, line, palette.of(Colour::Grey).mix(EARLIER), 1)?;
            }
        }
        Ok(())
    }

    /// The smallest and the largest value of each step. A difference is smallest where what it takes away is largest.
    fn bounds(&self, value: &Expression, slice: WindowSlice) -> (Vec<Option<f64>>, Vec<Option<f64>>) {
        let pairs = value.values(&self.min, slice).into_iter().zip(value.values(&self.max, slice));
        let sorted = pairs.map(|(one, other)| match (one, other) {
            (Some(one), Some(other)) => (Some(one.min(other)), Some(one.max(other))),
            either => either,
        });
        sorted.unzip()
    }
}

/// The values that have a band, and its colour.
fn banded(chart: &Chart) -> Vec<(&Expression, Colour)> {
    match chart.layout {
        Layout::Lines => chart.series.iter().rev().map(|series| (&series.value, series.colour)).collect(),
        Layout::Stacked => chart.series.first().map(|series| (&chart.headline, series.colour)).into_iter().collect(),
        Layout::Timeline => Vec::new(),
    }
}
