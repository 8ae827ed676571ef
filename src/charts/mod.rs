//! Drawings of a window: which series a chart shows, on which scale, in which colours, and how they are drawn, on any
//! plotters backend. No I/O and no DOM: the server draws to SVG, the browser to a canvas, with the same code.

mod chart;
mod draw;
mod heat;
#[cfg(feature = "ssr")]
mod image;
mod palette;
#[cfg(feature = "ssr")]
mod png;
mod scale;
#[cfg(feature = "ssr")]
mod svg;
mod trend;
pub mod units;

pub use chart::{CHARTS, Chart, Hidden, Layout, Series, Value, shows};
pub use draw::{Viewport, draw};
pub use heat::heat;
#[cfg(feature = "ssr")]
pub use image::{ImageTheme, svg_image};
pub use palette::{Colour, Palette};
#[cfg(feature = "ssr")]
pub use png::{PngError, png};
pub use scale::{DIVISIONS, Scale, settled};
#[cfg(feature = "ssr")]
pub use svg::{cores, svg};
pub use trend::{TREND_S, trend};
