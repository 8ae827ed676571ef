//! Browser side (wasm): stream client, tab election, canvas drawing, local storage.

#[cfg(feature = "hydrate")]
mod address;
#[cfg(feature = "hydrate")]
mod canvas;
#[cfg(feature = "hydrate")]
mod canvas_backend;
mod election;
#[cfg(feature = "hydrate")]
mod http;
#[cfg(feature = "hydrate")]
mod json;
mod reconnect_policy;
#[cfg(feature = "hydrate")]
mod storage;
#[cfg(feature = "hydrate")]
mod stream;
#[cfg(feature = "hydrate")]
mod stream_source;
#[cfg(feature = "hydrate")]
mod tab_channel;
#[cfg(feature = "hydrate")]
mod theme;
mod tick_progress;
#[cfg(feature = "hydrate")]
mod zone;

pub use election::{Election, ElectionMessage, ElectionOutcome};
#[cfg(feature = "hydrate")]
pub use json::initial_data;
pub use reconnect_policy::{ReconnectPolicy, StreamAction, Transport};
pub use tick_progress::TickProgress;

/// The browser's implementation of what the views need.
#[cfg(feature = "hydrate")]
pub static PORTS: crate::app::Ports =
    crate::app::Ports { paint: canvas::paint, focus, remember: storage::remember, zone_offset: zone::offset, follow };

/// Moves the focus to an element without scrolling the page.
#[cfg(feature = "hydrate")]
fn focus(element: &web_sys::HtmlElement) {
    let options = web_sys::FocusOptions::new();
    options.set_prevent_scroll(true);
    // Fails only for an element that can't have the focus.
    let _ = element.focus_with_options(&options);
}

/// Keeps the page's state up to date from here on.
#[cfg(feature = "hydrate")]
fn follow(state: crate::app::PageState) {
    theme::follow(state);
    zone::follow(state);
    canvas::follow(state);
    stream::follow(state);
    address::follow(state);
}
