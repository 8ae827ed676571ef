//! A picture as pixels, for what shows no SVG: mails and chats.

use resvg::{
    tiny_skia::{Pixmap, Transform},
    usvg::{self, Options, Tree, fontdb},
};
use std::sync::{Arc, LazyLock};

/// Pixels to a unit of the picture: sharp on a dense screen, too.
const DENSITY: f32 = 2.0;

/// Servers seldom have fonts, so that text is drawn with the ones that are built in.
static FONTS: LazyLock<Arc<fontdb::Database>> = LazyLock::new(|| {
    let mut fonts = fontdb::Database::new();
    for font in [dejavu::sans::regular(), dejavu::sans::bold()] {
        fonts.load_font_source(fontdb::Source::Binary(Arc::new(font)));
    }
    fonts.set_sans_serif_family("DejaVu Sans");
    Arc::new(fonts)
});

/// Why a picture has no pixels.
#[derive(Debug, thiserror::Error)]
pub enum PngError {
    /// It isn't SVG.
    #[error("the picture can't be read: {0}")]
    Unreadable(#[from] usvg::Error),
    /// It has no size, or one that no memory holds.
    #[error("the picture has no size that could be drawn")]
    Size,
    /// It couldn't be packed.
    #[error("the pixels can't be packed: {0}")]
    Unpackable(String),
}

/// The PNG of what [`picture`](super::picture) has drawn. It takes tens of milliseconds.
///
/// # Errors
/// Of a text that isn't SVG.
pub fn png(svg: &str) -> Result<Vec<u8>, PngError> {
    let options = Options { fontdb: Arc::clone(&FONTS), ..Options::default() };
    let tree = Tree::from_str(svg, &options)?;
    let size = tree.size().to_int_size().scale_by(DENSITY).ok_or(PngError::Size)?;
    let mut pixels = Pixmap::new(size.width(), size.height()).ok_or(PngError::Size)?;
    resvg::render(&tree, Transform::from_scale(DENSITY, DENSITY), &mut pixels.as_mut());
    pixels.encode_png().map_err(|error| PngError::Unpackable(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        charts::{CHARTS, ImageTheme, svg_image},
        schema::{Cpu, Window},
    };

    #[test]
    fn a_picture_is_drawn_with_its_lines_and_its_text() {
        let mut window = Window::new(60);
        for t in 1..40 {
            window.record(t * 1000, &Cpu { user: Some(30.0), total: Some(35.0), ..Cpu::default() });
        }
        let drawn = |host: &str| {
            let svg = svg_image(&CHARTS[0], &window, 60, &["−60 s", "now"], ImageTheme::Light, host);
            Pixmap::decode_png(&png(&svg).unwrap()).unwrap()
        };
        let (named, nameless) = (drawn("web-01"), drawn(""));
        assert_eq!((named.width(), named.height()), (1600, 552));
        let blue =
            |pixels: &Pixmap| pixels.pixels().iter().filter(|of| of.blue() > of.red().saturating_add(60)).count();
        assert!(blue(&named) > 1000, "{} pixels are blue", blue(&named));
        let dark = |pixels: &Pixmap| pixels.pixels().iter().filter(|of| of.red() < 160).count();
        assert!(dark(&named) > dark(&nameless) + 300, "the name of the host isn't there");
    }

    #[test]
    fn what_is_no_picture_is_refused() {
        assert!(matches!(png("<p>"), Err(PngError::Unreadable(_))));
    }
}
