//! How busy each core is: over time as a strip of heat below the chart, and now as a bar.

use super::{PageState, crosshair::Crosshair, page_state::text};
use crate::units::decimal;
use leptos::{html, prelude::*};

/// The strip; as wide as the chart above it, so that a second stands below itself.
#[component]
pub(super) fn Strip() -> impl IntoView {
    let state = expect_context::<PageState>();
    let cores = state.host.with_value(|host| host.cores);
    let canvas = NodeRef::<html::Canvas>::new();
    let drawn = RwSignal::new(false);
    #[cfg(feature = "hydrate")]
    {
        let draw: crate::browser::Draw = Box::new(move |area, palette, _| {
            let slice = untrack(|| state.slice());
            state.window.with_untracked(|window| crate::charts::heat_map(area, cores, window, slice, palette))
        });
        crate::browser::paint(canvas, drawn, draw);
    }
    let rows = match cores {
        0..=4 => " few",
        5..=16 => " some",
        _ => "",
    };
    let class = text(move || ["drawing strip", rows, if drawn.get() { " drawn" } else { "" }].concat());
    view! {
        <div class="plot heat">
            <p class="axis" aria-hidden="true">"×"{cores}</p>
            <div
                class=class
                tabindex="-1"
                on:keydown=move |event| { state.press(&event); }
                {..state.pointing()}
            >
                <div class="still" inner_html=still(cores, state)></div>
                <canvas node_ref=canvas aria-hidden="true"></canvas>
                <Crosshair/>
            </div>
        </div>
    }
}

/// The strip of the first response.
#[cfg(feature = "ssr")]
fn still(cores: usize, state: PageState) -> String {
    let time_range = state.time_range.get_untracked().seconds();
    state.window.with_untracked(|window| crate::charts::heat_map_svg(cores, window, time_range))
}

/// In the browser it is there already: what stands in the page is never touched on taking over.
#[cfg(not(feature = "ssr"))]
fn still(_: usize, _: PageState) -> String {
    String::new()
}

/// Each core as a bar.
#[component]
pub(super) fn Cores() -> impl IntoView {
    let state = expect_context::<PageState>();
    let core = move |number: usize| {
        let busy = state.window.with(|window| window.last(&format!("cpu.cores.{number}")));
        let figure = busy.map_or("–".to_owned(), |percent| decimal(percent, 0));
        let width = decimal(busy.unwrap_or(0.0), 0);
        view! {
            <li>
                <span>{number}</span>
                <svg viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true">
                    <line x2=width></line>
                </svg>
                <b>{figure}</b>
            </li>
        }
    };
    let cores = state.host.with_value(|host| host.cores);
    view! {
        <div class="cores">
            <h3>"Cores, %"</h3>
            <ol>{move || (0..cores).map(core).collect_view()}</ol>
        </div>
    }
}
