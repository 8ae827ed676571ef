//! A chart with its axes. The server draws it as SVG; the browser lays a canvas over it once it has drawn the same.

use super::{State, crosshair::Crosshair, state::text};
use crate::charts::{Chart, DIVISIONS};
use leptos::{html, prelude::*};

#[component]
pub(super) fn ChartView(chart: &'static Chart) -> impl IntoView {
    let state = expect_context::<State>();
    let shown = move || state.span.get().seconds();
    let top = Memo::new(move |_| state.window.with(|window| chart.scale.top(chart, window, shown())));
    let label = move |division: u32| chart.label(division, top.get());
    let labels =
        (0..=DIVISIONS).rev().map(|division| view! { <li>{text(move || label(division))}</li> }).collect_view();
    let times = (0..6)
        .map(|place| view! { <li>{text(move || state.span.get().times()[place].to_owned())}</li> })
        .collect_view();
    let summary = text(move || {
        let (figure, symbol) = state.figure(chart.figure, chart.unit);
        format!("{} over the last {}, now {figure} {symbol}", chart.title, state.span.get().label())
            .trim_end()
            .to_owned()
    });
    let canvas = NodeRef::<html::Canvas>::new();
    let drawn = RwSignal::new(false);
    #[cfg(feature = "hydrate")]
    crate::browser::paint(chart, state, canvas, drawn);
    view! {
        <div class="plot">
            <ol class="axis" aria-hidden="true">{labels}</ol>
            <div
                class="drawing"
                class:drawn=drawn
                role="img"
                tabindex="0"
                aria-label=summary
                on:pointermove=move |event| state.point(&event)
                on:pointerdown=move |event| state.point(&event)
                on:pointerleave=move |event| state.leave(&event)
                on:keydown=move |event| state.press(&event)
                on:blur=move |_| state.point_at(None)
            >
                <div class="still" inner_html=still(chart, state)></div>
                <canvas node_ref=canvas></canvas>
                <Crosshair/>
            </div>
            <ol class="times" aria-hidden="true">{times}</ol>
        </div>
    }
}

/// The drawing of the first response.
#[cfg(feature = "ssr")]
fn still(chart: &Chart, state: State) -> String {
    let span = state.span.get_untracked().seconds();
    state.window.with_untracked(|window| crate::charts::svg(chart, window, span))
}

/// In the browser it is there already: what stands in the page is never touched on taking over.
#[cfg(not(feature = "ssr"))]
fn still(_: &Chart, _: State) -> String {
    String::new()
}
