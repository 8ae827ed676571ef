//! Draws on a canvas: once a tick, at the element's own size, as sharp as the screen is.

use super::backend;
use crate::{
    app::State,
    charts::{Colour, Palette},
};
use leptos::{html::Canvas, prelude::*, wasm_bindgen::JsCast};
use plotters::{coord::Shift, prelude::*, style::RGBColor};
use send_wrapper::SendWrapper;
use std::convert::Infallible;
use wasm_bindgen::closure::Closure;
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement, ResizeObserver};

/// Line width in CSS pixels; the first response's drawing has the same.
const STROKE: f64 = 2.0;

/// What is drawn on.
pub(super) type Area = DrawingArea<backend::Canvas, Shift>;
/// Draws in these colours with lines of so many pixels.
pub type Draw = Box<dyn Fn(&Area, &Palette, u32) -> Result<(), DrawingAreaErrorKind<Infallible>>>;

/// Keeps `canvas` drawn from here on; `drawn` tells when it may be shown in place of what the server drew.
pub fn paint(state: State, canvas: NodeRef<Canvas>, drawn: RwSignal<bool>, draw: Draw) {
    let size = RwSignal::new((0.0, 0.0));
    Effect::new(move |_| {
        if let Some(canvas) = canvas.get() {
            observe_size(&canvas, size);
        }
    });
    Effect::new(move |_| {
        state.theme.track();
        let (Some(canvas), (width, height)) = (canvas.get(), size.get()) else { return };
        if width == 0.0 || height == 0.0 {
            return;
        }
        // Asked at every drawing: not every change of it, by zoom or another screen, comes with an event.
        let density = leptos::prelude::window().device_pixel_ratio();
        let pixels = |length: f64| (length * density).round() as u32;
        // Setting the size clears the canvas and its state, and takes long.
        if (canvas.width(), canvas.height()) != (pixels(width), pixels(height)) {
            canvas.set_width(pixels(width));
            canvas.set_height(pixels(height));
        }
        let Some((context, palette)) = context(&canvas).zip(palette(&canvas)) else {
            return leptos::logging::error!("a chart could not be drawn: no colours");
        };
        context.clear_rect(0.0, 0.0, canvas.width().into(), canvas.height().into());
        // As in the first response; left alone, it lengthens every sharp peak.
        context.set_line_join("round");
        let area = backend::Canvas { context, size: (canvas.width(), canvas.height()) }.into_drawing_area();
        match draw(&area, &palette, (STROKE * density).round().max(1.0) as u32) {
            Ok(()) if drawn.get_untracked() => {}
            Ok(()) => drawn.set(true),
            Err(error) => leptos::logging::error!("a chart could not be drawn: {error}"),
        }
    });
}

fn context(canvas: &HtmlCanvasElement) -> Option<CanvasRenderingContext2d> {
    canvas.get_context("2d").ok()??.dyn_into().ok()
}

/// Keeps `size` at the canvas' size in CSS pixels, which need not be whole.
fn observe_size(canvas: &HtmlCanvasElement, size: RwSignal<(f64, f64)>) {
    let observed = canvas.clone();
    let measure = Closure::<dyn FnMut()>::new(move || {
        let rect = observed.get_bounding_client_rect();
        let now = (rect.width(), rect.height());
        if size.get_untracked() != now {
            size.set(now);
        }
    });
    if let Ok(observer) = ResizeObserver::new(measure.as_ref().unchecked_ref()) {
        observer.observe(canvas);
        let kept = SendWrapper::new((observer, measure));
        on_cleanup(move || kept.0.disconnect());
    }
}

/// The colours that the stylesheet has for all roles just now; `None` without a stylesheet. They are asked for in one list,
/// since a browser takes longer to tell a colour than to draw a line.
fn palette(canvas: &HtmlCanvasElement) -> Option<Palette> {
    let style = window().get_computed_style(canvas).ok()??;
    let list = style.get_property_value("--palette").ok()?;
    let mut colours = [RGBColor(0, 0, 0); Colour::ALL.len()];
    // As browsers serialise it: `rgb(47, 116, 208), rgb(11, 143, 134)`.
    let mut texts = list.split("rgb(").skip(1);
    for colour in &mut colours {
        let mut parts = texts.next()?.split(')').next()?.split(',').map(|part| part.trim().parse().ok());
        *colour = RGBColor(parts.next()??, parts.next()??, parts.next()??);
    }
    Some(Palette(colours))
}
