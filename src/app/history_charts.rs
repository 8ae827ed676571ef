//! The charts of a page of the history. The page's other values are those of one moment.

use crate::{
    charts::{Band, Chart, Plot, Span, chart_svg, heatmap_svg},
    schema::{Annotation, Window, WindowSlice},
};
use std::sync::Arc;

/// What the charts show, as a context of the page's views. Clones share it.
#[derive(Clone, Debug)]
pub struct HistoryCharts(pub Arc<ChartedRange>);

/// A range of the history.
#[derive(Clone, Debug)]
pub struct ChartedRange {
    /// The means, or of states the last values, of every step.
    pub mean: Window,
    /// What the means don't show.
    pub band: Band,
    /// What happened, oldest first.
    pub annotations: Vec<Annotation>,
}

impl HistoryCharts {
    /// A chart for the page.
    pub(super) fn svg(&self, chart: &Chart) -> String {
        chart_svg(chart, self.0.plot())
    }

    /// The value at the upper edge of a chart.
    pub(super) fn top(&self, chart: &Chart) -> f64 {
        self.0.band.top(chart, self.0.mean.len())
    }

    /// Whether there is a chart of any series whose path starts with `prefix`.
    pub(super) fn has(&self, prefix: &str) -> bool {
        self.0.mean.has(prefix)
    }

    /// The usage of each core.
    pub(super) fn heatmap(&self, cores: usize) -> String {
        heatmap_svg(cores, &self.0.mean, self.0.mean.len())
    }

    /// The annotations, newest first, and the gaps.
    pub(super) fn spans(&self) -> Vec<Span> {
        let ChartedRange { mean, annotations, .. } = &*self.0;
        Span::list(mean, WindowSlice::newest(mean.len()), annotations)
    }
}

impl ChartedRange {
    /// What a chart of the range is drawn of.
    pub fn plot(&self) -> Plot<'_> {
        let Self { mean, band, annotations } = self;
        Plot { window: mean, seconds: mean.len(), annotations, band: Some(band) }
    }
}
