//! CPU usage by core: a heatmap over time, and the current values as bars.

use super::{CanvasContent, PageState, crosshair::Crosshair, page_state::text};
use crate::units::decimal;
use leptos::{html, prelude::*};

/// A heatmap with a row for each core, aligned with the chart above it.
#[component]
pub(super) fn CoreHeatmap() -> impl IntoView {
    let state = expect_context::<PageState>();
    let cores = state.host.with_value(|host| host.cores);
    let canvas = NodeRef::<html::Canvas>::new();
    let drawn = RwSignal::new(false);
    (state.ports.paint)(canvas, drawn, CanvasContent::CoreHeatmap);
    let height = match cores {
        0..=4 => " few",
        5..=16 => " some",
        _ => "",
    };
    let class = text(move || ["drawing strip", height, if drawn.get() { " drawn" } else { "" }].concat());
    view! {
        <div class="plot heat">
            <p class="axis" aria-hidden="true">"×"{cores}</p>
            <div
                class=class
                tabindex="-1"
                on:keydown=move |event| { state.press(&event); }
                {..state.pointer_listeners()}
            >
                <div class="still" inner_html=still(cores, state)></div>
                <canvas node_ref=canvas aria-hidden="true"></canvas>
                <Crosshair/>
            </div>
        </div>
    }
}

/// The SVG of the first response.
#[cfg(feature = "ssr")]
fn still(cores: usize, state: PageState) -> String {
    if let Some(charts) = use_context::<super::HistoryCharts>() {
        return charts.heatmap(cores);
    }
    let time_range = state.time_range.get_untracked().seconds();
    state.window.with_untracked(|window| crate::charts::heatmap_svg(cores, window, time_range))
}

/// Empty: hydration keeps the SVG that the server rendered.
#[cfg(not(feature = "ssr"))]
fn still(_: usize, _: PageState) -> String {
    String::new()
}

/// The current usage of each core as a bar.
#[component]
pub(super) fn CoreBars() -> impl IntoView {
    let state = expect_context::<PageState>();
    let core = move |number: usize| {
        let busy = state.window.with(|window| window.last(&format!("cpu.cores_percent.{number}")));
        let value = busy.map_or("–".to_owned(), |percent| decimal(percent, 0));
        let width = decimal(busy.unwrap_or(0.0), 0);
        view! {
            <li>
                <span>{number}</span>
                <svg viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true">
                    <line x2=width></line>
                </svg>
                <b>{value}</b>
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
