//! A chart as SVG for the first response, which is also what readers without JavaScript see.

use super::{Band, Chart, Colour, Hidden, Span, Viewport, draw, heatmap, svg_backend::render};
use crate::schema::{Annotation, Window, WindowSlice};

/// Approximate width, and height. The page stretches the SVG to its element, as it does the canvas.
const SIZE: (usize, usize) = (1200, 200);
/// Width if there are more seconds than that: with a point per pixel, an hour would weigh a megabyte.
const COARSE: usize = 600;
/// Approximate maximum number of cells in the heatmap.
const CELLS: usize = 1200;
/// Fewest columns of the heatmap.
const MIN_COLUMNS: usize = 60;
/// Height of a row of the heatmap.
const ROW: usize = 8;

/// Line width, which stretching does not change (`vector-effect` in the stylesheet).
const STROKE: u32 = 2;

/// What a chart is drawn of.
#[derive(Clone, Copy, Debug)]
pub struct Plot<'a> {
    /// The values.
    pub window: &'a Window,
    /// How many of the newest slots are drawn.
    pub seconds: usize,
    /// What happened, oldest first.
    pub annotations: &'a [Annotation],
    /// Of the history, what its means don't show.
    pub band: Option<&'a Band>,
}

/// A chart in colours that follow the reader's theme.
pub fn chart_svg(chart: &Chart, plot: Plot<'_>) -> String {
    let seconds = plot.seconds;
    // Seconds fall on whole pixels: evenly spaced numbers compress to half the size.
    let width = if seconds > SIZE.0 { COARSE } else { seconds.saturating_sub(1).max(1) * (SIZE.0 / seconds.max(1)) };
    let size = (width, SIZE.1);
    element("", size, &shapes(chart, plot, size, &css_variable))
}

/// The newest `seconds` of each core as a heatmap.
pub fn heatmap_svg(cores: usize, window: &Window, seconds: usize) -> String {
    // The more cores there are, the fewer columns are worth their bytes.
    let columns = (CELLS / cores.max(1)).clamp(MIN_COLUMNS, seconds.max(MIN_COLUMNS));
    let size = (columns, cores * ROW);
    let shapes = render(size, &css_variable, |area, palette| {
        heatmap(area, cores, window, WindowSlice::newest(seconds), palette)
    });
    element("", size, &shapes)
}

impl Plot<'_> {
    /// The value at the upper edge of `chart`.
    pub(super) fn top(self, chart: &Chart) -> f64 {
        let live = || chart.scale.top(chart, self.window, WindowSlice::newest(self.seconds), Hidden::default());
        self.band.map_or_else(live, |band| band.top(chart, self.seconds))
    }
}

/// The shapes of a chart, without the `<svg>` element around them.
pub(super) fn shapes(chart: &Chart, plot: Plot<'_>, size: (usize, usize), paint: &dyn Fn(Colour) -> String) -> String {
    let Plot { window, seconds, annotations, band } = plot;
    let (slice, hidden, top) = (WindowSlice::newest(seconds), Hidden::default(), plot.top(chart));
    let spans = Span::list(window, slice, annotations);
    let viewport = Viewport { slice, top, hidden, spans: &spans };
    render(size, paint, |area, palette| {
        band.map_or(Ok(()), |band| band.draw(area, chart, slice, top, palette))?;
        draw(area, chart, window, &viewport, palette, STROKE)
    })
}

/// An `<svg>` element that stretches to its size on the page.
pub(super) fn element(attributes: &str, (width, height): (usize, usize), shapes: &str) -> String {
    format!(
        "<svg {attributes}viewBox=\"0 0 {width} {height}\" preserveAspectRatio=\"none\" aria-hidden=\"true\">\
         {shapes}</svg>"
    )
}

