//! The view of a chart: axes, drawing and crosshair. The server draws an SVG; the browser replaces it with a canvas.

use super::{CanvasContent, PageState, crosshair::Crosshair, page_state::text, time_axis::TimeAxis};
use crate::charts::{Chart, DIVISIONS, Hidden, stable_top};
use leptos::{html, prelude::*};

#[component]
pub(super) fn ChartView(chart: &'static Chart, hidden: RwSignal<Hidden>) -> impl IntoView {
    let state = expect_context::<PageState>();
    let value_id = Signal::stored([chart.id, "-figure"].concat());
    let needed_top = move || state.window.with(|window| chart.scale.top(chart, window, state.slice(), hidden.get()));
    let top = Memo::new(move |before: Option<&f64>| stable_top(before.copied(), needed_top()));
    let value_labels = move || {
        let label = |division| view! { <li>{chart.label(division, top.get())}</li> };
        (0..=DIVISIONS).rev().map(label).collect_view()
    };
    let name = text(move || match state.frozen.get() {
        None => [chart.title, " over the last ", state.time_range.get().label()].concat(),
        Some(frozen) => {
            let time = |age| state.time(frozen.tick_at(age));
            [chart.title, " from ", &*time(frozen.seconds - 1), " to ", &*time(0)].concat()
        }
    });
    let announcement = RwSignal::new(String::new());
    let canvas = NodeRef::<html::Canvas>::new();
    let drawn = RwSignal::new(false);
    (state.ports.paint)(canvas, drawn, CanvasContent::Chart { chart, top, hidden });
    view! {
        <div class="plot">
            <ol class="axis" aria-hidden="true">{value_labels}</ol>
            <div
                class=text(move || if drawn.get() { "drawing drawn" } else { "drawing" }.to_owned())
                role="img"
                tabindex="0"
                aria-label=name
                aria-describedby=value_id
                on:keydown=move |event| if state.press(&event) { announcement.set(untrack(|| state.announce(chart))) }
                on:blur=move |_| announcement.set(String::new())
                {..state.pointer_listeners()}
            >
                <div class="still" inner_html=still(chart, state)></div>
                <canvas node_ref=canvas></canvas>
                <Crosshair/>
            </div>
            <TimeAxis/>
            <p class="spoken" role="status">{text(move || announcement.get())}</p>
        </div>
    }
}

impl PageState {
    /// The legend's values at the second pointed at, for screen readers.
    fn announce(self, chart: &Chart) -> String {
        let Some(age) = self.pointed.get() else { return String::new() };
        let mut announcement = self.time(self.tick_at(age));
        for series in chart.series {
            let value = self.window.with(|window| series.value.at(window, self.value_age()));
            announcement = [&announcement, ", ", series.label, " ", &chart.unit.text(value)].concat();
        }
        announcement
    }
}

/// The SVG of the first response.
#[cfg(feature = "ssr")]
fn still(chart: &Chart, state: PageState) -> String {
    let time_range = state.time_range.get_untracked().seconds();
    state.window.with_untracked(|window| crate::charts::chart_svg(chart, window, time_range))
}

/// Empty: hydration keeps the SVG that the server rendered.
#[cfg(not(feature = "ssr"))]
fn still(_: &Chart, _: PageState) -> String {
    String::new()
}
