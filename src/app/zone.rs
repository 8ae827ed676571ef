//! The zone that the page's times are in: UTC as the server renders them, then the reader's own unless UTC is chosen.

use super::{PageState, page_state::text};
use crate::units::{time_of_day, zone_name};
use leptos::prelude::*;

/// Changes between the reader's zone and UTC, and names the one in use.
#[component]
pub(super) fn ZoneSwitch() -> impl IntoView {
    let state = expect_context::<PageState>();
    let zone = text(move || state.zone(state.window.with(|window| window.end()).unwrap_or_default()));
    let name = text(move || ["Time zone: ", &*zone.get()].concat());
    let switch = move |_| state.is_utc.update(|is_utc| *is_utc = !*is_utc);
    view! { <button class="tool zone" type="button" aria-label=name title=name on:click=switch>{zone}</button> }
}

impl PageState {
    /// Minutes that the page's zone is ahead of UTC at tick `t` (unix ms): they change with daylight saving time.
    fn offset(self, t: u64) -> i32 {
        if self.is_utc.get() { 0 } else { (self.ports.zone_offset)(t) }
    }

    /// Tick `t` (unix ms), shifted so that its UTC fields are those of the page's zone.
    pub(super) fn local(self, t: u64) -> u64 {
        t.saturating_add_signed(i64::from(self.offset(t)) * 60_000)
    }

    /// The page's zone at tick `t`: `UTC+2`.
    pub(super) fn zone(self, t: u64) -> String {
        zone_name(self.offset(t))
    }

    /// The time of day of tick `t`: `10:41:05`.
    pub(super) fn time(self, t: u64) -> String {
        time_of_day(self.local(t))
    }

    /// The time of day of tick `t` with its zone: `10:41:05 UTC+2`.
    pub(super) fn zoned_time(self, t: u64) -> String {
        [&self.time(t), " ", &*self.zone(t)].concat()
    }
}
