//! Points at one second in all charts, and selects a range of seconds, with a mouse, a finger or the keyboard.

use super::{PageState, page_state::text};
use crate::units::decimal;
use leptos::{attr::Attribute, ev, prelude::*, tachys::html::event::on, wasm_bindgen::JsCast, web_sys::Element};

/// Seconds that a page key moves the crosshair.
const PAGE_STEP: usize = 10;
/// The least part of the view that is a selection; a shorter drag is an unsteady click.
const MIN_SELECTION: f64 = 0.02;
/// The part of the view within which the crosshair is at an annotation.
const REACH: usize = 100;
/// Width of the SVG, in its own units.
const WIDTH: f64 = 1000.0;

/// The line at the second pointed at, its time, and the selection.
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
    let time = text(move || state.pointed.get().map_or(String::new(), |age| state.moment(age)));
    let is_hidden = Signal::derive(move || state.pointed.get().is_none());
    view! {
        <div class="crosshair" hidden=is_hidden aria-hidden="true">
            <svg viewBox="0 0 1000 1" preserveAspectRatio="none">
                <rect x=left width=width height="1"></rect>
                <line x1=line x2=line y1="0" y2="1"></line>
            </svg>
            <time>{time}</time>
        </div>
    }
}

impl PageState {
    /// The tick `age` seconds before the last in view, unix ms.
    pub(super) fn tick_at(self, age: usize) -> u64 {
        let (end, step_ms) = self.window.with(|window| (window.end().unwrap_or_default(), window.step_ms()));
        end.saturating_sub((self.slice().skip + age) as u64 * step_ms)
    }

    /// The time of a second of the view, and the annotations there.
    pub(super) fn moment(self, age: usize) -> String {
        // A line is narrow, and so is a second of a long view.
        let step_ms = self.window.with(|window| window.step_ms());
        let reach = (self.slice().seconds / REACH) as u64 * step_ms + step_ms / 2;
        let tick = self.tick_at(age);
        let mut moment = self.time(tick);
        self.spans.with(|spans| {
            for span in spans {
                if !span.is_gap() && span.first <= tick + reach && span.last + reach >= tick {
                    moment = [&*moment, " \u{b7} ", &span.text].concat();
                }
            }
        });
        moment
    }

    /// Event listeners of a drawing.
    pub(super) fn pointer_listeners(self) -> impl Attribute {
        (
            on(ev::pointermove, move |event| self.pointer_moved(&event)),
            on(ev::pointerdown, move |event| self.pointer_pressed(&event)),
            on(ev::pointerup, move |event| self.pointer_released(&event)),
            on(ev::pointercancel, move |_| self.clear_crosshair()),
            on(ev::pointerleave, move |event| self.pointer_left(&event)),
            on(ev::dblclick, move |event| {
                self.resume();
                self.point_at(Some(self.age_below(&event)));
            }),
            on(ev::blur, move |event| self.focus_left(&event)),
        )
    }

    /// Points at the second below the pointer. A second finger moves the other end of the selection instead.
    fn pointer_moved(self, event: &ev::PointerEvent) {
        let age = Some(self.age_below(event));
        if !is_touch(event) || self.finger.get_value() == Some(event.pointer_id()) {
            self.point_at(age);
        } else if self.selected.get_untracked().is_some() {
            self.selected.set(age);
        }
    }

    /// Seconds from the second below the pointer to the last in view.
    fn age_below(self, event: &ev::MouseEvent) -> usize {
        let last = untrack(|| self.slice()).seconds - 1;
        let width = event_target::<Element>(event).client_width();
        let part = f64::from(event.offset_x()) / f64::from(width.max(1));
        ((1.0 - part.clamp(0.0, 1.0)) * last as f64 + 0.5) as usize
    }

