//! Keeps the sort and filter of tables in `localStorage`.

use crate::{app::TableState, panels::Sort};
use leptos::prelude::*;
use web_sys::Storage;

/// Restores the state of the table `id` and stores every change. A browser without storage stores nothing. On a page
/// without filter fields, only the sort is restored: a restored filter would hide rows with no sign of it.
pub(super) fn remember(id: String, state: RwSignal<TableState>, has_filter_field: bool) {
    Effect::new(move |before: Option<String>| {
        let now = state.with(|state| format!("{} {}", state.sort.to_text(), state.filter));
        match (storage(), before) {
            (Some(storage), Some(before)) if before != now && has_filter_field => {
                // The storage may be full.
                let _ = storage.set_item(&id, &now);
            }
            (Some(storage), None) => {
                if let Some(stored) = storage.get_item(&id).ok().flatten() {
                    restore(state, &stored, has_filter_field);
                }
            }
            _ => {}
        }
        now
    });
}

fn restore(state: RwSignal<TableState>, stored: &str, has_filter_field: bool) {
    if let Some((sort, filter)) = stored.split_once(' ')
        && let Some(sort) = Sort::of_text(sort)
    {
        let filter = if has_filter_field { filter } else { "" };
        state.update(|state| (state.sort, state.filter) = (sort, filter.to_owned()));
    }
}

/// This origin's storage, if the browser allows it.
pub(super) fn storage() -> Option<Storage> {
    window().local_storage().ok()?
}
