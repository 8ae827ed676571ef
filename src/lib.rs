//! Hostbeat shows how a host is doing, second by second, in a browser tab.
//!
//! Built twice: with `ssr` as the server's library, with `hydrate` as the browser's. Both share `schema`, `charts` and
//! `app`. `browser` implements the ports of `app`; nothing in `app` depends on `browser` or `server`.

#[expect(unreachable_pub, reason = "leptos' component macro makes every component public")]
pub mod app;
pub mod browser;
pub mod charts;
#[cfg(feature = "ssr")]
pub mod probe;
pub mod schema;
#[cfg(feature = "ssr")]
pub mod server;
pub mod sse;
#[cfg(feature = "ssr")]
pub mod verdict;

/// Hydrates the page that the server rendered. A script in the page's head calls it once.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    // A release aborts on a panic without a message.
    if cfg!(debug_assertions) {
        console_error_panic_hook::set_once();
    }
    match browser::initial_data() {
        Some(initial_data) => leptos::mount::hydrate_body(move || app::dashboard(initial_data, &browser::PORTS)),
        None => leptos::logging::error!("the page has no initial data"),
    }
}
