//! The footer: how many seconds in view were sampled, annotations, and the gaps between samples.

use super::{PageState, page_state::text};
use crate::{
    charts::Span,
    units::{seconds_between, timestamp},
};
use leptos::prelude::*;

/// As text: with JavaScript, browsers parse the content of `noscript` as text, and hydration expects the same nodes.
const NO_JAVASCRIPT: &str = "<p>Without JavaScript, this page reloads every 5 seconds.</p>";

#[component]
pub(super) fn Coverage() -> impl IntoView {
    let state = expect_context::<PageState>();
    let in_view = move || state.slice().seconds;
    let newest = move || state.window.with(|window| window.end()).unwrap_or_default();
    let sampled = text(move || {
        let missing: u64 = state.spans.with(|spans| spans.iter().filter(|span| span.is_gap()).map(seconds).sum());
        let held = state.slice().slots(state.window.with(|window| window.len())).len();
        (held as u64).saturating_sub(missing).to_string()
    });
    let total = text(move || in_view().to_string());
    let newest_stamp = text(move || timestamp(newest()));
    let newest_time = text(move || state.time(newest()));
    let zone = text(move || state.zone(newest()));
    let skipped = text(move || match state.status.with(|status| status.skipped) {
        0 => String::new(),
        1 => " · 1 malformed event skipped".to_owned(),
        events => format!(" · {events} malformed events skipped"),
    });
    // One form for both, which is smaller than two.
    let entry = move |span: Span| {
        let (before, between, after) = match span.is_gap() {
            true => ("No samples from ", " to ", format!(" ({} s)", seconds(&span))),
            false => ("", if span.first < span.last { "\u{2013}" } else { "" }, [" ", &*span.text].concat()),
        };
        let last = if between.is_empty() { String::new() } else { state.time(span.last) };
        view! {
            <li>
                {before}<time datetime=timestamp(span.first)>{state.time(span.first)}</time>
                {between}<time datetime=timestamp(span.last)>{last}</time>{after}
            </li>
        }
    };
    view! {
        <footer class="coverage">
            <p>
                <b class="sampled">{sampled}</b>" of "{total}" seconds sampled, last sample at "
                <time class="newest" datetime=newest_stamp>{newest_time}</time>" "{zone}{skipped}
            </p>
            <ul class="spans">{move || state.spans.get().into_iter().map(entry).collect_view()}</ul>
            <noscript inner_html=NO_JAVASCRIPT></noscript>
        </footer>
    }
}

fn seconds(span: &Span) -> u64 {
    seconds_between(span.first, span.last)
}
