//! Redraws every chart's canvas: at most once a tick, at the element's size in device pixels.

use super::canvas_backend::CanvasBackend;
use crate::{
    app::{CanvasContent, PageState},
    charts::{Palette, Viewport, draw, heatmap},
    schema::INTERVAL_MS,
};
use leptos::{html::Canvas, prelude::*, wasm_bindgen::JsCast};
use plotters::{coord::Shift, prelude::*};
use send_wrapper::SendWrapper;
use std::{
    cell::{Cell, OnceCell, RefCell},
    convert::Infallible,
    rc::Rc,
};
use wasm_bindgen::closure::Closure;
use web_sys::{CanvasRenderingContext2d, Element, ResizeObserver};

/// Line width in CSS pixels, equal to that of the server's SVG.
const STROKE_WIDTH: f64 = 2.0;

/// A canvas and the chart on it.
struct ChartCanvas {
    element: NodeRef<Canvas>,
    context: OnceCell<CanvasRenderingContext2d>,
    /// CSS pixels; may be fractional.
    size: Cell<(f64, f64)>,
    /// Device pixels, as of the last drawing.
    pixels: Cell<(u32, u32)>,
    /// Whether it replaces the server's SVG.
    drawn: RwSignal<bool>,
    content: CanvasContent,
}

/// All canvases of the page.
#[derive(Clone)]
struct ChartCanvases(SendWrapper<Rc<RefCell<Vec<ChartCanvas>>>>);

/// Redraws all canvases of [`paint`] together when the window, a size or the theme changes: reading the palette costs
/// more than drawing a chart, and a resize of the page reports all canvases at once.
pub(super) fn follow(state: PageState) {
    let canvases = ChartCanvases(SendWrapper::new(Rc::default()));
    provide_context(canvases.clone());
    let measured = canvases.clone();
    let measure = Closure::<dyn FnMut()>::new(move || {
        if measured.0.borrow().iter().map(ChartCanvas::measure).fold(false, |any, changed| any | changed) {
            state.window.notify();
        }
    });
    let Ok(observer) = ResizeObserver::new(measure.as_ref().unchecked_ref()) else { return };
    let registration = SendWrapper::new((observer.clone(), measure));
    on_cleanup(move || registration.0.disconnect());
    let draw_time = draw_time(state, canvases.clone());
    Effect::new(move |_| {
        for element in canvases.0.borrow().iter().filter_map(|canvas| canvas.element.get()) {
            observer.observe(&element);
        }
        let canvases = canvases.clone();
        Effect::new(move |_| {
            state.theme.track();
            draw_time.get();
            let Some(palette) = document().document_element().as_ref().and_then(palette) else {
                return leptos::logging::error!("charts not drawn: the stylesheet has no --palette");
            };
            canvases.0.borrow().iter().for_each(|canvas| canvas.draw(state, &palette));
        });
    });
}

/// The newest second (unix ms); notifies when the charts need redrawing. If a tick moves even the widest chart by less
/// than a pixel, only every other tick notifies. A frozen view ignores ticks.
fn draw_time(state: PageState, canvases: ChartCanvases) -> Memo<f64> {
    Memo::new_owning(move |drawn| {
        let widest = canvases.0.borrow().iter().map(|canvas| canvas.pixels.get().0).max().unwrap_or(0);
        let ticks = if state.slice().seconds > widest as usize { 2 } else { 1 };
        let end = state.window.with(|window| window.end()).unwrap_or_default();
        let moved = |drawn: u64| {
            state.frozen.with(Option::is_none) && drawn / (ticks * INTERVAL_MS) != end / (ticks * INTERVAL_MS)
        };
        // A notification without a new tick comes from another change, such as a resize or more history.
        let redraws = drawn.is_none_or(|drawn| drawn as u64 == end || moved(drawn as u64));
        (end as f64, redraws)
    })
}

/// Keeps `canvas` drawn; sets `drawn` once it can replace the server's SVG.
pub(super) fn paint(canvas: NodeRef<Canvas>, drawn: RwSignal<bool>, content: CanvasContent) {
    let (context, size, pixels) = (OnceCell::new(), Cell::default(), Cell::default());
    let chart_canvas = ChartCanvas { element: canvas, context, size, pixels, drawn, content };
    expect_context::<ChartCanvases>().0.borrow_mut().push(chart_canvas);
}

impl ChartCanvas {
    /// Measures the element; true if its size changed.
    fn measure(&self) -> bool {
        let Some(element) = self.element.get_untracked() else { return false };
        let rect = element.get_bounding_client_rect();
        let size = (rect.width(), rect.height());
        self.size.replace(size) != size
    }

    fn draw(&self, state: PageState, palette: &Palette) {
        let (width, height) = self.size.get();
        if width == 0.0 || height == 0.0 {
            return;
        }
        // Read at every drawing: not every change by zoom or another screen fires an event.
        let density = window().device_pixel_ratio();
        let pixels = |length: f64| (length * density + 0.5) as u32;
        let Some(context) = self.context((pixels(width), pixels(height))) else { return };
        let area = CanvasBackend { context, size: self.pixels.get() }.into_drawing_area();
        match self.draw_content(&area, state, palette, pixels(STROKE_WIDTH).max(1)) {
            Ok(()) if self.drawn.get_untracked() => {}
            Ok(()) => self.drawn.set(true),
            Err(error) => leptos::logging::error!("chart not drawn: {error}"),
        }
    }

    /// Draws with lines of `stroke` pixels.
    fn draw_content(
        &self,
        area: &DrawingArea<CanvasBackend, Shift>,
        state: PageState,
        palette: &Palette,
        stroke: u32,
    ) -> Result<(), DrawingAreaErrorKind<Infallible>> {
        let slice = untrack(|| state.slice());
        match self.content {
            CanvasContent::Chart { panel, top, hidden } => state.spans.with(|spans| {
                let viewport = Viewport { slice, top: top.get(), hidden: hidden.get(), spans };
                state.window.with_untracked(|window| {
                    panel.with_value(|panel| draw(area, &panel.chart, window, &viewport, palette, stroke))
                })
            }),
            CanvasContent::CoreHeatmap => {
                let cores = state.host.with_value(|host| host.cores);
                state.window.with_untracked(|window| heatmap(area, cores, window, slice, palette))
            }
        }
    }

    /// The context of a cleared canvas of this size in device pixels.
    fn context(&self, (width, height): (u32, u32)) -> Option<CanvasRenderingContext2d> {
        if self.context.get().is_none() {
            let context = self.element.get_untracked()?.get_context("2d").ok()??.dyn_into().ok()?;
            let _ = self.context.set(context);
        }
        let context = self.context.get()?;
        if self.pixels.get() == (width, height) {
            context.clear_rect(0.0, 0.0, width.into(), height.into());
        } else {
            // Also clears the canvas and resets its state; slower than `clear_rect`.
            let canvas = context.canvas()?;
            canvas.set_width(width);
            canvas.set_height(height);
            self.pixels.set((width, height));
        }
        // As in the server's SVG; the default, a mitre, lengthens sharp peaks.
        context.set_line_join("round");
        Some(context.clone())
    }
}

/// The palette of the current theme, from the stylesheet's `--palette`; `None` without a stylesheet.
fn palette(root: &Element) -> Option<Palette> {
    let style = window().get_computed_style(root).ok()??;
    Palette::of_css(&style.get_property_value("--palette").ok()?)
}
