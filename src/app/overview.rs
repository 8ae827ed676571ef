//! The overview: a tile for each main resource, which links to its panel.

use super::PageState;
use crate::{
    charts::{Chart, TREND_S, trend},
    panels::{Detail, Panel},
    schema::{Window, WindowSlice},
};
use leptos::prelude::*;

#[component]
pub(super) fn Overview() -> impl IntoView {
    let state = expect_context::<PageState>();
    let tiles = move || {
        let tiles = |window: &Window| {
            state.panels.with_value(|panels| panels.iter().filter_map(|panel| tile(panel, window)).collect_view())
        };
        state.window.with(tiles)
    };
    view! { <nav class="tiles" aria-label="Overview">{tiles}</nav> }
}

/// The tile of a panel; `None` if it has none, or the host has no data for it.
fn tile(panel: &Panel, window: &Window) -> Option<impl IntoView + use<>> {
    let chart = &panel.chart;
    if panel.tile.is_empty() || !window.has(chart.headline.path()) {
        return None;
    }
    let (number, symbol) = chart.headline_text(window, 0);
    let symbol = symbol.to_owned();
    let extra = |Detail { label, unit, path }: &Detail| {
        // Lines may break between the two, not within one.
        [label, " ", &unit.text(window.last(path))].concat().replace(' ', "\u{a0}")
    };
    let extras = panel.tile.iter().map(extra).collect::<Vec<_>>().join(" · ");
    let lines = trend(chart.headline.values(window, WindowSlice::newest(TREND_S)).into_iter().rev(), true);
    Some(view! {
        <a href=["#", &*panel.id].concat()>
            <b>{panel.title.clone()}</b>
            <span class="figure"><b>{number}</b><small>{symbol}</small></span>
            <small>{extras}</small>
            <svg class=colour(chart) viewBox="0 0 59 16" preserveAspectRatio="none" aria-hidden="true">
                {lines.into_iter().map(|points| view! { <polyline points=points></polyline> }).collect_view()}
            </svg>
        </a>
    })
}

fn colour(chart: &Chart) -> &'static str {
    chart.series.first().map_or("", |series| series.colour.name())
}
