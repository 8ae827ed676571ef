//! The footer: how many seconds in view were sampled, and the gaps between them.

use super::{PageState, page_state::text};
use crate::units::{seconds_between, timestamp};
use leptos::prelude::*;

/// As text: with JavaScript, browsers parse the content of `noscript` as text, and hydration expects the same nodes.
const NO_JAVASCRIPT: &str = "<p>Without JavaScript, this page reloads every 5 seconds.</p>";

#[component]
pub(super) fn Coverage() -> impl IntoView {
    let state = expect_context::<PageState>();
    let seconds = move || state.slice().seconds;
    let newest = move || state.window.with(|window| window.end()).unwrap_or_default();
    let sampled = text(move || {
        let missing: u64 =
            state.gaps.with(|gaps| gaps.iter().map(|(first, last)| seconds_between(*first, *last)).sum());
        let held = state.slice().slots(state.window.with(|window| window.len())).len();
        (held as u64).saturating_sub(missing).to_string()
    });
    let total = text(move || seconds().to_string());
    let newest_stamp = text(move || timestamp(newest()));
    let newest_time = text(move || state.time(newest()));
    let zone = text(move || state.zone(newest()));
    let skipped = text(move || match state.status.with(|status| status.skipped) {
        0 => String::new(),
        1 => " · 1 malformed event skipped".to_owned(),
        events => format!(" · {events} malformed events skipped"),
    });
    let gap = move |(first, last): (u64, u64)| {
        view! {
            <li>
                "No samples from "<time datetime=timestamp(first)>{state.time(first)}</time>
                " to "<time datetime=timestamp(last)>{state.time(last)}</time>
                {format!(" ({} s)", seconds_between(first, last))}
            </li>
        }
    };
    view! {
        <footer class="coverage">
            <p>
                <b class="sampled">{sampled}</b>" of "{total}" seconds sampled, last sample at "
                <time class="newest" datetime=newest_stamp>{newest_time}</time>" "{zone}{skipped}
            </p>
            <ul class="gaps">{move || state.gaps.get().into_iter().map(gap).collect_view()}</ul>
            <noscript inner_html=NO_JAVASCRIPT></noscript>
        </footer>
    }
}
