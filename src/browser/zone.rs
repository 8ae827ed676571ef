//! Shows times in the reader's zone, or in UTC if that is chosen, and stores the choice.

use super::storage::storage;
use crate::app::PageState;
use js_sys::Date;
use leptos::{prelude::*, wasm_bindgen::JsValue};

/// Key in local storage.
const KEY: &str = "zone";
/// The stored choice of UTC; anything else is the reader's zone.
const UTC: &str = "utc";

/// Minutes that the reader's zone is ahead of UTC at `t` (unix ms).
pub(super) fn offset(t: u64) -> i32 {
    -Date::new(&JsValue::from_f64(t as f64)).get_timezone_offset() as i32
}

/// Applies the stored choice once the page is hydrated, and stores every change.
pub(super) fn follow(state: PageState) {
    Effect::new(move |before: Option<bool>| {
        let is_utc = state.is_utc.get();
        let storage = storage();
        let Some(before) = before else {
            let stored = storage.and_then(|storage| storage.get_item(KEY).ok().flatten());
            let is_utc = stored.as_deref() == Some(UTC);
            state.is_utc.set(is_utc);
            return is_utc;
        };
        if let Some(storage) = storage.filter(|_| is_utc != before) {
            // The storage may be full.
            let _ = storage.set_item(KEY, if is_utc { UTC } else { "local" });
        }
        is_utc
    });
}
