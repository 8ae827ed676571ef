//! One group of figures: the one that matters in large type, a chart, and the rest beside it.

use super::{
    PageState,
    chart::ChartView,
    cores::{Cores, Strip},
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
    let lacking = state.lacks(chart.headline.path());
    let hidden = RwSignal::new(Hidden::default());
    // All figures follow the window at once, which takes less long than each by itself.
    let figures = move || {
        let (slice, told, hidden) = (state.slice(), state.told(), hidden.get());
        state.window.with(|window| (figure(chart, window, slice), legend(chart, window, told, hidden)))
    };
    // Of the whole header: a listener of each button, or of the list, would be made anew with it.
    let switch = move |event: MouseEvent| {
        let place = event_target::<Element>(&event).get_attribute("value");
        if let Some(place) = place.and_then(|place| place.parse().ok()) {
            hidden.update(|hidden| *hidden = hidden.toggled(place));
        }
    };
    view! {
        <section class="panel" id=chart.id aria-labelledby=heading hidden=lacking>
            <header on:click=switch>
                <h2 id=heading>{chart.title}</h2>
                {figures}
            </header>
            <ChartView chart hidden/>
            {(chart.id == "cpu").then(|| view! { <Strip/> <Cores/> })}
            <Details figures=details(chart.id)/>
            {tables(chart.id).iter().map(|table| view! { <TableView table/> }).collect_view()}
        </section>
    }
}

/// Who takes the processor and the memory, as far as services and containers go.
#[component]
pub(super) fn Services() -> impl IntoView {
    let lacking = expect_context::<PageState>().lacks(SERVICES.path());
    view! {
        <section class="panel" id="services" aria-labelledby="services-heading" hidden=lacking>
            <header><h2 id="services-heading">"Services"</h2></header>
            <TableView table=&SERVICES/>
        </section>
    }
}

/// Who takes the processor and the memory.
#[component]
pub(super) fn Processes() -> impl IntoView {
    let state = expect_context::<PageState>();
    let total = text(move || {
        state.processes(|processes| Unit::Count.text(Some(processes.total as f64).filter(|total| *total > 0.0)))
    });
    let known = Signal::derive(move || state.processes(|processes| processes.total > 0));
    view! {
        <section class="panel" id="processes" aria-labelledby="processes-heading">
            <header>
                <h2 id="processes-heading">"Processes"</h2>
                <p class="figure"><span><b>{total}</b><small>"in all"</small></span></p>
                <p class="legend">"Those that take most of the processor, and those that hold most memory"</p>
            </header>
            <p class="empty" hidden=known>"They are only looked at while somebody looks; give it a moment."</p>
            <TableView table=&PROCESSES/>
        </section>
    }
}

/// The newest of what is in view, in large type.
fn figure(chart: &Chart, window: &Window, slice: WindowSlice) -> impl IntoView + use<> {
    let (number, symbol) = chart.headline_text(window, slice.skip);
    let id = [chart.id, "-figure"].concat();
    view! { <p class="figure"><span id=id><b>{number}</b><small>{symbol}</small></span></p> }
}

/// What the chart shows, with figures of the second that lies `told` before the newest; a series is switched by its place.
fn legend(chart: &'static Chart, window: &Window, told: usize, hidden: Hidden) -> impl IntoView + use<> {
    let entry = |(place, series): (usize, &'static Series)| {
        view! {
            <li>
                <button type="button" value=place aria-pressed=if hidden.contains(place) { "false" } else { "true" }>
                    <span class=series.colour.name()></span>
                    {series.label}
                    <b>{chart.unit.text(series.value.at(window, told))}</b>
                </button>
            </li>
        }
    };
    view! { <ul class="legend">{chart.series.iter().enumerate().map(entry).collect_view()}</ul> }
}

/// Figures that no chart shows.
#[component]
fn Details(figures: &'static [(&'static str, Unit, &'static str)]) -> impl IntoView {
    let state = expect_context::<PageState>();
    let entries = move || {
        state.window.with(|window| {
            let there = figures.iter().filter(|(_, _, path)| window.has(path));
            there
                .map(
                    |(label, unit, path)| view! { <div><dt>{*label}</dt><dd>{unit.text(window.last(path))}</dd></div> },
                )
                .collect_view()
        })
    };
    (!figures.is_empty()).then(|| view! { <dl class="details">{entries}</dl> })
}

fn details(id: &str) -> &'static [(&'static str, Unit, &'static str)] {
    match id {
        "cpu" => &[
            ("running", Unit::Count, "cpu.running"),
            ("blocked", Unit::Count, "cpu.blocked"),
            ("switches", Unit::Rate, "cpu.context_switches"),
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
            &[("memory, all", Unit::Percent, "pressure.memory.full"), ("I/O, all", Unit::Percent, "pressure.io.full")]
        }
        "memory" => &[
            ("available", Unit::Bytes, "memory.available"),
            ("free", Unit::Bytes, "memory.free"),
            ("buffers", Unit::Bytes, "memory.buffers"),
            ("cached", Unit::Bytes, "memory.cached"),
            ("swap used", Unit::Bytes, "memory.swap_used"),
            ("swap", Unit::Bytes, "memory.swap_total"),
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
            ("sent again", Unit::Rate, "connections.tcp.retransmits"),
            ("resets", Unit::Rate, "connections.tcp.resets"),
            ("overflows", Unit::Rate, "connections.tcp.listen_overflows"),
            ("turned away", Unit::Rate, "connections.tcp.listen_drops"),
        ],
        _ => &[],
    }
}
