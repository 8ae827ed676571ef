//! Charts of a window: which series each one shows, on which scale, in which colours, and how it is drawn on a plotters
//! backend. No I/O and no DOM: the server draws SVG and the browser a canvas with the same code.

#[cfg(feature = "ssr")]
mod band;
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
mod span;
#[cfg(feature = "ssr")]
mod svg;
#[cfg(feature = "ssr")]
mod svg_backend;
mod trend;

#[cfg(feature = "ssr")]
pub use band::Band;
pub use chart::{Chart, Expression, Hidden, Layout, Limit, Series};
pub use draw::{Viewport, draw};
pub use heatmap::{core_path, heatmap};
#[cfg(feature = "ssr")]
pub use image::{ImageTheme, Labels, svg_image};
pub use palette::{Colour, Palette};
#[cfg(feature = "ssr")]
pub use png::{PngError, png};
pub use scale::{DIVISIONS, Scale, stable_top};
pub use span::Span;
#[cfg(feature = "ssr")]
pub use svg::{Plot, chart_svg, heatmap_svg};
pub use trend::{TREND_S, trend};

/// Where a chart is drawn, in pixels.
type PlotArea<B> = plotters::drawing::DrawingArea<B, plotters::coord::Shift>;
/// The result of drawing on a backend whose error is `E`.
type DrawResult<E> = Result<(), plotters::drawing::DrawingAreaErrorKind<E>>;
