//! A panel: its main value in large type, a chart with a legend, and more values as details and tables.

use super::{
    PageState,
    chart::ChartView,
    cores::{CoreBars, CoreHeatmap},
    page_state::text,
    table_view::{TableRef, TableView},
};
use crate::{
    charts::{Hidden, Series},
    panels,
    schema::{Window, WindowSlice},
    units::Unit,
};
use leptos::{ev::MouseEvent, prelude::*, web_sys::Element};
use std::sync::Arc;

/// A panel's definition, as a handle that is cheap to copy.
pub(super) type PanelRef = StoredValue<Arc<panels::Panel>>;

/// A panel with a chart.
#[component]
pub(super) fn Panel(panel: Arc<panels::Panel>) -> impl IntoView {
    let state = expect_context::<PageState>();
    let (id, title) = (panel.id.clone(), panel.title.clone());
    let heading = Signal::stored([&*id, "-heading"].concat());
    let (has_cores, tables) = (id == "cpu", panel.tables.len());
    let class = if panel.is_published() { "panel published" } else { "panel" };
    let panel = StoredValue::new(panel);
    let is_missing = state.is_missing(panel);
    let hidden = RwSignal::new(Hidden::default());
    // One closure for all values: one for each would take longer.
    let values = move || {
        let (slice, age, hidden) = (state.slice(), state.value_age(), hidden.get());
        state.window.with(|window| {
            panel.with_value(|panel| (main_value(panel, window, slice), legend(panel, window, age, hidden)))
        })
    };
    // On the header: listeners on the buttons or the list would be re-created every tick.
    let toggle_series = move |event: MouseEvent| {
        let index = event_target::<Element>(&event).get_attribute("value");
        if let Some(index) = index.and_then(|index| index.parse().ok()) {
            hidden.update(|hidden| *hidden = hidden.toggled(index));
        }
    };
    view! {
        <section class=class id=id aria-labelledby=heading hidden=is_missing>
            <header on:click=toggle_series>
                <h2 id=heading>{title}</h2>
                {values}
            </header>
            <ChartView panel hidden/>
            {has_cores.then(|| view! { <CoreHeatmap/> <CoreBars/> })}
            <Details panel/>
            {(0..tables).map(|index| view! { <TableView table=TableRef { panel, index }/> }).collect_view()}
        </section>
    }
}

/// A panel with a table only.
#[component]
pub(super) fn TablePanel(panel: Arc<panels::Panel>) -> impl IntoView {
    let (id, title) = (panel.id.clone(), panel.title.clone());
    let heading = Signal::stored([&*id, "-heading"].concat());
    let panel = StoredValue::new(panel);
    let is_missing = expect_context::<PageState>().is_missing(panel);
    view! {
        <section class="panel" id=id aria-labelledby=heading hidden=is_missing>
            <header><h2 id=heading>{title}</h2></header>
            <TableView table=TableRef { panel, index: 0 }/>
        </section>
    }
}

/// CPU and memory by process.
#[component]
pub(super) fn Processes(panel: Arc<panels::Panel>) -> impl IntoView {
    let panel = StoredValue::new(panel);
    let state = expect_context::<PageState>();
    let total = text(move || {
        state.processes(|processes| Unit::Count.text(Some(processes.total as f64).filter(|total| *total > 0.0)))
    });
    let is_known = Signal::derive(move || state.processes(|processes| processes.total > 0));
    view! {
        <section class="panel" id="processes" aria-labelledby="processes-heading">
            <header>
                <h2 id="processes-heading">"Processes"</h2>
                <p class="figure"><span><b>{total}</b><small>"total"</small></span></p>
                <p class="legend">"Top 20 by CPU and by memory"</p>
            </header>
            <p class="empty" hidden=is_known>"Sampled only while a dashboard is open; the list follows in a few seconds."</p>
            <TableView table=TableRef { panel, index: 0 }/>
        </section>
    }
}

/// The main value at the newest second in view, in large type.
fn main_value(panel: &panels::Panel, window: &Window, slice: WindowSlice) -> impl IntoView + use<> {
    let (number, symbol) = panel.chart.headline_text(window, slice.skip);
    let (id, symbol) = ([&*panel.id, "-figure"].concat(), symbol.to_owned());
    view! { <p class="figure"><span id=id><b>{number}</b><small>{symbol}</small></span></p> }
}

/// The series of the chart with their values `age` seconds before the newest; a click shows or hides one.
fn legend(panel: &panels::Panel, window: &Window, age: usize, hidden: Hidden) -> impl IntoView + use<> {
    let chart = &panel.chart;
    let entry = |(index, series): (usize, &Series)| {
        view! {
            <li>
                <button type="button" value=index aria-pressed=if hidden.contains(index) { "false" } else { "true" }>
                    <span class=series.colour.name()></span>
                    {series.label.clone()}
                    <b>{chart.unit.text(series.value.at(window, age))}</b>
                </button>
            </li>
        }
    };
    view! { <ul class="legend">{chart.series.iter().enumerate().map(entry).collect_view()}</ul> }
}

/// Values that no chart shows.
#[component]
fn Details(panel: PanelRef) -> impl IntoView {
    let state = expect_context::<PageState>();
    let entries = move || {
        let entry = |window: &Window, detail: &panels::Detail| {
            let value = detail.unit.text(window.last(&detail.path));
            view! { <div><dt>{detail.label.clone()}</dt><dd>{value}</dd></div> }
        };
        state.window.with(|window| {
            panel.with_value(|panel| {
                let known = panel.details.iter().filter(|detail| window.has(&detail.path));
                known.map(|detail| entry(window, detail)).collect_view()
            })
        })
    };
    let is_empty = panel.with_value(|panel| panel.details.is_empty());
    (!is_empty).then(|| view! { <dl class="details">{entries}</dl> })
}
