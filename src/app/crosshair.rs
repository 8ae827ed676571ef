//! Points at one second in all charts at once: with a mouse, a finger or the keys.

use super::{FrozenView, PageState, TimeRange, page_state::text};
use crate::{
    schema::INTERVAL_MS,
    units::{decimal, time_of_day},
};
use leptos::{attr::Attribute, ev, prelude::*, tachys::html::event::on, wasm_bindgen::JsCast};

/// Seconds that a page key goes.
const PAGE: usize = 10;
/// The least part of the view that is a selection; less is a click whose hand wasn't still.
const SELECTION: f64 = 0.02;
/// Units of the drawing's width.
const WIDTH: f64 = 1000.0;

/// The line at the second that is pointed at, its time, and what is selected.
#[component]
pub(super) fn Crosshair() -> impl IntoView {
    let state = expect_context::<PageState>();
    let x = move |age: Option<usize>| {
        let last = state.slice().seconds - 1;
        (last - age.unwrap_or(0).min(last)) as f64 / last as f64 * WIDTH
    };
    let pointed = move || x(state.pointed.get());
    let selected = move || state.selected.get().map_or_else(pointed, |age| x(Some(age)));
    let line = text(move || decimal(pointed(), 1));
    let left = text(move || decimal(pointed().min(selected()), 1));
    let width = text(move || decimal((pointed() - selected()).abs(), 1));
    let time = text(move || state.pointed.get().map_or(String::new(), |age| time_of_day(state.tick(age))));
    let nowhere = Signal::derive(move || state.pointed.get().is_none());
    view! {
        <div class="crosshair" hidden=nowhere aria-hidden="true">
            <svg viewBox="0 0 1000 1" preserveAspectRatio="none">
                <rect x=left width=width height="1"></rect>
                <line x1=line x2=line y1="0" y2="1"></line>
            </svg>
            <time>{time}</time>
        </div>
    }
}

impl PageState {
    /// The tick that lies so many seconds before the last in view, unix ms.
    pub(super) fn tick(self, age: usize) -> u64 {
        let end = self.window.with(|window| window.end()).unwrap_or_default();
        end.saturating_sub((self.slice().skip + age) as u64 * INTERVAL_MS)
    }

    /// What a drawing listens to.
    pub(super) fn pointing(self) -> impl Attribute {
        (
            on(ev::pointermove, move |event| self.point(&event)),
            on(ev::pointerdown, move |event| self.select(&event)),
            on(ev::pointerup, move |event| self.look_closer(&event)),
            on(ev::pointercancel, move |_| self.let_go()),
            on(ev::pointerleave, move |event| self.leave(&event)),
            on(ev::dblclick, move |event| {
                self.go_on();
                self.point_at(Some(self.age_below(&event)));
            }),
            on(ev::blur, move |event| self.blur(&event)),
        )
    }

    /// Points at where a pointer is in a drawing. A second finger doesn't: it moves the other end of what is selected.
    fn point(self, event: &ev::PointerEvent) {
        let age = Some(self.age_below(event));
        if !touches(event) || self.finger.get_value() == Some(event.pointer_id()) {
            self.point_at(age);
        } else if self.selected.get_untracked().is_some() {
            self.selected.set(age);
        }
    }

    /// How many seconds before the last in view lies what is below a pointer in a drawing.
    fn age_below(self, event: &ev::MouseEvent) -> usize {
        let last = untrack(|| self.slice()).seconds - 1;
        let width = event_target::<leptos::web_sys::Element>(event).client_width();
        let part = f64::from(event.offset_x()) / f64::from(width.max(1));
        ((1.0 - part.clamp(0.0, 1.0)) * last as f64 + 0.5) as usize
    }

    /// Begins to select with the main button of a mouse, a pen, or a second finger; with one finger, one points.
    fn select(self, event: &ev::PointerEvent) {
        // The browser's first finger may be a thumb that rests beside the drawings.
        let first = event.is_primary() || self.finger.get_value().is_none();
        if touches(event) && first {
            self.finger.set_value(Some(event.pointer_id()));
        }
        self.point(event);
        if touches(event) != first && event.button() == 0 {
            // Out of the drawing, it selects up to the edge.
            if let Some(drawing) = event.current_target() {
                let _ = drawing.unchecked_into::<leptos::web_sys::Element>().set_pointer_capture(event.pointer_id());
            }
            self.selected.set(Some(self.age_below(event)));
        }
    }

    /// Shows what has been selected, and nothing else, once a pointer is lifted.
    fn look_closer(self, event: &ev::PointerEvent) {
        if self.finger.get_value() == Some(event.pointer_id()) {
            self.finger.set_value(None);
            // A finger that has moved is no tap, and the browser leaves the focus where it was.
            #[cfg(feature = "hydrate")]
            if let Some(drawing) = event.current_target() {
                crate::browser::focus(drawing.unchecked_ref());
            }
        }
        let ages = self.selected.get_untracked().zip(self.pointed.get_untracked());
        self.selected.set(None);
        let least = untrack(|| self.slice()).seconds as f64 * SELECTION;
        if let Some((from, to)) = ages.filter(|(from, to)| from.abs_diff(*to) as f64 >= least) {
            self.hold(|frozen, _| frozen.between(from, to));
            self.point_at(None);
        }
    }

