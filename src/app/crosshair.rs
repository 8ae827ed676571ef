//! Points at one second in all charts at once: with a mouse, a finger or the keys.

use super::{State, state::text};
use crate::charts::units::{decimal, time_of_day};
use leptos::{ev, prelude::*};

/// Seconds that a page key goes.
const PAGE: usize = 10;

/// The line at the second that is pointed at, and its time.
#[component]
pub(super) fn Crosshair() -> impl IntoView {
    let state = expect_context::<State>();
    let x = text(move || {
        let last = state.span.get().seconds() - 1;
        decimal((last - state.pointed.get().unwrap_or(0).min(last)) as f64 / last as f64 * 1000.0, 1)
    });
    let time = text(move || {
        let now = state.window.with(|window| window.end()).unwrap_or_default();
        time_of_day(now.saturating_sub(state.pointed.get().unwrap_or(0) as u64 * 1000))
    });
    let nowhere = Signal::derive(move || state.pointed.get().is_none());
    view! {
        <div class="crosshair" hidden=nowhere aria-hidden="true">
            <svg viewBox="0 0 1000 1" preserveAspectRatio="none"><line x1=x x2=x y1="0" y2="1"></line></svg>
            <time>{time}</time>
        </div>
    }
}

impl State {
    /// Points at where a pointer is in a drawing.
    pub(super) fn point(self, event: &ev::PointerEvent) {
        let last = self.span.get_untracked().seconds() - 1;
        let width = event_target::<leptos::web_sys::Element>(event).client_width();
        let part = f64::from(event.offset_x()) / f64::from(width.max(1));
        self.point_at(Some(((1.0 - part.clamp(0.0, 1.0)) * last as f64).round() as usize));
    }

    /// Points at nothing once a mouse has left. A finger that is lifted has pointed, until it taps elsewhere.
    pub(super) fn leave(self, event: &ev::PointerEvent) {
        if event.pointer_type() != "touch" {
            self.point_at(None);
        }
    }

    /// Points at the second that lies so many before the newest, or at none.
    pub(super) fn point_at(self, age: Option<usize>) {
        if self.pointed.get_untracked() != age {
            self.pointed.set(age);
        }
    }

    /// Moves on with the keys of a slider (the ARIA Authoring Practices have them).
    pub(super) fn press(self, event: &ev::KeyboardEvent) {
        let last = self.span.get_untracked().seconds() - 1;
        if let Some(age) = moved(self.pointed.get_untracked(), last, &event.key()) {
            event.prevent_default();
            self.point_at(age);
        }
    }
}

/// What a key makes of the second that is pointed at; `None` of a key that means nothing here.
fn moved(pointed: Option<usize>, last: usize, key: &str) -> Option<Option<usize>> {
    let age = pointed.unwrap_or(0).min(last);
    let age = match key {
        "ArrowLeft" if pointed.is_none() => 0,
        "ArrowLeft" => age + 1,
        "ArrowRight" => age.saturating_sub(1),
        "PageUp" => age + PAGE,
        "PageDown" => age.saturating_sub(PAGE),
        "Home" => last,
        "End" => 0,
        "Escape" => return Some(None),
        _ => return None,
    };
    Some(Some(age.min(last)))
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
            pointed = moved(pointed, 59, key).unwrap();
            assert_eq!(pointed, Some(age), "after {key}");
        }
        assert_eq!(moved(pointed, 59, "Escape"), Some(None));
        assert_eq!(moved(None, 59, "ArrowLeft"), Some(Some(0)), "first of all, the newest");
        assert_eq!(moved(Some(900), 59, "ArrowRight"), Some(Some(58)), "the window may have become shorter");
        assert_eq!(moved(pointed, 59, "Tab"), None);
    }
}
