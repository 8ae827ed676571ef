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

#[cfg(feature = "hydrate")]
pub use canvas::{Draw, paint};
pub use election::{Election, ElectionMessage, ElectionOutcome};
#[cfg(feature = "hydrate")]
pub use json::initial_data;
pub use reconnect_policy::{ReconnectPolicy, StreamAction, Transport};
#[cfg(feature = "hydrate")]
pub use storage::remember;

/// Puts the focus on an element, and leaves the page scrolled as it is.
#[cfg(feature = "hydrate")]
pub fn focus(element: &web_sys::HtmlElement) {
    let options = web_sys::FocusOptions::new();
    options.set_prevent_scroll(true);
    // What can't have it doesn't.
    let _ = element.focus_with_options(&options);
}

/// Keeps the page's state up to date from here on.
#[cfg(feature = "hydrate")]
pub fn follow(state: crate::app::PageState) {
    theme::follow(state);
    canvas::follow(state);
    stream::follow(state);
    address::follow(state);
}
