//! Controls which seconds are in view: pause, resume, zoom and step, with the button, the bar and the keys for them.

use super::{FrozenView, PageState, TimeRange, page_state::text};
use leptos::{ev, prelude::*, wasm_bindgen::JsCast};

/// Id of the pause button.
const PAUSE_BUTTON: &str = "pause";

/// Pauses and resumes the charts.
#[component]
pub(super) fn PauseButton() -> impl IntoView {
    let state = expect_context::<PageState>();
    let is_frozen = move || state.frozen.get().is_some();
    let name = text(move || if is_frozen() { "Resume" } else { "Pause" }.to_owned());
    let symbol = text(move || if is_frozen() { "▶" } else { "❚❚" }.to_owned());
    view! {
        <button id=PAUSE_BUTTON class="tool" type="button" aria-label=name title=name on:click=move |_| state.toggle_pause()>
            {symbol}
        </button>
    }
}

/// The seconds of the frozen view, with buttons to step through the history and to resume.
#[component]
pub(super) fn FrozenBar() -> impl IntoView {
    let state = expect_context::<PageState>();
    let of_end = move |format: fn(PageState, FrozenView) -> String| {
        text(move || state.frozen.get().map_or(String::new(), |frozen| format(state, frozen)))
    };
    let from = of_end(|state, frozen| state.time(frozen.tick_at(frozen.seconds - 1)));
    let to = of_end(|state, frozen| state.time(frozen.last));
    let zone = of_end(|state, frozen| state.zone(frozen.last));
    let is_live = Signal::derive(move || state.frozen.get().is_none());
    let step = move |earlier: bool| {
        let start = state.window.with_untracked(|window| window.start()).unwrap_or_default();
        state.freeze(|frozen, end| frozen.stepped(earlier, start, end));
    };
    let resume = move |_| {
        state.resume();
        // The bar disappears with its buttons: keyboard users continue on the pause button.
        if let Some(button) = document().get_element_by_id(PAUSE_BUTTON) {
            (state.ports.focus)(button.unchecked_ref());
        }
    };
    view! {
        <nav class="held" aria-label="History" hidden=is_live>
            <button type="button" aria-label="Earlier" on:click=move |_| step(true)>"←"</button>
            <p role="status"><time>{from}</time>"–"<time>{to}</time>" "{zone}</p>
            <button type="button" aria-label="Later" on:click=move |_| step(false)>"→"</button>
            <button type="button" on:click=resume>"Live"</button>
        </nav>
    }
}

impl PageState {
    /// Freezes the view at what `choose` returns for the current view and the newest tick (unix ms).
    pub(super) fn freeze(self, choose: impl FnOnce(FrozenView, u64) -> FrozenView) {
        let end = self.window.with_untracked(|window| window.end()).unwrap_or_default();
        let frozen = self.frozen.get_untracked().unwrap_or_else(|| FrozenView::of(untrack(|| self.slice()), end));
        self.show(Some(choose(frozen, end)), self.time_range.get_untracked());
    }

    /// Follows the newest second again.
    pub(super) fn resume(self) {
        self.show(None, self.time_range.get_untracked());
    }

    /// Shows a frozen view, or the newest `time_range` without one. The crosshair stays on its second while that is in
    /// view; a selection ends.
    pub(super) fn show(self, frozen: Option<FrozenView>, time_range: TimeRange) {
        let slice = || untrack(|| self.slice());
        let pointed = self.pointed.get_untracked().map(|age| slice().skip + age);
        self.frozen.set(frozen);
        if self.time_range.get_untracked() != time_range {
            self.time_range.set(time_range);
        }
        self.selected.set(None);
        let age = pointed.and_then(|age| age.checked_sub(slice().skip));
        self.point_at(age.filter(|age| *age < slice().seconds));
    }

    fn toggle_pause(self) {
        if self.frozen.get_untracked().is_some() {
            self.resume();
        } else {
            self.freeze(|frozen, _| frozen);
        }
    }

    /// Pauses with the space bar and zooms around the crosshair with `+` and `-`. Returns whether the key was handled.
    pub(super) fn press_view_key(self, event: &ev::KeyboardEvent, key: &str) -> bool {
        match key {
            // Scrolls the page up.
            " " if event.shift_key() => return false,
            " " if event.repeat() => {}
            " " => self.toggle_pause(),
            "+" | "-" => {
                let age = self.pointed.get_untracked().unwrap_or(0).min(untrack(|| self.slice()).seconds - 1);
                self.freeze(|frozen, end| frozen.zoomed(key == "+", age, TimeRange::LONGEST.seconds(), end));
            }
            _ => return false,
        }
        true
    }
}
