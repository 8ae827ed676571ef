//! What the views need of the browser: canvases, focus, storage and the stream. `browser` implements it.

use super::{PageState, TableState};
use crate::{charts::Hidden, panels::Panel};
use leptos::{html, prelude::*, web_sys::HtmlElement};
use std::sync::Arc;

/// The browser's side of the page. Plain function pointers add next to nothing to the library.
#[derive(Clone, Copy, Debug)]
pub struct Ports {
    /// Keeps a canvas drawn, and sets the signal once the canvas can replace the server's SVG.
    pub paint: fn(NodeRef<html::Canvas>, RwSignal<bool>, CanvasContent),
    /// Moves the focus to an element without scrolling the page.
    pub focus: fn(&HtmlElement),
    /// Restores the state of the table with this id and stores every change. The flag tells whether the page has filter
    /// fields; without, the filter isn't restored and nothing is stored.
    pub remember: fn(String, RwSignal<TableState>, bool),
    /// Minutes that the reader's zone is ahead of UTC at a tick (unix ms).
    pub zone_offset: fn(u64) -> i32,
    /// Keeps the page's state up to date.
    pub follow: fn(PageState),
}

impl Ports {
    /// Does nothing: for the server, which only renders.
    pub const NONE: Self =
        Self { paint: |_, _, _| {}, focus: |_| {}, remember: |_, _, _| {}, zone_offset: |_| 0, follow: |_| {} };
}

/// What a canvas shows of the page's state.
#[derive(Clone, Copy, Debug)]
pub enum CanvasContent {
    /// A chart.
    Chart {
        /// The panel that has it.
        panel: StoredValue<Arc<Panel>>,
        /// The value at its upper edge.
        top: Memo<f64>,
        /// Its hidden series.
        hidden: RwSignal<Hidden>,
    },
    /// CPU usage by core as a heatmap.
    CoreHeatmap,
}
