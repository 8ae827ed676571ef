//! The overview: a tile for each main resource, which links to its panel.

use super::PageState;
use crate::{
    charts::{CHARTS, Chart, TREND_S, trend},
    schema::{Window, WindowSlice},
    units::Unit,
};
use leptos::prelude::*;

/// The id of a panel, and the label, unit and path of two more values below the tile's main value.
type Tile = (&'static str, [(&'static str, Unit, &'static str); 2]);

const TILES: [Tile; 6] = [
    ("cpu", [("load", Unit::Average, "load.one"), ("steal", Unit::Percent, "cpu.steal")]),
    ("memory", [("of", Unit::Bytes, "memory.total"), ("swap", Unit::Bytes, "memory.swap_used")]),
    ("pressure", [("memory", Unit::Percent, "pressure.memory.some"), ("I/O", Unit::Percent, "pressure.io.some")]),
    (
        "connections",
        [("time-wait", Unit::Count, "connections.tcp.time_wait"), ("viewers", Unit::Count, "connections.viewers")],
    ),
    ("network", [("in", Unit::Bits, "network.rx_bytes"), ("out", Unit::Bits, "network.tx_bytes")]),
    ("disk", [("read", Unit::Throughput, "disk.read_bytes"), ("write", Unit::Throughput, "disk.write_bytes")]),
];

/// The paths of the values below the tiles' main values.
#[cfg(all(test, feature = "ssr"))]
pub(super) fn series_paths() -> impl Iterator<Item = String> {
    TILES.iter().flat_map(|(_, extras)| extras).map(|(_, _, path)| (*path).to_owned())
}

#[component]
pub(super) fn Overview() -> impl IntoView {
    let state = expect_context::<PageState>();
    let tiles = move || state.window.with(|window| TILES.iter().filter_map(|of| tile(of, window)).collect_view());
    view! { <nav class="tiles" aria-label="Overview">{tiles}</nav> }
}

/// The tile of a panel; `None` if the host has no data for it.
fn tile((id, extras): &'static Tile, window: &Window) -> Option<impl IntoView + use<>> {
    let chart = CHARTS.iter().find(|chart| chart.id == *id && window.has(chart.headline.path()))?;
    let (number, symbol) = chart.headline_text(window, 0);
    let [one, other] = extras.map(|(label, unit, path)| {
        // Lines may break between the two, not within one.
        [label, " ", &unit.text(window.last(path))].concat().replace(' ', "\u{a0}")
    });
    let lines = trend(chart.headline.values(window, WindowSlice::newest(TREND_S)).into_iter().rev(), true);
    Some(view! {
        <a href=format!("#{id}")>
            <b>{chart.title}</b>
            <span class="figure"><b>{number}</b><small>{symbol}</small></span>
            <small>{[&one, " · ", &other].concat()}</small>
            <svg class=colour(chart) viewBox="0 0 59 16" preserveAspectRatio="none" aria-hidden="true">
                {lines.into_iter().map(|points| view! { <polyline points=points></polyline> }).collect_view()}
            </svg>
        </a>
    })
}

fn colour(chart: &Chart) -> &'static str {
    chart.series.first().map_or("", |series| series.colour.name())
}
