//! The view of a chart: axes, drawing and crosshair. The server draws an SVG; the browser replaces it with a canvas.

use super::{CanvasContent, PageState, crosshair::Crosshair, page_state::text, panel::PanelRef, time_axis::TimeAxis};
use crate::charts::{Chart, DIVISIONS, Hidden, stable_top};
#[cfg(feature = "ssr")]
use crate::{
    app::{HistoryCharts, time_axis::DAY},
    charts::{Plot, chart_svg},
    units::date,
};
use leptos::{html, prelude::*};

#[component]
pub(super) fn ChartView(panel: PanelRef, hidden: RwSignal<Hidden>) -> impl IntoView {
    let state = expect_context::<PageState>();
    let value_id = Signal::stored(panel.with_value(|panel| [&*panel.id, "-figure"].concat()));
    let needed_top = move || {
        let (slice, hidden) = (state.slice(), hidden.get());
        let top = |chart: &Chart| state.window.with(|window| chart.scale.top(chart, window, slice, hidden));
        history_top(panel).unwrap_or_else(|| panel.with_value(|panel| top(&panel.chart)))
    };
    let top = Memo::new(move |before: Option<&f64>| stable_top(before.copied(), needed_top()));
    let value_labels = move || {
        let top = top.get();
        let label = |division| view! { <li>{panel.with_value(|panel| panel.chart.label(division, top))}</li> };
        (0..=DIVISIONS).rev().map(label).collect_view()
    };
    let title = move || panel.with_value(|panel| panel.title.clone());
    let name = text(move || match state.frozen.get() {
        None => [&*title(), " over the last ", state.time_range.get().label()].concat(),
        Some(frozen) => {
            #[cfg(feature = "ssr")]
            if frozen.seconds > DAY {
                let day = |age| date(state.local(frozen.tick_at(age)));
                return [&*title(), " from ", &*day(frozen.seconds - 1), " to ", &*day(0)].concat();
            }
            let time = |age| state.time(frozen.tick_at(age));
            [&*title(), " from ", &*time(frozen.seconds - 1), " to ", &*time(0)].concat()
        }
    });
    let announcement = RwSignal::new(String::new());
    let canvas = NodeRef::<html::Canvas>::new();
    let drawn = RwSignal::new(false);
    (state.ports.paint)(canvas, drawn, CanvasContent::Chart { panel, top, hidden });
    view! {
        <div class="plot">
            <ol class="axis" aria-hidden="true">{value_labels}</ol>
            <div
                class=text(move || if drawn.get() { "drawing drawn" } else { "drawing" }.to_owned())
                role="img"
                tabindex="0"
                aria-label=name
                aria-describedby=value_id
                on:keydown=move |event| if state.press(&event) { announcement.set(untrack(|| state.announce(panel))) }
                on:blur=move |_| announcement.set(String::new())
                {..state.pointer_listeners()}
            >
                <div class="still" inner_html=still(panel, state)></div>
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
    fn announce(self, panel: PanelRef) -> String {
        let Some(age) = self.pointed.get() else { return String::new() };
        let mut announcement = self.moment(age);
        panel.with_value(|panel| {
            let chart = &panel.chart;
            for series in &chart.series {
                let value = self.window.with(|window| series.value.at(window, self.value_age()));
                announcement = [&announcement, ", ", &series.label, " ", &chart.unit.text(value)].concat();
            }
        });
        announcement
    }
}

/// The SVG of the first response.
#[cfg(feature = "ssr")]
fn still(panel: PanelRef, state: PageState) -> String {
    if let Some(charts) = use_context::<HistoryCharts>() {
        return panel.with_value(|panel| charts.svg(&panel.chart));
    }
    let time_range = state.time_range.get_untracked().seconds();
    let draw = |chart: &Chart| {
        state.latest.with_value(|latest| {
            let annotations = &latest.annotations;
            state.window.with_untracked(|window| {
                chart_svg(chart, Plot { window, seconds: time_range, annotations, band: None })
            })
        })
    };
    panel.with_value(|panel| draw(&panel.chart))
}

/// The value at the upper edge of a chart of the history.
#[cfg(feature = "ssr")]
fn history_top(panel: PanelRef) -> Option<f64> {
    use_context::<HistoryCharts>().map(|charts| panel.with_value(|panel| charts.top(&panel.chart)))
}

/// The browser hydrates live charts only.
#[cfg(not(feature = "ssr"))]
fn history_top(_: PanelRef) -> Option<f64> {
    None
}

/// Empty: hydration keeps the SVG that the server rendered.
#[cfg(not(feature = "ssr"))]
fn still(_: PanelRef, _: PageState) -> String {
    String::new()
}
