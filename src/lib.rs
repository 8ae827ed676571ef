//! Hostbeat: a dashboard that samples its host once a second and streams every sample to the browser.
//!
//! The crate is built twice: feature `ssr` makes the server, feature `hydrate` the browser library (wasm32). `schema`,
//! `units`, `charts`, `app` and `sse` are in both. `browser` implements the ports of `app`, which depends on neither
//! side.

#[expect(unreachable_pub, reason = "leptos' component macro makes every component public")]
pub mod app;
pub mod browser;
pub mod charts;
pub mod panels;
#[cfg(feature = "ssr")]
pub mod probe;
pub mod schema;
#[cfg(all(test, feature = "ssr"))]
mod series_paths;
#[cfg(feature = "ssr")]
pub mod server;
pub mod sse;
pub mod units;
#[cfg(feature = "ssr")]
pub mod verdict;

/// Hydrates the server-rendered page; the script in the page's head calls it once.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    // The release build has no panic messages to print.
    if cfg!(debug_assertions) {
        console_error_panic_hook::set_once();
    }
    match browser::initial_data() {
        Some(initial_data) => leptos::mount::hydrate_body(move || app::dashboard(initial_data, &browser::PORTS)),
        None => leptos::logging::error!("the page has no initial data"),
    }
}