    /// Starts a selection with the main button of a mouse, a pen, or a second finger; the first finger points.
    fn pointer_pressed(self, event: &ev::PointerEvent) {
        // The primary finger may be a thumb that rests beside the drawings.
        let first = event.is_primary() || self.finger.get_value().is_none();
        if is_touch(event) && first {
            self.finger.set_value(Some(event.pointer_id()));
        }
        self.pointer_moved(event);
        if is_touch(event) != first && event.button() == 0 {
            // A selection that leaves the drawing ends at its edge.
            if let Some(drawing) = event.current_target() {
                let _ = drawing.unchecked_into::<Element>().set_pointer_capture(event.pointer_id());
            }
            self.selected.set(Some(self.age_below(event)));
        }
    }

    /// Zooms to the selection.
    fn pointer_released(self, event: &ev::PointerEvent) {
        if self.finger.get_value() == Some(event.pointer_id()) {
            self.finger.set_value(None);
            // A finger that has moved is no tap, so the browser hasn't moved the focus.
            if let Some(drawing) = event.current_target() {
                (self.ports.focus)(drawing.unchecked_ref());
            }
        }
        let ages = self.selected.get_untracked().zip(self.pointed.get_untracked());
        self.selected.set(None);
        let least = untrack(|| self.slice()).seconds as f64 * MIN_SELECTION;
        if let Some((from, to)) = ages.filter(|(from, to)| from.abs_diff(*to) as f64 >= least) {
            self.freeze(|frozen, _| frozen.between(from, to));
            self.point_at(None);
        }
    }

    /// Hides the crosshair once a mouse has left. After a touch it stays until a tap elsewhere.
    fn pointer_left(self, event: &ev::PointerEvent) {
        if !is_touch(event) {
            self.point_at(None);
        }
    }

    /// Hides the crosshair once the focus has left the drawings. A press on another drawing points there before the
    /// focus moves.
    fn focus_left(self, event: &ev::FocusEvent) {
        let to = event.related_target().map(|to| to.unchecked_into::<Element>());
        if !to.is_some_and(|to| to.class_list().contains("drawing")) {
            self.clear_crosshair();
        }
    }

    /// Hides the crosshair and drops the selection.
    fn clear_crosshair(self) {
        self.finger.set_value(None);
        self.selected.set(None);
        self.point_at(None);
    }

    /// Points at the second `age` seconds before the last in view, or at none.
    pub(super) fn point_at(self, age: Option<usize>) {
        if self.pointed.get_untracked() != age {
            self.pointed.set(age);
        }
    }

    /// Moves the crosshair with the keys of a slider (ARIA Authoring Practices), and controls the view. Returns whether
    /// the key was handled; shortcuts with Ctrl, Meta or Alt are left to the browser.
    pub(super) fn press(self, event: &ev::KeyboardEvent) -> bool {
        if event.ctrl_key() || event.meta_key() || event.alt_key() {
            return false;
        }
        let key = event.key();
        if key == "Escape" {
            self.clear_crosshair();
        } else if !self.press_view_key(event, &key) {
            let last = untrack(|| self.slice()).seconds - 1;
            let Some(age) = moved(self.pointed.get_untracked(), last, &key) else { return false };
            self.point_at(Some(age));
        }
        event.prevent_default();
        true
    }
}

fn is_touch(event: &ev::PointerEvent) -> bool {
    event.pointer_type() == "touch"
}

/// The age that `key` moves the crosshair to; `None` for any other key. `last` is the greatest age in view.
fn moved(pointed: Option<usize>, last: usize, key: &str) -> Option<usize> {
    let age = pointed.unwrap_or(0).min(last);
    let age = match key {
        "ArrowLeft" if pointed.is_none() => 0,
        "ArrowLeft" => age + 1,
        "ArrowRight" => age.saturating_sub(1),
        "PageUp" => age + PAGE_STEP,
        "PageDown" => age.saturating_sub(PAGE_STEP),
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
    fn keys_move_crosshair_within_the_view() {
        let mut pointed = None;
        let steps = [
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
        for (key, age) in steps {
            pointed = moved(pointed, 59, key);
            assert_eq!(pointed, Some(age), "after {key}");
        }
        assert_eq!(moved(None, 59, "ArrowLeft"), Some(0), "the first key shows the newest second");
        assert_eq!(moved(Some(900), 59, "ArrowRight"), Some(58), "the view may have become shorter");
        assert_eq!(moved(pointed, 59, "Tab"), None);
    }
}
