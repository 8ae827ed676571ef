//! A chart as SVG, for the first response and for readers without JavaScript.

use super::{Chart, Colour, Palette, draw};
use crate::metrics::Window;
use plotters::prelude::*;

/// About the drawing's own width, and its height. It is stretched to the element it stands in, as the canvas will be.
const SIZE: (usize, usize) = (1200, 240);

/// Lines keep this width however the drawing is stretched (`vector-effect` in the stylesheet).
const STROKE: u32 = 2;

/// The newest `span` seconds of `window`, in colours that follow the reader's theme.
pub fn svg(chart: &Chart, window: &Window, span: usize) -> String {
    // Seconds fall on whole pixels: evenly spaced numbers compress to a half.
    let width = span.saturating_sub(1).max(1) * (SIZE.0 / span.max(1)).max(1);
    let height = SIZE.1;
    let mut drawing = String::new();
    let area = SVGBackend::with_string(&mut drawing, (width as u32 + 1, height as u32)).into_drawing_area();
    let drawn = draw(&area, chart, window, span, &placeholders(), STROKE).and_then(|()| area.present());
    drop(area);
    if let Err(error) = drawn {
        tracing::error!(chart = chart.id, %error, "a chart could not be drawn");
        return String::new();
    }
    for (index, colour) in Colour::ALL.into_iter().enumerate() {
        drawing = drawing.replace(&format!("\"#0000{index:02X}\""), &format!("\"var(--{})\"", colour.name()));
    }
    let shapes = drawing.split_once('>').map_or("", |(_, shapes)| shapes);
    format!("<svg viewBox=\"0 0 {width} {height}\" preserveAspectRatio=\"none\" aria-hidden=\"true\">{}", shapes.trim())
}

/// plotters writes numbers for colours; these stand for the roles until the custom properties take their place.
fn placeholders() -> Palette {
    Palette(std::array::from_fn(|index| RGBColor(0, 0, index as u8)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{charts::CHARTS, metrics::Cpu};

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
    fn a_gap_breaks_every_line() {
        let svg = svg(&CHARTS[0], &window(), 60);
        assert_eq!(svg.matches("stroke=\"var(--blue)\"").count(), 2);
        assert_eq!(svg.matches("fill=\"var(--mute)\"").count(), 1);
    }

    #[test]
    fn an_empty_window_is_an_empty_grid() {
        for chart in &CHARTS {
            let svg = svg(chart, &Window::new(60), 60);
            assert!(svg.ends_with("</svg>"), "{svg}");
            assert_eq!(svg.matches("<polyline").count(), 3);
        }
    }
}
