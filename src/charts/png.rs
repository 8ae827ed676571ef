//! Renders a chart image as PNG, for mails and chats, which don't show SVG.

use resvg::{
    tiny_skia::{Pixmap, Transform},
    usvg::{self, Options, Tree, fontdb},
};
use std::sync::{Arc, LazyLock};

/// Pixels per SVG unit, so that the image is sharp on screens of high density.
const DENSITY: f32 = 2.0;

/// Text is set in built-in fonts, since servers seldom have any installed.
static FONTS: LazyLock<Arc<fontdb::Database>> = LazyLock::new(|| {
    let mut fonts = fontdb::Database::new();
    for font in [dejavu::sans::regular(), dejavu::sans::bold()] {
        fonts.load_font_source(fontdb::Source::Binary(Arc::new(font)));
    }
    fonts.set_sans_serif_family("DejaVu Sans");
    Arc::new(fonts)
});

/// Why a PNG could not be rendered.
#[derive(Debug, thiserror::Error)]
pub enum PngError {
    /// The text isn't SVG.
    #[error("invalid SVG: {0}")]
    Parse(#[from] usvg::Error),
    /// The SVG is empty or too large.
    #[error("the SVG has no size that can be rendered")]
    Size,
    /// The PNG encoder failed.
    #[error("the PNG could not be encoded: {0}")]
    Encode(String),
}

/// Renders an SVG as PNG. Takes tens of milliseconds.
///
/// # Errors
/// If `svg` isn't SVG or can't be rendered.
pub fn png(svg: &str) -> Result<Vec<u8>, PngError> {
    let options = Options { fontdb: Arc::clone(&FONTS), ..Options::default() };
    let tree = Tree::from_str(svg, &options)?;
    let size = tree.size().to_int_size().scale_by(DENSITY).ok_or(PngError::Size)?;
    let mut pixels = Pixmap::new(size.width(), size.height()).ok_or(PngError::Size)?;
    resvg::render(&tree, Transform::from_scale(DENSITY, DENSITY), &mut pixels.as_mut());
    pixels.encode_png().map_err(|error| PngError::Encode(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        charts::{ImageTheme, Labels, Plot, chart::tests::cpu_chart, svg_image},
        schema::{Cpu, Window},
    };

    #[test]
    fn png_shows_lines_and_text() {
        let mut window = Window::new(60);
        for t in 1..40 {
            window.record(t * 1000, &Cpu { user_percent: Some(30.0), total_percent: Some(35.0), ..Cpu::default() });
        }
        let drawn = |host: &str| {
            let labels = Labels { title: "CPU", host, times: &["−60 s", "now"] };
            let plot = Plot { window: &window, seconds: 60, annotations: &[], band: None };
            let svg = svg_image(labels, &cpu_chart(), plot, ImageTheme::Light);
            Pixmap::decode_png(&png(&svg).unwrap()).unwrap()
        };
        let (named, nameless) = (drawn("web-01"), drawn(""));
        assert_eq!((named.width(), named.height()), (1600, 552));
        let blue =
            |pixels: &Pixmap| pixels.pixels().iter().filter(|of| of.blue() > of.red().saturating_add(60)).count();
        assert!(blue(&named) > 1000, "{} pixels are blue", blue(&named));
        let dark = |pixels: &Pixmap| pixels.pixels().iter().filter(|of| of.red() < 160).count();
        assert!(dark(&named) > dark(&nameless) + 300, "the host name is missing");
    }

    #[test]
    fn text_that_is_not_svg_is_rejected() {
        assert!(matches!(png("<p>"), Err(PngError::Parse(_))));
    }
}
