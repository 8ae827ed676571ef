//! Has the page in the theme that its reader wants, and remembers which.

use super::storage::storage;
use crate::app::{PageState, Theme};
use leptos::prelude::*;
use send_wrapper::SendWrapper;
use wasm_bindgen::{JsCast, closure::Closure};

/// What it is remembered by, here and in the page's head, which applies it before anything is drawn.
const KEY: &str = "theme";

/// Follows the choice, and the system, from here on.
pub(super) fn follow(state: PageState) {
    Effect::new(move |before: Option<Theme>| {
        let theme = state.theme.get();
        let storage = storage();
        let Some(before) = before else {
            let left = storage.and_then(|storage| storage.get_item(KEY).ok().flatten());
            if let Some(left) = left.and_then(|name| Theme::of_str(&name)) {
                state.theme.set(left);
            }
            return theme;
        };
        if let Some(root) = document().document_element() {
            // Refused only for what is no name of an attribute.
            let _ = root.set_attribute("data-theme", theme.as_str());
        }
        // What was chosen, and not what this tab has been left with: another may have chosen since.
        if let Some(storage) = storage.filter(|_| theme != before) {
            // It may be full.
            let _ = storage.set_item(KEY, theme.as_str());
        }
        theme
    });
    // Paper is light.
    for query in ["(prefers-color-scheme: dark)", "print"] {
        on_media_change(query, move || state.theme.notify());
    }
}

/// Calls `changed` whenever a media query begins or ceases to hold, until the owner is cleaned up.
fn on_media_change(query: &str, changed: impl Fn() + 'static) {
    if let Ok(Some(query)) = window().match_media(query) {
        let listener = Closure::<dyn FnMut()>::new(changed);
        query.set_onchange(Some(listener.as_ref().unchecked_ref()));
        let kept = SendWrapper::new((query, listener));
        on_cleanup(move || kept.0.set_onchange(None));
    }
}
