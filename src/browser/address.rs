//! Keeps the time range in the page's address, so that a reload or a bookmark shows the same.

use crate::app::PageState;
use leptos::prelude::*;
use wasm_bindgen::JsValue;

/// Updates the address whenever the time range changes.
pub(super) fn follow(state: PageState) {
    Effect::new(move |before: Option<()>| {
        let time_range = state.time_range.get();
        let href = state.view.with_value(|view| view.href(time_range));
        if before.is_some()
            && let Ok(history) = window().history()
        {
            // Fails only for an address of another origin.
            let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(&href));
        }
    });
}
