//! A chart as a self-contained SVG image with axes and legend, for a README, a wiki or any other page.

use super::{Chart, Colour, DIVISIONS, Plot, svg};
use crate::units::{date, time_of_day};
use std::fmt::Write;

/// The stylesheet's colours. Images contain their values, since not every SVG viewer supports custom properties.
const TOKENS: &str = include_str!("../../style/tokens.css");

const WIDTH: usize = 800;
const HEIGHT: usize = 276;
/// Upper left corner of the plot.
const LEFT: usize = 72;
const TOP: usize = 72;
/// Size of the plot.
const PLOT: (usize, usize) = (WIDTH - LEFT - 24, HEIGHT - TOP - 36);

/// The colours of an image, which can't follow the theme of the page that embeds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageTheme {
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

impl ImageTheme {
    /// The value of a custom property such as `--blue: var(--light, #2f74d0) var(--dark, #6ea8f7)`; `None` if there is none.
    fn colour(self, name: &str) -> Option<&'static str> {
        let (_, rest) = TOKENS.split_once(&format!("--{name}: var(--light, "))?;
        let (light, dark) = rest.split_once(");")?.0.split_once(") var(--dark, ")?;
        Some(match self {
            Self::Light => light,
            Self::Dark => dark,
        })
    }
}

/// The texts of an image.
#[derive(Clone, Copy, Debug)]
pub struct Labels<'a> {
    /// What the chart shows.
    pub title: &'a str,
    /// The name of the host.
    pub host: &'a str,
    /// The labels of the time axis.
    pub times: &'a [&'a str],
}

/// Draws a chart with its texts.
pub fn svg_image(
    Labels { title, host, times }: Labels<'_>,
    chart: &Chart,
    plot: Plot<'_>,
    theme: ImageTheme,
) -> String {
    let window = plot.window;
    let colour = |name: &str| theme.colour(name).unwrap_or("#888");
    let (card, ink, mute, line) = (colour("card"), colour("ink"), colour("mute"), colour("line"));
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{HEIGHT}\" \
         viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         font-family=\"Inter, system-ui, Segoe UI, Roboto, sans-serif\" font-size=\"12\" fill=\"{mute}\">\
         <rect x=\".5\" y=\".5\" width=\"{}\" height=\"{}\" rx=\"10\" fill=\"{card}\" stroke=\"{line}\"/>",
        WIDTH - 1,
        HEIGHT - 1,
    );
    let (number, symbol) = chart.unit.number_and_symbol(chart.headline.at(window, 0));
    let mut text = |x: usize, y: usize, anchor: &str, style: &str, text: &str| {
        // Writing to a string can't fail.
        let _ = write!(svg, "<text x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\"{style}>{}</text>", escape(text));
    };
    let strong = format!(" fill=\"{ink}\" font-weight=\"600\" font-size=\"14\"");
    text(16, 26, "start", &strong, &format!("{title} {number} {symbol}"));
    let day = |end| if plot.band.is_some() { date(end) + " " } else { String::new() };
    let now = window.end().map_or(String::new(), |end| format!(" · {}{} UTC", day(end), time_of_day(end)));
    text(WIDTH - 24, 26, "end", "", &format!("{host}{now}"));

    let top = plot.top(chart);
    let mut grid = String::new();
    for division in 0..=DIVISIONS {
        let y = TOP + PLOT.1 - PLOT.1 * division as usize / DIVISIONS as usize;
        text(LEFT - 8, y + 4, "end", "", &chart.label(division, top));
        // No line at the top, as on the page.
        if division < DIVISIONS {
            grid += &format!("<path d=\"M{LEFT} {y}h{}\" stroke=\"{line}\"/>", PLOT.0);
        }
    }
    for (index, label) in times.iter().enumerate() {
        let anchor = if index + 1 == times.len() { "end" } else { "middle" };
        text(LEFT + PLOT.0 * index / (times.len() - 1), HEIGHT - 14, anchor, "", label);
    }
    let mut x = 16;
    for series in &chart.series {
        let label = format!("{} {}", series.label, chart.unit.text(series.value.at(window, 0)));
        text(x, 44, "start", &format!(" fill=\"{}\"", colour(series.colour.name())), "■");
        text(x + 14, 44, "start", "", &label);
        // An estimate, since the server can't measure text.
        x += 30 + 7 * label.chars().count();
    }

    svg += &grid;
    let position =
        format!("x=\"{LEFT}\" y=\"{TOP}\" width=\"{}\" height=\"{}\" stroke-linejoin=\"round\" ", PLOT.0, PLOT.1);
    // Drawn at its final size, since not every SVG viewer keeps line widths when it stretches.
    let shapes = svg::shapes(chart, plot, PLOT, &|role: Colour| colour(role.name()).to_owned());
    svg += &svg::element(&position, PLOT, &shapes);
    svg + "</svg>\n"
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        charts::chart::tests::cpu_chart,
        schema::{Cpu, Window},
    };

    #[test]
    fn image_is_self_contained() {
        let mut window = Window::new(60);
        for t in 1..40 {
            window.record(t * 1000, &Cpu { user_percent: Some(30.0), total_percent: Some(35.0), ..Cpu::default() });
        }
        let labels = Labels { title: "CPU", host: "a<b&c", times: &["−60 s", "now"] };
        for theme in [ImageTheme::Light, ImageTheme::Dark] {
            let plot = Plot { window: &window, seconds: 60, annotations: &[], band: None };
            let image = svg_image(labels, &cpu_chart(), plot, theme);
            assert!(image.contains(">a&lt;b&amp;c · 00:00:39 UTC<") && image.contains(">CPU 35.0 %<"), "{image}");
            assert!(image.contains(theme.colour("blue").unwrap()), "{image}");
            let grid = format!("h{}\" stroke=\"{}\"", PLOT.0, theme.colour("line").unwrap());
            assert_eq!(image.matches(&grid).count(), DIVISIONS as usize, "{image}");
            for foreign in ["var(", "href", "style", "class", "<script"] {
                assert!(!image.contains(foreign), "{foreign} in {image}");
            }
        }
    }

    #[test]
    fn stylesheet_defines_every_colour() {
        for theme in [ImageTheme::Light, ImageTheme::Dark] {
            for name in Colour::ALL.map(Colour::name).into_iter().chain(["card", "ink", "line"]) {
                let colour = theme.colour(name).unwrap_or_else(|| panic!("--{name}"));
                assert!(colour.len() == 7 && colour.starts_with('#'), "--{name}: {colour}");
            }
        }
    }
}
