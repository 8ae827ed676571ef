//! Keeps how a table was left: in this browser, for the next time.

use crate::app::{Sort, TableState};
use leptos::prelude::*;
use web_sys::Storage;

/// Takes up how the table `id` was left, and remembers from here on how it is. A browser that lets nothing be kept keeps
/// nothing. Where nothing `can_be_typed`, what was typed elsewhere would hide rows with no sign of it: only the order is taken up.
pub fn remember(id: &'static str, reading: RwSignal<TableState>, can_be_typed: bool) {
    Effect::new(move |before: Option<String>| {
        let now = reading.with(|reading| format!("{} {}", reading.sort.to_text(), reading.filter));
        match (storage(), before) {
            (Some(storage), Some(before)) if before != now && can_be_typed => {
                // It may be full.
                let _ = storage.set_item(id, &now);
            }
            (Some(storage), None) => {
                if let Some(left) = storage.get_item(id).ok().flatten() {
                    take_up(reading, &left, can_be_typed);
                }
            }
            _ => {}
        }
        now
    });
}

fn take_up(reading: RwSignal<TableState>, left: &str, can_be_typed: bool) {
    if let Some((sort, filter)) = left.split_once(' ')
        && let Some(sort) = Sort::of_text(sort)
    {
        let filter = if can_be_typed { filter } else { "" };
        reading.update(|reading| (reading.sort, reading.filter) = (sort, filter.to_owned()));
    }
}

/// What this browser keeps for this page, if it keeps anything.
pub(super) fn storage() -> Option<Storage> {
    window().local_storage().ok()?
}
