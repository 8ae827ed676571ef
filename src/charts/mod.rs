//! Charts of a window: which series each one shows, on which scale, in which colours, and how it is drawn on a plotters
//! backend. No I/O and no DOM: the server draws SVG and the browser a canvas with the same code.

mod chart;
mod draw;
mod heatmap;
#[cfg(feature = "ssr")]
mod image;
mod palette;
#[cfg(feature = "ssr")]
mod png;
mod polyline;
mod scale;
#[cfg(feature = "ssr")]
mod svg;
#[cfg(feature = "ssr")]
mod svg_backend;
mod trend;

pub use chart::{CHARTS, Chart, Expression, Hidden, Layout, Series, is_plotted};
pub use draw::{Viewport, draw};
pub use heatmap::heatmap;
#[cfg(feature = "ssr")]
pub use image::{ImageTheme, svg_image};
pub use palette::{Colour, Palette};
#[cfg(feature = "ssr")]
pub use png::{PngError, png};
pub use scale::{DIVISIONS, Scale, stable_top};
#[cfg(feature = "ssr")]
pub use svg::{chart_svg, heatmap_svg};
pub use trend::{TREND_S, trend};

/// The paths of all series that charts show, with `*` for the number of a core.
#[cfg(test)]
pub(crate) fn series_paths() -> impl Iterator<Item = String> {
    let paths = CHARTS.iter().flat_map(|chart| {
        let values = chart.series.iter().map(|series| series.value).chain([chart.headline]);
        let total = if let Scale::Total(path) = chart.scale { Some(path) } else { None };
        values.flat_map(Expression::paths).chain(total)
    });
    paths.map(str::to_owned).chain([heatmap::core_path("*")])
}

/// Where a chart is drawn, in pixels.
type PlotArea<B> = plotters::drawing::DrawingArea<B, plotters::coord::Shift>;
/// The result of drawing on a backend whose error is `E`.
type DrawResult<E> = Result<(), plotters::drawing::DrawingAreaErrorKind<E>>;
