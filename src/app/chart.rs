//! A chart with its axes. The server draws it as SVG; the browser lays a canvas over it once it has drawn the same.

use super::{PageState, crosshair::Crosshair, page_state::text};
#[cfg(feature = "hydrate")]
use crate::charts::{Viewport, draw};
use crate::{
    charts::{Chart, DIVISIONS, Hidden, stable_top},
    units::time_of_day,
};
use leptos::{html, prelude::*};

/// Labels of the time axis, both ends included.
const TIMES: usize = 6;

#[component]
pub(super) fn ChartView(chart: &'static Chart, hidden: RwSignal<Hidden>) -> impl IntoView {
    let state = expect_context::<PageState>();
    let figure = Signal::stored([chart.id, "-figure"].concat());
    let needed = move || state.window.with(|window| chart.scale.top(chart, window, state.slice(), hidden.get()));
    let top = Memo::new(move |before: Option<&f64>| stable_top(before.copied(), needed()));
    let labels = move || {
        let label = |division| view! { <li>{chart.label(division, top.get())}</li> };
        (0..=DIVISIONS).rev().map(label).collect_view()
    };
    let times = move || (0..TIMES).map(|place| view! { <li>{state.time(place)}</li> }).collect_view();
    let name = text(move || match state.frozen.get() {
        None => [chart.title, " over the last ", state.time_range.get().label()].concat(),
        Some(_) => [chart.title, " from ", &state.time(0), " to ", &state.time(TIMES - 1)].concat(),
    });
    let spoken = RwSignal::new(String::new());
    let canvas = NodeRef::<html::Canvas>::new();
    let drawn = RwSignal::new(false);
    #[cfg(feature = "hydrate")]
    {
        let draw: crate::browser::Draw = Box::new(move |area, palette, stroke| {
            state.gaps.with(|gaps| {
                let slice = untrack(|| state.slice());
                let viewport = Viewport { slice, top: top.get(), hidden: hidden.get(), gaps };
                state.window.with_untracked(|window| draw(area, chart, window, &viewport, palette, stroke))
            })
        });
        crate::browser::paint(canvas, drawn, draw);
    }
    view! {
        <div class="plot">
            <ol class="axis" aria-hidden="true">{labels}</ol>
            <div
                class=text(move || if drawn.get() { "drawing drawn" } else { "drawing" }.to_owned())
                role="img"
                tabindex="0"
                aria-label=name
                aria-describedby=figure
                on:keydown=move |event| if state.press(&event) { spoken.set(untrack(|| state.told_of(chart))) }
                on:blur=move |_| spoken.set(String::new())
                {..state.pointing()}
            >
                <div class="still" inner_html=still(chart, state)></div>
                <canvas node_ref=canvas></canvas>
                <Crosshair/>
            </div>
            <ol class="times" aria-hidden="true">{times}</ol>
            <p class="spoken" role="status">{text(move || spoken.get())}</p>
        </div>
    }
}

impl PageState {
    /// A label of the time axis: how long ago that is, or when it was if it stays in view.
    fn time(self, place: usize) -> String {
        if self.frozen.get().is_none() {
            return self.time_range.get().times()[place].to_owned();
        }
        time_of_day(self.tick((self.slice().seconds - 1) * (TIMES - 1 - place) / (TIMES - 1)))
    }

    /// What a chart's legend says of the second that is pointed at, for those who don't see it.
    fn told_of(self, chart: &Chart) -> String {
        let Some(age) = self.pointed.get() else { return String::new() };
        let mut words = time_of_day(self.tick(age));
        for series in chart.series {
            let value = self.window.with(|window| series.value.at(window, self.told()));
            words = [&words, ", ", series.label, " ", &chart.unit.text(value)].concat();
        }
        words
    }
}

/// The drawing of the first response.
#[cfg(feature = "ssr")]
fn still(chart: &Chart, state: PageState) -> String {
    let time_range = state.time_range.get_untracked().seconds();
    state.window.with_untracked(|window| crate::charts::chart_svg(chart, window, time_range))
}

/// In the browser it is there already: what stands in the page is never touched on taking over.
#[cfg(not(feature = "ssr"))]
fn still(_: &Chart, _: PageState) -> String {
    String::new()
}
