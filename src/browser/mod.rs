//! The browser's side: it follows the stream into the page's state, and draws that state on canvases.

#[cfg(feature = "hydrate")]
mod address;
#[cfg(feature = "hydrate")]
mod backend;
#[cfg(feature = "hydrate")]
mod canvas;
mod connection;
mod election;
#[cfg(feature = "hydrate")]
mod json;
#[cfg(feature = "hydrate")]
mod storage;
#[cfg(feature = "hydrate")]
mod stream;
#[cfg(feature = "hydrate")]
mod stream_source;
#[cfg(feature = "hydrate")]
mod tabs;
#[cfg(feature = "hydrate")]
mod theme;
#[cfg(feature = "hydrate")]
mod token;

#[cfg(feature = "hydrate")]
pub use canvas::{Draw, paint};
pub use connection::{Action, Connection, Transport};
pub use election::{Election, ElectionMessage, Outcome};
#[cfg(feature = "hydrate")]
pub use json::initial_data;
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