    /// Keeps what `choose` makes of the view in view; it is told the newest tick, too.
    pub(super) fn hold(self, choose: impl FnOnce(FrozenView, u64) -> FrozenView) {
        let end = self.window.with_untracked(|window| window.end()).unwrap_or_default();
        let frozen = self.frozen.get_untracked().unwrap_or_else(|| FrozenView::hold(untrack(|| self.slice()), end));
        self.look(Some(choose(frozen, end)), self.time_range.get_untracked());
    }

    /// Lets the view go on with time.
    pub(super) fn go_on(self) {
        self.look(None, self.time_range.get_untracked());
    }

    /// Has another part of the window in view. The second that is pointed at stays the same, if that is still in view; a
    /// selection ends with the view that it was begun in.
    pub(super) fn look(self, frozen: Option<FrozenView>, time_range: TimeRange) {
        let slice = || untrack(|| self.slice());
        let back = self.pointed.get_untracked().map(|age| slice().skip + age);
        self.frozen.set(frozen);
        if self.time_range.get_untracked() != time_range {
            self.time_range.set(time_range);
        }
        self.selected.set(None);
        let age = back.and_then(|back| back.checked_sub(slice().skip));
        self.point_at(age.filter(|age| *age < slice().seconds));
    }

    /// Lets the view go on with time, or stops it.
    pub(super) fn pause(self) {
        if self.frozen.get_untracked().is_some() {
            self.go_on();
        } else {
            self.hold(|frozen, _| frozen);
        }
    }

    /// Points at nothing and selects nothing.
    fn let_go(self) {
        self.finger.set_value(None);
        self.selected.set(None);
        self.point_at(None);
    }

    /// Points at nothing once a mouse has left. A finger that is lifted has pointed, until it taps elsewhere.
    fn leave(self, event: &ev::PointerEvent) {
        if !touches(event) {
            self.point_at(None);
        }
    }

    /// Lets go once the focus has left the drawings. Who presses on another one points there before the focus follows.
    fn blur(self, event: &ev::FocusEvent) {
        let to = event.related_target().map(|to| to.unchecked_into::<leptos::web_sys::Element>());
        if !to.is_some_and(|to| to.class_list().contains("drawing")) {
            self.let_go();
        }
    }

    /// Points at the second that lies so many before the last in view, or at none.
    pub(super) fn point_at(self, age: Option<usize>) {
        if self.pointed.get_untracked() != age {
            self.pointed.set(age);
        }
    }

    /// Moves on with the keys of a slider (the ARIA Authoring Practices have them), stops, and looks closer. Whether the key
    /// means something here; with others beside it, it is the browser's.
    pub(super) fn press(self, event: &ev::KeyboardEvent) -> bool {
        if event.ctrl_key() || event.meta_key() || event.alt_key() {
            return false;
        }
        let last = untrack(|| self.slice()).seconds - 1;
        let pointed = self.pointed.get_untracked();
        let key = event.key();
        match &*key {
            " " if event.shift_key() => return false,
            " " if event.repeat() => {}
            " " => self.pause(),
            "+" | "-" => self.hold(|frozen, end| {
                frozen.zoomed(key == "+", pointed.unwrap_or(0).min(last), TimeRange::LONGEST.seconds(), end)
            }),
            "Escape" => self.let_go(),
            key => match moved(pointed, last, key) {
                Some(age) => self.point_at(Some(age)),
                None => return false,
            },
        }
        event.prevent_default();
        true
    }
}

fn touches(event: &ev::PointerEvent) -> bool {
    event.pointer_type() == "touch"
}

/// What a key makes of the second that is pointed at; `None` of a key that means nothing here.
fn moved(pointed: Option<usize>, last: usize, key: &str) -> Option<usize> {
    let age = pointed.unwrap_or(0).min(last);
    let age = match key {
        "ArrowLeft" if pointed.is_none() => 0,
        "ArrowLeft" => age + 1,
        "ArrowRight" => age.saturating_sub(1),
        "PageUp" => age + PAGE,
        "PageDown" => age.saturating_sub(PAGE),
        "Home" => last,
        "End" => 0,
        _ => return None,
    };
    Some(age.min(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_go_through_the_window_and_never_out_of_it() {
        let mut pointed = None;
        let went = [
            ("ArrowRight", 0),
            ("ArrowLeft", 1),
            ("PageUp", 11),
            ("ArrowRight", 10),
            ("Home", 59),
            ("PageUp", 59),
            ("PageDown", 49),
            ("End", 0),
            ("PageDown", 0),
        ];
        for (key, age) in went {
            pointed = moved(pointed, 59, key);
            assert_eq!(pointed, Some(age), "after {key}");
        }
        assert_eq!(moved(None, 59, "ArrowLeft"), Some(0), "first of all, the newest");
        assert_eq!(moved(Some(900), 59, "ArrowRight"), Some(58), "the window may have become shorter");
        assert_eq!(moved(pointed, 59, "Tab"), None);
    }
}
