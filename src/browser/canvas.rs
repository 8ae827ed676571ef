//! Draws on a canvas: once a tick at most, at the element's own size, as sharp as the screen is.

use super::backend;
use crate::{
    app::{CanvasContent, PageState},
    charts::{Colour, Palette, Viewport, draw, heatmap},
    schema::INTERVAL_MS,
};
use leptos::{html::Canvas, prelude::*, wasm_bindgen::JsCast};
use plotters::{coord::Shift, prelude::*, style::RGBColor};
use send_wrapper::SendWrapper;
use std::{
    cell::{Cell, OnceCell, RefCell},
    convert::Infallible,
    rc::Rc,
};
use wasm_bindgen::closure::Closure;
use web_sys::{CanvasRenderingContext2d, Element, ResizeObserver};

/// Line width in CSS pixels; the first response's drawing has the same.
const STROKE: f64 = 2.0;

/// What is drawn where.
struct Drawing {
    canvas: NodeRef<Canvas>,
    context: OnceCell<CanvasRenderingContext2d>,
    /// In CSS pixels, which need not be whole.
    size: Cell<(f64, f64)>,
    /// In pixels of its own, once it has as many as the screen.
    pixels: Cell<(u32, u32)>,
    /// Whether it may be shown in place of what the server drew.
    drawn: RwSignal<bool>,
    content: CanvasContent,
}

/// Everything that is drawn.
#[derive(Clone)]
struct Drawings(SendWrapper<Rc<RefCell<Vec<Drawing>>>>);

/// Keeps what [`paint`] is given drawn. All at once: a browser takes longer to tell the colours than to draw a chart in them,
/// and it tells all that a change of the page's width resizes in one go.
pub(super) fn follow(state: PageState) {
    let drawings = Drawings(SendWrapper::new(Rc::default()));
    provide_context(drawings.clone());
    let measured = drawings.clone();
    let measure = Closure::<dyn FnMut()>::new(move || {
        if measured.0.borrow().iter().map(Drawing::measure).fold(false, |any, changed| any | changed) {
            state.window.notify();
        }
    });
    let Ok(observer) = ResizeObserver::new(measure.as_ref().unchecked_ref()) else { return };
    let kept = SendWrapper::new((observer.clone(), measure));
    on_cleanup(move || kept.0.disconnect());
    let moment = moment(state, drawings.clone());
    Effect::new(move |_| {
        for canvas in drawings.0.borrow().iter().filter_map(|drawing| drawing.canvas.get()) {
            observer.observe(&canvas);
        }
        let drawings = drawings.clone();
        Effect::new(move |_| {
            state.theme.track();
            moment.get();
            let Some(palette) = document().document_element().as_ref().and_then(palette) else {
                return leptos::logging::error!("the charts could not be drawn: no colours");
            };
            drawings.0.borrow().iter().for_each(|drawing| drawing.draw(state, &palette));
        });
    });
}

/// The newest second, whenever there is something to draw. A tick that would move the widest drawing by less than a pixel waits
/// for the next, and one behind what is held moves nothing.
fn moment(state: PageState, drawings: Drawings) -> Memo<f64> {
    Memo::new_owning(move |seen| {
        let widest = drawings.0.borrow().iter().map(|drawing| drawing.pixels.get().0).max().unwrap_or(0);
        let ticks = if state.slice().seconds > widest as usize { 2 } else { 1 };
        let end = state.window.with(|window| window.end()).unwrap_or_default();
        let moved = |seen: u64| {
            state.frozen.with(Option::is_none) && seen / (ticks * INTERVAL_MS) != end / (ticks * INTERVAL_MS)
        };
        // What comes without a tick is something else, such as more of the past.
        let draws = seen.is_none_or(|seen| seen as u64 == end || moved(seen as u64));
        (end as f64, draws)
    })
}

/// Keeps `canvas` drawn; sets `drawn` once it can replace the server's SVG.
pub(super) fn paint(canvas: NodeRef<Canvas>, drawn: RwSignal<bool>, content: CanvasContent) {
    let (context, size, pixels) = (OnceCell::new(), Cell::default(), Cell::default());
    let drawing = Drawing { canvas, context, size, pixels, drawn, content };
    expect_context::<Drawings>().0.borrow_mut().push(drawing);
}

impl Drawing {
    /// Takes the canvas' size, and tells whether it has changed.
    fn measure(&self) -> bool {
        let Some(canvas) = self.canvas.get_untracked() else { return false };
        let rect = canvas.get_bounding_client_rect();
        let size = (rect.width(), rect.height());
        self.size.replace(size) != size
    }

    fn draw(&self, state: PageState, palette: &Palette) {
        let (width, height) = self.size.get();
        if width == 0.0 || height == 0.0 {
            return;
        }
        // Asked at every drawing: not every change of it, by zoom or another screen, comes with an event.
        let density = window().device_pixel_ratio();
        let pixels = |length: f64| (length * density + 0.5) as u32;
        let Some(context) = self.context((pixels(width), pixels(height))) else { return };
        let area = backend::Canvas { context, size: self.pixels.get() }.into_drawing_area();
        match self.draw_content(&area, state, palette, pixels(STROKE).max(1)) {
            Ok(()) if self.drawn.get_untracked() => {}
            Ok(()) => self.drawn.set(true),
            Err(error) => leptos::logging::error!("a chart could not be drawn: {error}"),
        }
    }

    /// Draws with lines of `stroke` pixels.
    fn draw_content(
        &self,
        area: &DrawingArea<backend::Canvas, Shift>,
        state: PageState,
        palette: &Palette,
        stroke: u32,
    ) -> Result<(), DrawingAreaErrorKind<Infallible>> {
        let slice = untrack(|| state.slice());
        match self.content {
            CanvasContent::Chart { chart, top, hidden } => state.gaps.with(|gaps| {
                let viewport = Viewport { slice, top: top.get(), hidden: hidden.get(), gaps };
                state.window.with_untracked(|window| draw(area, chart, window, &viewport, palette, stroke))
            }),
            CanvasContent::CoreHeatmap => {
                let cores = state.host.with_value(|host| host.cores);
                state.window.with_untracked(|window| heatmap(area, cores, window, slice, palette))
            }
        }
    }

    /// Of an empty canvas of so many pixels.
    fn context(&self, (width, height): (u32, u32)) -> Option<CanvasRenderingContext2d> {
        if self.context.get().is_none() {
            let context = self.canvas.get_untracked()?.get_context("2d").ok()??.dyn_into().ok()?;
            let _ = self.context.set(context);
        }
        let context = self.context.get()?;
        if self.pixels.get() == (width, height) {
            context.clear_rect(0.0, 0.0, width.into(), height.into());
        } else {
            // Clears the canvas and its state, and takes long.
            let canvas = context.canvas()?;
            canvas.set_width(width);
            canvas.set_height(height);
            self.pixels.set((width, height));
        }
        // As in the first response; left alone, it lengthens every sharp peak.
        context.set_line_join("round");
        Some(context.clone())
    }
}

/// The colours that the stylesheet has for all roles just now, in one list; `None` without a stylesheet.
fn palette(root: &Element) -> Option<Palette> {
    let style = window().get_computed_style(root).ok()??;
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
