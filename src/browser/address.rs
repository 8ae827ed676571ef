//! Keeps the chosen window in the page's address, so that a reload or a bookmark shows the same.

use crate::app::State;
use leptos::prelude::*;
use wasm_bindgen::JsValue;

/// Follows the choice from here on.
pub(super) fn follow(state: State) {
    Effect::new(move |before: Option<()>| {
        let span = state.span.get();
        let href = state.view.with_value(|view| view.href(span));
        if before.is_some()
            && let Ok(history) = window().history()
        {
            // Refused only for another origin's address, which this is not.
            let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(&href));
        }
    });
}
