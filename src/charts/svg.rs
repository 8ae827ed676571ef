//! A chart as SVG, for the first response and for readers without JavaScript.

use super::{Chart, Colour, Hidden, Palette, Viewport, draw, heat};
use crate::schema::{Window, WindowSlice};
use plotters::{coord::Shift, prelude::*};
use std::error::Error;

/// About the drawing's own width, and its height. It is stretched to the element it stands in, as the canvas will be.
const SIZE: (usize, usize) = (1200, 240);
/// Its width where there are more seconds than that: with as many points as pixels, an hour would weigh a megabyte.
const COARSE: usize = 600;
/// A strip of heat has about so many cells at most, and rows of this height.
const CELLS: usize = 1200;
const ROW: usize = 8;

/// Lines keep this width however the drawing is stretched (`vector-effect` in the stylesheet).
const STROKE: u32 = 2;

/// The newest `span` seconds of `window`, in colours that follow the reader's theme.
pub fn svg(chart: &Chart, window: &Window, span: usize) -> String {
    // Seconds fall on whole pixels: evenly spaced numbers compress to a half.
    let width = if span > SIZE.0 { COARSE } else { span.saturating_sub(1).max(1) * (SIZE.0 / span.max(1)) };
    sized(chart, window, span, (width, SIZE.1))
}

/// The same for a place of known size.
pub(super) fn sized(chart: &Chart, window: &Window, span: usize, (width, height): (usize, usize)) -> String {
    let (slice, hidden) = (WindowSlice::newest(span), Hidden::default());
    let top = chart.scale.top(chart, window, slice, hidden);
    let viewport = Viewport { slice, top, hidden, gaps: &window.gaps(slice) };
    drawing(width, height, |area| draw(area, chart, window, &viewport, &placeholders(), STROKE))
}

/// The newest `span` seconds of each core as a strip of heat.
pub fn cores(cores: usize, window: &Window, span: usize) -> String {
    /// Pixels of the narrowest. The more cores there are, the fewer it has: nobody reads a second of one in a hundred.
    const LEAST: usize = 60;
    let columns = (CELLS / cores.max(1)).clamp(LEAST, span.max(LEAST));
    drawing(columns, cores * ROW, |area| heat(area, cores, window, WindowSlice::newest(span), &placeholders()))
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// What `draw` draws, stretched to the element that it stands in.
fn drawing<E: Error + Send + Sync>(
    width: usize,
    height: usize,
    draw: impl FnOnce(&Area<'_>) -> Result<(), DrawingAreaErrorKind<E>>,
) -> String {
    let mut drawing = String::new();
    let area = SVGBackend::with_string(&mut drawing, (width as u32, height as u32)).into_drawing_area();
    let drawn = draw(&area);
    // The header and the closing tag, which memory can't refuse.
    let _ = area.present();
    drop(area);
    if let Err(error) = drawn {
        tracing::error!(%error, "a chart could not be drawn");
        return String::new();
    }
    for (index, colour) in Colour::ALL.into_iter().enumerate() {
        drawing = drawing.replace(&format!("\"#0000{index:02X}\""), &format!("\"var(--{})\"", colour.name()));
    }
    let shapes = stepwise(drawing.split_once('>').map_or("", |(_, shapes)| shapes));
    format!("<svg viewBox=\"0 0 {width} {height}\" preserveAspectRatio=\"none\" aria-hidden=\"true\">{}", shapes.trim())
}

/// Puts paths of steps in place of plotters' lists of points: the next second is never far, and its time always the same,
/// so that it makes a third of the page, compressed.
fn stepwise(shapes: &str) -> String {
    let mut parts = shapes.split("<poly");
    let mut paths = parts.next().unwrap_or_default().to_owned();
    for shape in parts {
        let (kind, rest) = shape.split_once(' ').unwrap_or((shape, ""));
        let (before, rest) = rest.split_once("points=\"").unwrap_or((rest, ""));
        let (points, after) = rest.split_once('"').unwrap_or((rest, ""));
        let close = if kind == "gon" { "z" } else { "" };
        paths += &format!("<path {before}d=\"{}{close}\"{after}", steps(points));
    }
    paths
}

/// `0,9 4,5 8,10` as `M0 9l4-4 4 5`: a sign is separator enough.
fn steps(points: &str) -> String {
    let number = |text: &str| text.parse::<i32>().unwrap_or_default();
    let mut points = points.split_ascii_whitespace().filter_map(|point| point.split_once(','));
    let Some((x, y)) = points.next() else { return String::new() };
    let (mut x, mut y) = (number(x), number(y));
    let mut path = format!("M{x} {y}l");
    for (next_x, next_y) in points {
        let (next_x, next_y) = (number(next_x), number(next_y));
        for step in [next_x - x, next_y - y] {
            if step >= 0 && !path.ends_with('l') {
                path.push(' ');
            }
            path += &step.to_string();
        }
        (x, y) = (next_x, next_y);
    }
    path
}

/// plotters writes numbers for colours; these stand for the roles until the custom properties take their place.
fn placeholders() -> Palette {
    Palette(std::array::from_fn(|index| RGBColor(0, 0, index as u8)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{charts::CHARTS, schema::Cpu};

    fn window() -> Window {
        let mut window = Window::new(60);
        for t in [1, 2, 3, 7, 8] {
            let cpu = Cpu { user: Some(30.0), system: Some(5.0), total: Some(35.0), ..Cpu::default() };
            window.record(t * 1000, &cpu);
        }
        window
    }

    #[test]
    fn colours_are_left_to_the_stylesheet() {
        let svg = svg(&CHARTS[0], &window(), 60);
        assert!(svg.contains("stroke=\"var(--blue)\"") && svg.contains("fill=\"var(--teal)\""), "{svg}");
        assert!(!svg.contains('#'), "a fixed colour in {svg}");
        assert!(!svg.contains("style="), "an inline style in {svg}");
    }

    #[test]
    fn lines_and_areas_are_paths_of_steps() {
        let shapes = "<rect x=\"1\"/>\n<polyline stroke=\"a\" points=\"0,9 4,5 8,10 8,10 \"/>\n<polygon fill=\"b\" points=\"5,5 1,2 \"/>";
        let paths = "<rect x=\"1\"/>\n<path stroke=\"a\" d=\"M0 9l4-4 4 5 0 0\"/>\n<path fill=\"b\" d=\"M5 5l-4-3z\"/>";
        assert_eq!(stepwise(shapes), paths);
    }

    #[test]
    fn a_gap_breaks_every_line() {
        let svg = svg(&CHARTS[0], &window(), 60);
        assert_eq!(svg.matches("stroke=\"var(--blue)\"").count(), 2);
        assert_eq!(svg.matches("fill=\"var(--mute)\"").count(), 1);
    }

    #[test]
    fn an_empty_window_is_an_empty_drawing() {
        for chart in &CHARTS {
            let svg = svg(chart, &Window::new(60), 60);
            assert!(svg.ends_with("</svg>"), "{svg}");
            assert_eq!(svg.matches("<path").count(), 0);
        }
    }
}
