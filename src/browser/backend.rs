//! A canvas for plotters to draw on: lines and areas, in whole pixels.

use plotters_backend::{BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind};
use std::convert::Infallible;
use wasm_bindgen::{JsCast, prelude::wasm_bindgen};
use web_sys::CanvasRenderingContext2d;

type Outcome = Result<(), DrawingErrorKind<Infallible>>;

/// A canvas of so many pixels.
pub(super) struct Canvas {
    pub(super) context: CanvasRenderingContext2d,
    pub(super) size: (u32, u32),
}

#[wasm_bindgen]
extern "C" {
    type Path;
    /// As web-sys has it for any number: ten thousand whole ones a tick need not become others first.
    #[wasm_bindgen(method, js_name = lineTo)]
    fn line_to(this: &Path, x: i32, y: i32);
}

impl Canvas {
    fn follow(&self, points: impl IntoIterator<Item = BackendCoord>) {
        self.context.begin_path();
        let path: &Path = self.context.unchecked_ref();
        for (x, y) in points {
            // Where there is no path yet, this begins one.
            path.line_to(x, y);
        }
    }

    fn stroke(&self, path: impl IntoIterator<Item = BackendCoord>, style: &impl BackendStyle) {
        self.follow(path);
        self.context.set_stroke_style_str(&css(style.color()));
        self.context.set_line_width(style.stroke_width().into());
        self.context.stroke();
    }
}

/// As `#rrggbbaa`.
fn css(BackendColor { rgb: (red, green, blue), alpha }: BackendColor) -> String {
    format!("#{:08x}", u32::from_be_bytes([red, green, blue, (alpha * 255.0 + 0.5) as u8]))
}

impl DrawingBackend for Canvas {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        self.size
    }

    fn ensure_prepared(&mut self) -> Outcome {
        Ok(())
    }

    fn present(&mut self) -> Outcome {
        Ok(())
    }

    fn draw_pixel(&mut self, (x, y): BackendCoord, colour: BackendColor) -> Outcome {
        self.draw_rect((x, y), (x + 1, y + 1), &colour, true)
    }

    fn draw_line<S: BackendStyle>(&mut self, from: BackendCoord, to: BackendCoord, style: &S) -> Outcome {
        self.stroke([from, to], style);
        Ok(())
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(&mut self, path: I, style: &S) -> Outcome {
        self.stroke(path, style);
        Ok(())
    }

    fn draw_rect<S: BackendStyle>(
        &mut self,
        (left, top): BackendCoord,
        (right, bottom): BackendCoord,
        style: &S,
        fill: bool,
    ) -> Outcome {
        let path = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)];
        if fill { self.fill_polygon(path, style) } else { self.draw_path(path, style) }
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(&mut self, path: I, style: &S) -> Outcome {
        self.follow(path);
        self.context.set_fill_style_str(&css(style.color()));
        self.context.fill();
        Ok(())
    }

    // What plotters would draw dot by dot, at a great weight, and no chart of ours has: text is the page's.
    fn draw_circle<S: BackendStyle>(&mut self, _: BackendCoord, _: u32, _: &S, _: bool) -> Outcome {
        Ok(())
    }

    fn draw_text<S: BackendTextStyle>(&mut self, _: &str, _: &S, _: BackendCoord) -> Outcome {
        Ok(())
    }

    fn estimate_text_size<S: BackendTextStyle>(
        &self,
        _: &str,
        _: &S,
    ) -> Result<(u32, u32), DrawingErrorKind<Infallible>> {
        Ok((0, 0))
    }

    fn blit_bitmap(&mut self, _: BackendCoord, _: (u32, u32), _: &[u8]) -> Outcome {
        Ok(())
    }
}
