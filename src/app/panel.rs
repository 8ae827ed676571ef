//! A panel: its main value in large type, a chart with a legend, and more values as details and tables.

use super::{
    PageState,
    chart::ChartView,
    cores::{CoreBars, CoreHeatmap},
    page_state::text,
    table_view::TableView,
    tables::{PROCESSES, SERVICES, tables},
};
use crate::{
    charts::{Chart, Hidden, Series},
    schema::{Window, WindowSlice},
    units::Unit,
};
use leptos::{ev::MouseEvent, prelude::*, web_sys::Element};

#[component]
pub(super) fn Panel(chart: &'static Chart) -> impl IntoView {
    let state = expect_context::<PageState>();
    let heading = Signal::stored([chart.id, "-heading"].concat());
    let is_missing = state.is_missing(chart.headline.path());
    let hidden = RwSignal::new(Hidden::default());
    // One closure for all values: one for each would take longer.
    let values = move || {
        let (slice, age, hidden) = (state.slice(), state.value_age(), hidden.get());
        state.window.with(|window| (main_value(chart, window, slice), legend(chart, window, age, hidden)))
    };
    // On the header: listeners on the buttons or the list would be re-created every tick.
    let toggle_series = move |event: MouseEvent| {
        let index = event_target::<Element>(&event).get_attribute("value");
        if let Some(index) = index.and_then(|index| index.parse().ok()) {
            hidden.update(|hidden| *hidden = hidden.toggled(index));
        }
    };
    view! {
        <section class="panel" id=chart.id aria-labelledby=heading hidden=is_missing>
            <header on:click=toggle_series>
                <h2 id=heading>{chart.title}</h2>
                {values}
            </header>
            <ChartView chart hidden/>
            {(chart.id == "cpu").then(|| view! { <CoreHeatmap/> <CoreBars/> })}
            <Details values=details(chart.id)/>
            {tables(chart.id).iter().map(|table| view! { <TableView table/> }).collect_view()}
        </section>
    }
}

/// CPU and memory by service and container.
#[component]
pub(super) fn Services() -> impl IntoView {
    let is_missing = expect_context::<PageState>().is_missing(SERVICES.path());
    view! {
        <section class="panel" id="services" aria-labelledby="services-heading" hidden=is_missing>
            <header><h2 id="services-heading">"Services"</h2></header>
            <TableView table=&SERVICES/>
        </section>
    }
}

/// CPU and memory by process.
#[component]
pub(super) fn Processes() -> impl IntoView {
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
            <TableView table=&PROCESSES/>
        </section>
    }
}

/// The main value at the newest second in view, in large type.
fn main_value(chart: &Chart, window: &Window, slice: WindowSlice) -> impl IntoView + use<> {
    let (number, symbol) = chart.headline_text(window, slice.skip);
    let id = [chart.id, "-figure"].concat();
    view! { <p class="figure"><span id=id><b>{number}</b><small>{symbol}</small></span></p> }
}

/// The series of the chart with their values `age` seconds before the newest; a click shows or hides one.
fn legend(chart: &'static Chart, window: &Window, age: usize, hidden: Hidden) -> impl IntoView + use<> {
    let entry = |(index, series): (usize, &'static Series)| {
        view! {
            <li>
                <button type="button" value=index aria-pressed=if hidden.contains(index) { "false" } else { "true" }>
                    <span class=series.colour.name()></span>
                    {series.label}
                    <b>{chart.unit.text(series.value.at(window, age))}</b>
                </button>
            </li>
        }
    };
    view! { <ul class="legend">{chart.series.iter().enumerate().map(entry).collect_view()}</ul> }
}

/// Values that no chart shows.
#[component]
fn Details(values: &'static [(&'static str, Unit, &'static str)]) -> impl IntoView {
    let state = expect_context::<PageState>();
    let entries = move || {
        state.window.with(|window| {
            let known = values.iter().filter(|(_, _, path)| window.has(path));
            known
                .map(
                    |(label, unit, path)| view! { <div><dt>{*label}</dt><dd>{unit.text(window.last(path))}</dd></div> },
                )
                .collect_view()
        })
    };
    (!values.is_empty()).then(|| view! { <dl class="details">{entries}</dl> })
}

/// Labels, units and paths of the details in the panel `id`.
fn details(id: &str) -> &'static [(&'static str, Unit, &'static str)] {
    match id {
        "cpu" => &[
            ("running", Unit::Count, "cpu.running"),
            ("blocked", Unit::Count, "cpu.blocked"),
            ("ctx switches", Unit::Rate, "cpu.context_switches"),
            ("interrupts", Unit::Rate, "cpu.interrupts"),
            ("forks", Unit::Rate, "cpu.forks"),
            ("frequency", Unit::Hertz, "cpu.frequency"),
        ],
        "cgroup" => &[
            ("CPU limit", Unit::OfCore, "cgroup.cpu_limit"),
            ("memory", Unit::Bytes, "cgroup.memory"),
            ("memory limit", Unit::Bytes, "cgroup.memory_limit"),
        ],
        "load" => &[("tasks", Unit::Count, "load.tasks")],
        "pressure" => {
            &[("memory full", Unit::Percent, "pressure.memory.full"), ("I/O full", Unit::Percent, "pressure.io.full")]
        }
        "memory" => &[
            ("available", Unit::Bytes, "memory.available"),
            ("free", Unit::Bytes, "memory.free"),
            ("buffers", Unit::Bytes, "memory.buffers"),
            ("cached", Unit::Bytes, "memory.cached"),
            ("swap used", Unit::Bytes, "memory.swap_used"),
            ("swap total", Unit::Bytes, "memory.swap_total"),
            ("swap in", Unit::Throughput, "memory.swap_in"),
            ("swap out", Unit::Throughput, "memory.swap_out"),
            ("dirty", Unit::Bytes, "memory.dirty"),
            ("writeback", Unit::Bytes, "memory.writeback"),
            ("slab", Unit::Bytes, "memory.slab"),
            ("shared", Unit::Bytes, "memory.shared"),
            ("major faults", Unit::Rate, "memory.major_faults"),
            ("OOM kills", Unit::Rate, "memory.oom_kills"),
        ],
        "connections" => &[
            ("TCP in use", Unit::Count, "connections.tcp.in_use"),
            ("UDP in use", Unit::Count, "connections.udp.in_use"),
            ("close-wait", Unit::Count, "connections.tcp.close_wait"),
            ("syn-sent", Unit::Count, "connections.tcp.syn_sent"),
            ("syn-recv", Unit::Count, "connections.tcp.syn_recv"),
            ("fin-wait-1", Unit::Count, "connections.tcp.fin_wait1"),
            ("fin-wait-2", Unit::Count, "connections.tcp.fin_wait2"),
            ("closing", Unit::Count, "connections.tcp.closing"),
            ("last-ack", Unit::Count, "connections.tcp.last_ack"),
            ("retransmits", Unit::Rate, "connections.tcp.retransmits"),
            ("resets", Unit::Rate, "connections.tcp.resets"),
            ("listen overflows", Unit::Rate, "connections.tcp.listen_overflows"),
            ("listen drops", Unit::Rate, "connections.tcp.listen_drops"),
        ],
        _ => &[],
    }
}

/// The paths of all details.
#[cfg(all(test, feature = "ssr"))]
pub(super) fn series_paths() -> impl Iterator<Item = String> {
    crate::charts::CHARTS.iter().flat_map(|chart| details(chart.id)).map(|(_, _, path)| (*path).to_owned())
}
