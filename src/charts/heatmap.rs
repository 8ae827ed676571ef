//! Draws CPU use per core as a heatmap: a row per core, time from left to right.

use super::{Colour, DrawResult, Palette, PlotArea};
use crate::schema::{Window, WindowSlice};
use plotters::prelude::*;
use std::fmt::Display;

/// Shades above the one of an idle core.
const SHADES: u8 = 8;
/// Rows of this height or more, in pixels, are separated by a pixel.
const SEPARATED_ROW: i32 = 6;

/// Draws cores 0 to `cores - 1` over the whole of `area`. Seconds without a sample stay empty.
///
/// # Errors
/// Those of the backend.
pub fn heatmap<B: DrawingBackend>(
    area: &PlotArea<B>,
    cores: usize,
    window: &Window,
    slice: WindowSlice,
    palette: &Palette,
) -> DrawResult<B::ErrorType> {
    let (width, height) = area.dim_in_pixel();
    let x = |slot: usize| (slot * width as usize / slice.seconds.max(1)) as i32;
    let y = |core: usize| (core * height as usize / cores.max(1)) as i32;
    let rows: Vec<_> =
        (0..cores).map(|core| runs(&window.values(&core_path(core), slice), window, slice, width as usize)).collect();
    for shade in 0..=SHADES {
        // One outline for all runs of a shade, along the bottom of each row and down the left edge to the next, since
        // the number of fills decides how long drawing takes.
        let mut outline = Vec::new();
        for (core, runs) in rows.iter().enumerate() {
            if runs.iter().all(|(_, _, run_shade)| *run_shade != shade) {
                continue;
            }
            let (top, bottom) = (y(core), y(core + 1));
            let bottom = if bottom - top < SEPARATED_ROW { bottom } else { bottom - 1 };
            outline.push((0, bottom));
            for (from, to, _) in runs.iter().filter(|(_, _, run_shade)| *run_shade == shade) {
                let (left, right) = (x(*from), x(*to));
                outline.extend([(left, bottom), (left, top), (right, top), (right, bottom)]);
            }
            outline.push((0, bottom));
        }
        if !outline.is_empty() {
            let opacity = 0.07 + f64::from(shade) / f64::from(SHADES) * 0.85;
            area.draw(&Polygon::new(outline, palette.of(Colour::Blue).mix(opacity)))?;
        }
    }
    Ok(())
}

/// The path of a core's series.
pub fn core_path(core: impl Display) -> String {
    format!("cpu.cores_percent.{core}")
}

/// Runs of seconds of one shade, as first slot, slot after the last, and shade. If there are more seconds than pixels,
/// a column has the shade of its busiest second. Columns start at multiples of their length, so that they don't
/// flicker.
fn runs(values: &[Option<f64>], window: &Window, slice: WindowSlice, pixels: usize) -> Vec<(usize, usize, u8)> {
    let seconds = slice.seconds.div_ceil(pixels.max(1)) as u64;
    let first = slice.last(window).unwrap_or_default() / window.step_ms() + 1 - values.len() as u64;
    let offset = slice.seconds - values.len();
    let mut runs: Vec<(usize, usize, u8)> = Vec::new();
    let mut slot = 0;
    while slot < values.len() {
        let in_column = seconds - (first + slot as u64) % seconds;
        let next = (slot + in_column as usize).min(values.len());
        let busiest = values[slot..next].iter().flatten().copied().reduce(f64::max);
        if let Some(busy) = busiest {
            let shade = (busy / 100.0 * f64::from(SHADES) + 0.5) as u8;
            match runs.last_mut() {
                Some((_, to, last_shade)) if *to == offset + slot && *last_shade == shade => *to = offset + next,
                _ => runs.push((offset + slot, offset + next, shade.min(SHADES))),
            }
        }
        slot = next;
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(seconds: u64) -> Window {
        let mut window = Window::new(60);
        window.advance(seconds * 1000);
        window
    }

    #[test]
    fn seconds_of_one_shade_form_one_run() {
        let values = [Some(0.0), Some(1.0), Some(100.0), None, Some(100.0), Some(52.0)];
        let runs = runs(&values, &window(9), WindowSlice::newest(8), 800);
        assert_eq!(runs, [(2, 4, 0), (4, 5, 8), (6, 7, 8), (7, 8, 4)]);
    }

    #[test]
    fn column_has_the_shade_of_its_busiest_second() {
        let values =
            |last: u64| -> Vec<_> { (last - 11..=last).map(|t| Some(if t == 16 { 100.0 } else { 0.0 })).collect() };
        let hot = |last: u64| {
            let runs = runs(&values(last), &window(last), WindowSlice::newest(12), 4);
            let (from, to, _) = *runs.iter().find(|(_, _, shade)| *shade == SHADES).unwrap();
            (last + 1 - 12 + from as u64, last + 1 - 12 + to as u64)
        };
        assert_eq!((hot(20), hot(21), hot(22)), ((15, 18), (15, 18), (15, 18)));
    }
}
