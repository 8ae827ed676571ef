//! Applies the chosen theme to the page and stores the choice.

use super::storage::storage;
use crate::app::{PageState, Theme};
use leptos::prelude::*;
use send_wrapper::SendWrapper;
use wasm_bindgen::{JsCast, closure::Closure};

/// Key in local storage; the script in the page's head reads it before the first paint.
const KEY: &str = "theme";

/// Applies every change of the theme, and redraws when the system's colour scheme changes or the page is printed.
pub(super) fn follow(state: PageState) {
    Effect::new(move |before: Option<Theme>| {
        let theme = state.theme.get();
        let storage = storage();
        let Some(before) = before else {
            let stored = storage.and_then(|storage| storage.get_item(KEY).ok().flatten());
            if let Some(stored) = stored.and_then(|name| Theme::of_str(&name)) {
                state.theme.set(stored);
            }
            return theme;
        };
        if let Some(root) = document().document_element() {
            // Fails only for an invalid attribute name.
            let _ = root.set_attribute("data-theme", theme.as_str());
        }
        // Store changes only: another tab may have stored a newer choice.
        if let Some(storage) = storage.filter(|_| theme != before) {
            // The storage may be full.
            let _ = storage.set_item(KEY, theme.as_str());
        }
        theme
    });
    // Print always uses light colours.
    for query in ["(prefers-color-scheme: dark)", "print"] {
        on_media_change(query, move || state.theme.notify());
    }
}

/// Calls `changed` when the result of a media query changes, until the owner is cleaned up.
fn on_media_change(query: &str, changed: impl Fn() + 'static) {
    if let Ok(Some(query)) = window().match_media(query) {
        let listener = Closure::<dyn FnMut()>::new(changed);
        query.set_onchange(Some(listener.as_ref().unchecked_ref()));
        let registration = SendWrapper::new((query, listener));
        on_cleanup(move || registration.0.set_onchange(None));
    }
}
