//! A chart as a picture that stands alone: for a README, a wiki, or whatever else shows SVG.

use super::{Chart, Colour, DIVISIONS, Hidden, svg, units::time_of_day};
use crate::schema::{Window, WindowSlice};
use std::fmt::Write;

/// The stylesheet's colours. Not every program that shows SVG knows custom properties, so they are put in their place.
const TOKENS: &str = include_str!("../../style/tokens.css");

const WIDTH: usize = 800;
const HEIGHT: usize = 276;
/// Where the drawing is.
const LEFT: usize = 72;
const TOP: usize = 72;
const PLOT: (usize, usize) = (WIDTH - LEFT - 24, HEIGHT - TOP - 36);

/// Which colours a picture has: it can't know where it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageTheme {
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

impl ImageTheme {
    /// The value of a colour of the stylesheet: `--blue: light-dark(#2f74d0, #6ea8f7)`. `None` of what it hasn't.
    fn colour(self, name: &str) -> Option<&'static str> {
        let (_, rest) = TOKENS.split_once(&format!("--{name}: light-dark("))?;
        let (light, dark) = rest.split_once(')')?.0.split_once(", ")?;
        Some(match self {
            Self::Light => light,
            Self::Dark => dark,
        })
    }
}

/// The newest `seconds` of `window`, with axes, of which `times` are the labels of the one that goes across, legend and the
/// name of the host.
pub fn svg_image(
    chart: &Chart,
    window: &Window,
    seconds: usize,
    times: &[&str],
    theme: ImageTheme,
    host: &str,
) -> String {
    let colour = |name: &str| theme.colour(name).unwrap_or("#888");
    let (card, ink, mute, line) = (colour("card"), colour("ink"), colour("mute"), colour("line"));
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{HEIGHT}\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         font-family=\"Inter, system-ui, Segoe UI, Roboto, sans-serif\" font-size=\"12\" fill=\"{mute}\">\
         <rect x=\".5\" y=\".5\" width=\"{}\" height=\"{}\" rx=\"10\" fill=\"{card}\" stroke=\"{line}\"/>",
        WIDTH - 1,
        HEIGHT - 1,
    );
    let (figure, symbol) = chart.unit.figure(chart.figure.at(window, 0));
    let mut text = |x: usize, y: usize, anchor: &str, style: &str, text: &str| {
        // Writing to memory can't fail.
        let _ = write!(svg, "<text x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\"{style}>{}</text>", escape(text));
    };
    let strong = format!(" fill=\"{ink}\" font-weight=\"600\" font-size=\"14\"");
    text(16, 26, "start", &strong, &format!("{} {figure} {symbol}", chart.title));
    let now = window.end().map_or(String::new(), |end| format!(" · {} UTC", time_of_day(end)));
    text(WIDTH - 24, 26, "end", "", &format!("{host}{now}"));

    let top = chart.scale.top(chart, window, WindowSlice::newest(seconds), Hidden::default());
    let mut grid = String::new();
    for division in 0..=DIVISIONS {
        let y = TOP + PLOT.1 - PLOT.1 * division as usize / DIVISIONS as usize;
        text(LEFT - 8, y + 4, "end", "", &chart.label(division, top));
        // As on the page, which has none at the top.
        if division < DIVISIONS {
            grid += &format!("<path d=\"M{LEFT} {y}h{}\" stroke=\"{line}\"/>", PLOT.0);
        }
    }
    for (place, label) in times.iter().enumerate() {
        let anchor = if place + 1 == times.len() { "end" } else { "middle" };
        text(LEFT + PLOT.0 * place / (times.len() - 1), HEIGHT - 14, anchor, "", label);
    }
    let mut x = 16;
    for series in chart.series {
        let label = format!("{} {}", series.label, chart.unit.text(series.value.at(window, 0)));
        text(x, 44, "start", &format!(" fill=\"{}\"", colour(series.colour.name())), "■");
        text(x + 14, 44, "start", "", &label);
        // About as wide as it will be: nobody measures text here.
        x += 30 + 7 * label.chars().count();
    }

    svg += &grid;
    let place = format!("<svg x=\"{LEFT}\" y=\"{TOP}\" width=\"{}\" height=\"{}\" ", PLOT.0, PLOT.1);
    // Not every program that shows SVG keeps the width of lines in what is stretched.
    let mut drawing = svg::sized(chart, window, seconds, PLOT).replacen("<svg ", &place, 1);
    for role in Colour::ALL {
        drawing = drawing.replace(&format!("var(--{})", role.name()), colour(role.name()));
    }
    svg += &drawing.replace("<path ", "<path stroke-linejoin=\"round\" ");
    svg + "</svg>\n"
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{charts::CHARTS, schema::Cpu};

    #[test]
    fn a_picture_needs_nothing_but_itself() {
        let mut window = Window::new(60);
        for t in 1..40 {
            window.record(t * 1000, &Cpu { user: Some(30.0), total: Some(35.0), ..Cpu::default() });
        }
        for theme in [ImageTheme::Light, ImageTheme::Dark] {
            let picture = svg_image(&CHARTS[0], &window, 60, &["−60 s", "now"], theme, "a<b&c");
            assert!(picture.contains(">a&lt;b&amp;c · 00:00:39 UTC<") && picture.contains(">CPU 35.0 %<"), "{picture}");
            assert!(picture.contains(theme.colour("blue").unwrap()), "{picture}");
            let grid = format!("h{}\" stroke=\"{}\"", PLOT.0, theme.colour("line").unwrap());
            assert_eq!(picture.matches(&grid).count(), DIVISIONS as usize, "{picture}");
            for foreign in ["var(", "href", "style", "class", "<script"] {
                assert!(!picture.contains(foreign), "{foreign} in {picture}");
            }
        }
    }

    #[test]
    fn every_colour_is_in_the_stylesheet() {
        for theme in [ImageTheme::Light, ImageTheme::Dark] {
            for name in Colour::ALL.map(Colour::name).into_iter().chain(["card", "ink", "line"]) {
                let colour = theme.colour(name).unwrap_or_else(|| panic!("--{name}"));
                assert!(colour.len() == 7 && colour.starts_with('#'), "--{name}: {colour}");
            }
        }
    }
}