fn css_variable(colour: Colour) -> String {
    format!("var(--{})", colour.name())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        charts::{Layout, Limit, Series, chart::tests::cpu_chart},
        schema::Cpu,
    };

    fn plot<'a>(window: &'a Window, annotations: &'a [Annotation]) -> Plot<'a> {
        Plot { window, seconds: 60, annotations, band: None }
    }

    fn window() -> Window {
        let mut window = Window::new(60);
        for t in [1, 2, 3, 7, 8] {
            let cpu = Cpu {
                user_percent: Some(30.0),
                system_percent: Some(5.0),
                total_percent: Some(35.0),
                ..Cpu::default()
            };
            window.record(t * 1000, &cpu);
        }
        window
    }

    #[test]
    fn svg_takes_colours_from_the_stylesheet() {
        let svg = chart_svg(&cpu_chart(), plot(&window(), &[]));
        assert!(svg.contains("stroke=\"var(--blue)\"") && svg.contains("fill=\"var(--teal)\""), "{svg}");
        assert!(!svg.contains('#'), "a fixed colour in {svg}");
        assert!(!svg.contains("style="), "an inline style in {svg}");
    }

    #[test]
    fn gap_breaks_lines() {
        let svg = chart_svg(&cpu_chart(), plot(&window(), &[]));
        assert_eq!(svg.matches("stroke=\"var(--blue)\"").count(), 2);
        assert_eq!(svg.matches("fill=\"var(--mute)\"").count(), 1);
    }

    #[test]
    fn timeline_has_a_bar_for_each_run_in_the_colour_of_its_state() {
        let path = |path: &str| crate::charts::Expression::Path(path.to_owned());
        let limits = [(2.0, Colour::Amber), (3.0, Colour::Red)].map(|(value, colour)| Limit { value, colour });
        let series = vec![Series { label: String::new(), colour: Colour::Blue, value: path("job.state") }];
        let chart = Chart { layout: Layout::Timeline, series, limits: limits.into(), ..Chart::default() };
        let mut window = Window::new(60);
        for (second, state) in [(1, 1.0), (2, 1.0), (3, 2.5), (4, 3.0), (6, 1.0)] {
            window.advance(second * 1000);
            window.set("job.state", Some(state));
        }
        let svg = chart_svg(&chart, plot(&window, &[]));
        let bars = |colour: &str| svg.matches(&format!("fill=\"var(--{colour})\"")).count();
        assert_eq!(["blue", "amber", "red", "mute"].map(bars), [2, 1, 1, 1], "{svg}");
    }

    #[test]
    fn annotation_in_view_is_shaded_with_a_line_where_it_begins() {
        let annotation = |t, until| Annotation { t, until, ..Annotation::default() };
        let shapes = |annotations: &[Annotation]| {
            let svg = chart_svg(&cpu_chart(), plot(&window(), annotations));
            let width = |shape: &str| shape.split('"').next().and_then(|width| width.parse::<u32>().ok());
            let rects = svg.split("<rect").skip(1).filter_map(|rect| rect.split('>').next());
            let shapes = rects.filter(|rect| rect.contains("var(--blue)"));
            shapes.filter_map(|shape| width(shape.split_once("width=\"")?.1)).collect::<Vec<_>>()
        };
        assert_eq!(shapes(&[annotation(3000, None)]), [20, 1]);
        assert_eq!(shapes(&[annotation(3000, Some(5000))]), [60, 1]);
        let later = [annotation(9000, None), annotation(u64::MAX, None)];
        assert!(shapes(&later).is_empty(), "after the newest second");
    }

    #[test]
    fn steps_of_the_history_have_a_band_and_an_earlier_line() {
        let window = |total: f64| {
            let mut window = Window::of_history(10, 60_000, 600_000);
            window.fill("cpu.total_percent", &[total; 10]);
            window
        };
        let (mean, band) = (window(30.0), Band { min: window(10.0), max: window(90.0), earlier: None });
        let svg = |band: &Band| {
            chart_svg(&cpu_chart(), Plot { window: &mean, seconds: 10, annotations: &[], band: Some(band) })
        };
        let shapes = |svg: &str, colour: &str| svg.matches(&format!("=\"var(--{colour})\"")).count();
        assert_eq!(shapes(&svg(&band), "blue"), 1, "{}", svg(&band));
        assert_eq!(shapes(&svg(&band), "grey"), 0);
        let compared = Band { earlier: Some(window(50.0)), ..band.clone() };
        assert_eq!(shapes(&svg(&compared), "grey"), 1, "{}", svg(&compared));
        let flat = Band { min: mean.clone(), max: mean.clone(), earlier: None };
        assert_eq!(shapes(&svg(&flat), "blue"), 0, "a band without height");
    }

    #[test]
    fn empty_window_yields_empty_svg() {
        let svg = chart_svg(&cpu_chart(), plot(&Window::new(60), &[]));
        assert!(svg.ends_with("</svg>"), "{svg}");
        assert_eq!(svg.matches("<path").count(), 0);
    }
}
