//! Hostbeat shows how a host is doing, second by second, in a browser tab.
//!
//! Built twice: with `ssr` as the server's library, with `hydrate` as the browser's. `metrics`, `charts` and `app`
//! belong to both; what only one side can do stays in `server` or `browser`.

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
pub mod units;
#[cfg(feature = "ssr")]
pub mod verdict;

/// Takes over the page that the server rendered: called once by the script in the page's head.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    // The released library has nothing left that it could say of a panic.
    if cfg!(debug_assertions) {
        console_error_panic_hook::set_once();
    }
    match browser::initial_data() {
        Some(initial_data) => leptos::mount::hydrate_body(move || app::dashboard(initial_data)),
        None => leptos::logging::error!("the page carries no data to start from"),
    }
}
