//! What the charts rest on: how many seconds were sampled, and which were not.

use super::{PageState, page_state::text};
use crate::units::{seconds_between, time_of_day, timestamp};
use leptos::prelude::*;

/// As text, since a browser that runs scripts takes it for text, and would not find elements where the view has some.
const REFRESHES: &str = "<p>Without JavaScript this page draws itself anew every 5 seconds.</p>";

#[component]
pub(super) fn Coverage() -> impl IntoView {
    let state = expect_context::<PageState>();
    let time_range = move || state.slice().seconds;
    let newest = move || state.window.with(|window| window.end()).unwrap_or_default();
    let sampled = text(move || {
        let missing: u64 =
            state.gaps.with(|gaps| gaps.iter().map(|(first, last)| seconds_between(*first, *last)).sum());
        let frozen = state.slice().slots(state.window.with(|window| window.len())).len();
        (frozen as u64).saturating_sub(missing).to_string()
    });
    let whole = text(move || time_range().to_string());
    let newest_stamp = text(move || timestamp(newest()));
    let newest_time = text(move || time_of_day(newest()));
    let skipped = text(move || match state.status.with(|status| status.skipped) {
        0 => String::new(),
        1 => " · 1 event could not be read".to_owned(),
        events => format!(" · {events} events could not be read"),
    });
    let gap = |(first, last): (u64, u64)| {
        view! {
            <li>
                "No sample from "<time datetime=timestamp(first)>{time_of_day(first)}</time>
                " to "<time datetime=timestamp(last)>{time_of_day(last)}</time>
                {format!(" ({} s)", seconds_between(first, last))}
            </li>
        }
    };
    view! {
        <footer class="coverage">
            <p>
                <b class="sampled">{sampled}</b>" of "{whole}" seconds in view sampled, the newest sample at "
                <time class="newest" datetime=newest_stamp>{newest_time}</time>" UTC"{skipped}
            </p>
            <ul class="gaps">{move || state.gaps.get().into_iter().map(gap).collect_view()}</ul>
            <noscript inner_html=REFRESHES></noscript>
        </footer>
    }
}
