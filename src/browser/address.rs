//! Keeps the chosen window in the page's address, so that a reload or a bookmark shows the same.

use crate::app::PageState;
use leptos::prelude::*;
use wasm_bindgen::JsValue;

/// Follows the choice from here on.
pub(super) fn follow(state: PageState) {
    Effect::new(move |before: Option<()>| {
        let time_range = state.time_range.get();
        let href = state.view.with_value(|view| view.href(time_range));
        if before.is_some()
            && let Ok(history) = window().history()
        {
            // Refused only for another origin's address, which this is not.
            let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(&href));
        }
    });
}
