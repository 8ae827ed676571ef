//! A plotters backend that writes SVG paths whose colours are roles of the palette, such as `var(--blue)`.

use super::{Colour, DrawResult, Palette, PlotArea};
use plotters::{prelude::IntoDrawingArea, style::RGBColor};
use plotters_backend::{BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind};
use std::{convert::Infallible, fmt::Write};

type BackendResult = Result<(), DrawingErrorKind<Infallible>>;

/// Appends shapes to `svg`.
pub(super) struct SvgBackend<'a> {
    svg: &'a mut String,
    size: (u32, u32),
    paint: &'a dyn Fn(Colour) -> String,
}

/// The SVG of what `draw` draws; `paint` returns the `fill` or `stroke` of a role.
pub(super) fn render(
    (width, height): (usize, usize),
    paint: &dyn Fn(Colour) -> String,
    draw: impl FnOnce(&PlotArea<SvgBackend<'_>>, &Palette) -> DrawResult<Infallible>,
) -> String {
    // plotters passes backends RGB values only, so that this palette's blue channel is the index of the role.
    let palette = Palette(std::array::from_fn(|index| RGBColor(0, 0, index as u8)));
    let mut svg = String::new();
    let backend = SvgBackend { svg: &mut svg, size: (width as u32, height as u32), paint };
    if let Err(error) = draw(&backend.into_drawing_area(), &palette) {
        tracing::error!(%error, "a chart could not be drawn");
        return String::new();
    }
    svg
}

impl SvgBackend<'_> {
    fn paint(&self, BackendColor { rgb: (_, _, index), .. }: BackendColor) -> String {
        Colour::ALL.get(usize::from(index)).map_or(String::new(), |role| (self.paint)(*role))
    }

    fn shape(&mut self, attributes: std::fmt::Arguments<'_>) -> BackendResult {
        // Writing to a string can't fail.
        let _ = writeln!(self.svg, "<{attributes}/>");
        Ok(())
    }
}

impl DrawingBackend for SvgBackend<'_> {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        self.size
    }

    fn ensure_prepared(&mut self) -> BackendResult {
        Ok(())
    }

    fn present(&mut self) -> BackendResult {
        Ok(())
    }

    fn draw_pixel(&mut self, (x, y): BackendCoord, colour: BackendColor) -> BackendResult {
        self.draw_rect((x, y), (x + 1, y + 1), &colour, true)
    }

    fn draw_line<S: BackendStyle>(&mut self, from: BackendCoord, to: BackendCoord, style: &S) -> BackendResult {
        self.draw_path([from, to], style)
    }

    fn draw_rect<S: BackendStyle>(
        &mut self,
        (left, top): BackendCoord,
        (right, bottom): BackendCoord,
        style: &S,
        fill: bool,
    ) -> BackendResult {
        let (width, height, opacity) = (right - left, bottom - top, style.color().alpha);
        let paint = self.paint(style.color());
        let (fill, stroke) = if fill { (&*paint, "none") } else { ("none", &*paint) };
        self.shape(format_args!(
            "rect x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{height}\" opacity=\"{opacity}\" fill=\"{fill}\" \
             stroke=\"{stroke}\""
        ))
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        path: I,
        style: &S,
    ) -> BackendResult {
        let (opacity, stroke, width) = (style.color().alpha, self.paint(style.color()), style.stroke_width());
        self.shape(format_args!(
            "path fill=\"none\" opacity=\"{opacity}\" stroke=\"{stroke}\" stroke-width=\"{width}\" d=\"{}\"",
            path_data(path)
        ))
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        path: I,
        style: &S,
    ) -> BackendResult {
        let (opacity, fill) = (style.color().alpha, self.paint(style.color()));
        self.shape(format_args!("path opacity=\"{opacity}\" fill=\"{fill}\" d=\"{}z\"", path_data(path)))
    }

    // Charts draw neither circles nor bitmaps, and their text is HTML.
    fn draw_circle<S: BackendStyle>(&mut self, _: BackendCoord, _: u32, _: &S, _: bool) -> BackendResult {
        Ok(())
    }

    fn draw_text<S: BackendTextStyle>(&mut self, _: &str, _: &S, _: BackendCoord) -> BackendResult {
        Ok(())
    }

    fn estimate_text_size<S: BackendTextStyle>(
        &self,
        _: &str,
        _: &S,
    ) -> Result<(u32, u32), DrawingErrorKind<Infallible>> {
        Ok((0, 0))
    }

    fn blit_bitmap(&mut self, _: BackendCoord, _: (u32, u32), _: &[u8]) -> BackendResult {
        Ok(())
    }
}

/// The `d` attribute of a path, in relative steps: `M0 9l4-4 4 5`. Steps are small and repeat, so that they make a
/// third of the compressed page that absolute points would. A minus sign needs no separator before it.
fn path_data(points: impl IntoIterator<Item = BackendCoord>) -> String {
    let mut points = points.into_iter();
    let Some((mut x, mut y)) = points.next() else { return String::new() };
    let mut data = format!("M{x} {y}l");
    for (next_x, next_y) in points {
        for step in [next_x - x, next_y - y] {
            if step >= 0 && !data.ends_with('l') {
                data.push(' ');
            }
            data += &step.to_string();
        }
        (x, y) = (next_x, next_y);
    }
    data
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_data_holds_relative_steps() {
        assert_eq!(path_data([(0, 9), (4, 5), (8, 10), (8, 10)]), "M0 9l4-4 4 5 0 0");
        assert_eq!(path_data([(5, 5), (1, 2)]), "M5 5l-4-3");
        assert_eq!(path_data([]), "");
    }
}
