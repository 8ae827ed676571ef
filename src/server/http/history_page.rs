//! A page of the history: any range of time in the very first response.

use super::{
    ASSETS, Encoding, Problem,
    history::{kept, unread},
    history_query::{bad_query, time},
    page_query, shared_response,
};
use crate::{
    app::{self, ChartedRange, Compare, HistoryRange, HistoryView, InitialData, LongRange, TimeRange, View},
    charts::{Band, Expression, TREND_S, core_path},
    panels::Panel,
    schema::{EventFilter, LatestValues, Processes, Window},
    server::{
        annotations::AnnotationQuery,
        app_state::AppState,
        history::{HistoryReader, SeriesHistory, Steps, Summaries},
        unix_time::unix_ms,
    },
};
use axum::{body::Bytes, http::HeaderMap};
use leptos::prelude::Owner;
use std::sync::Arc;

/// Steps of a chart at most: two minutes each in a day, and twelve minutes at a second.
const STEPS: usize = 725;
/// The shortest range, and the longest.
const MIN_MS: u64 = 10_000;
const MAX_MS: u64 = 10 * 366 * 24 * 60 * 60 * 1000;
/// Cores of which a chart of the history shows each.
const MAX_CORES: usize = 64;
/// A series that every tick has.
pub(super) const CPU: &str = "cpu.total_percent";
/// Annotations of a page at most.
const MAX_ANNOTATIONS: usize = 500;

/// The range in an address; `None` for a live page.
///
/// # Errors
/// When a value is no time, or the range is none.
pub(super) fn range(query: &str) -> Result<Option<HistoryRange>, Problem> {
    let value = |key: &str| page_query::value(query, key).filter(|value| !value.is_empty());
    let moment = |key: &str| value(key).map(|text| time(key, &text)).transpose();
    let (chosen, from, to) = (value("range"), moment("from")?, moment("to")?);
    let unknown = |error: app::UnknownLongRange| bad_query(error.to_string());
    let chosen = chosen.map(|name| name.parse::<LongRange>()).transpose().map_err(unknown)?;
    let (from, to) = match (chosen, from, to) {
        (None, None, None) => return Ok(None),
        (Some(range), ..) => {
            let now = unix_ms() / 1000 * 1000;
            (now.saturating_sub(range.ms()), now)
        }
        (None, Some(from), Some(to)) => (from, to),
        (None, Some(from), None) => (from, unix_ms().max(from.saturating_add(MIN_MS))),
        (None, None, Some(to)) => (to.saturating_sub(LongRange::SixHours.ms()), to),
    };
    if from.saturating_add(MIN_MS) > to || to - from > MAX_MS {
        let detail = "from must be at least ten seconds before to, and at most ten years.";
        return Err(bad_query(detail.to_owned()));
    }
    let compare = value("compare").map(|name| {
        let compare = Compare::ALL.into_iter().find(|compare| compare.as_str() == name);
        compare.ok_or_else(|| bad_query(format!("compare: {name:?} is not one of 1d and 1w.")))
    });
    let at = moment("at")?.map_or(to, |at| at.clamp(from, to));
    Ok(Some(HistoryRange { from, to, at, chosen, compare: compare.transpose()? }))
}

/// The page of a range.
pub(super) async fn page(
    state: &AppState,
    account: String,
    view: View,
    range: HistoryRange,
    query: &str,
    headers: &HeaderMap,
) -> Result<(Bytes, Option<Encoding>), Problem> {
    let (view, _) = read(state, account, view, range, query).await?;
    render(state, headers, move || app::history_page(&ASSETS.parts, view)).await
}

/// Renders a page that no other request shares.
pub(super) async fn render(
    state: &AppState,
    headers: &HeaderMap,
    page: impl FnOnce() -> String + Send + 'static,
) -> Result<(Bytes, Option<Encoding>), Problem> {
    let encoding = Encoding::preferred(headers, Encoding::ALL);
    let key = format!("history {:x}", fastrand::u128(..));
    let render = move || shared_response::encode(Owner::new().with(page), encoding);
    Ok((state.pages.get(key, render).await?, encoding))
}

/// What the page of a range shows, and the paths of its charts. `only=values` leaves out the charts, for a script that has
/// them.
pub(super) async fn read(
    state: &AppState,
    account: String,
    view: View,
    range: HistoryRange,
    query: &str,
) -> Result<(HistoryView, Vec<String>), Problem> {
    let history = kept(state)?;
    let panels = super::pages::chosen_panels(&view, &state.channels.panels());
    let only_values = page_query::value(query, "only").as_deref() == Some("values");
    let paths = if only_values { Vec::new() } else { charted_paths(&panels, state.host.cores) };
    let (steps, charts) = charted_range(state, paths.clone(), &range).await?;
    let range = HistoryRange { at: sampled_moment(&charts, &range, query), ..range };
    let columns = moment(history, steps.until(range.at, TREND_S)).await?;
    let processes = history.processes(range.at).await.map_err(unread)?;
    let processes = processes.and_then(|sample| serde_json::from_str::<Processes>(&sample).ok());
    let initial_data = InitialData {
        identity: super::pages::identity(state),
        account,
        host: state.host_now(),
        view,
        panels,
        time_range: TimeRange::default(),
        last_event_id: None,
        columns: columns.snapshot(None, usize::MAX, &EventFilter::All),
        latest: LatestValues { processes: processes.unwrap_or_default(), ..LatestValues::default() },
    };
    Ok((HistoryView { initial_data, range, charts }, paths))
}

/// The moment whose values the page shows: the newest step with samples, unless the address has one.
fn sampled_moment(charts: &ChartedRange, range: &HistoryRange, query: &str) -> u64 {
    if page_query::value(query, "at").is_some() || range.at < range.to {
        return range.at;
    }
    let mean = &charts.mean;
    let has_samples = |age: &usize| mean.paths().any(|path| mean.value(path, *age).is_some());
    let age = (0..mean.len()).find(has_samples).unwrap_or(0);
    let newest = mean.end().unwrap_or(range.to).saturating_sub(age as u64 * mean.step_ms());
    if age == 0 { range.at } else { newest.max(range.from) }
}

/// What charts of the series at `paths` show in a range, and its steps.
pub(super) async fn charted_range(
    state: &AppState,
    paths: Vec<String>,
    range: &HistoryRange,
) -> Result<(Steps, ChartedRange), Problem> {
    let history = kept(state)?;
    let mut steps = history.steps(range.from, range.to, STEPS).await.map_err(unread)?;
    let mut earlier = None;
    if let Some(ms) = range.compare.map(Compare::ms) {
        let of_earlier = history.steps(range.from.saturating_sub(ms), range.to.saturating_sub(ms), STEPS);
        // The seconds of then may be gone: both are drawn at the coarser resolution.
        steps = of_earlier.await.map_err(unread)?.later(ms).coarser(steps);
        let series = history.series_at(paths.clone(), steps.earlier(ms)).await.map_err(unread)?;
        earlier = Some(window(&series, |values| &values.mean));
    }
    let series = history.series_at(paths, steps).await.map_err(unread)?;
    let [min, mean, max] = [
        window(&series, |values| &values.min),
        window(&series, |values| &values.mean),
        window(&series, |values| &values.max),
    ];
    let query = AnnotationQuery { from: range.from, to: range.to, tag: None, limit: MAX_ANNOTATIONS };
    let mut annotations = state.annotations.find(&query);
    annotations.reverse();
    Ok((steps, ChartedRange { mean, band: Band { min, max, earlier }, annotations }))
}

/// All values of a moment, which is the last of `steps`.
async fn moment(history: &HistoryReader, steps: Steps) -> Result<Window, Problem> {
    let paths = history.paths_at(steps).await.map_err(unread)?;
    let series = history.series_at(paths, steps).await.map_err(unread)?;
    Ok(window(&series, |values| &values.mean))
}

/// The paths of the series in the charts of `panels`.
pub(super) fn charted_paths(panels: &[Arc<Panel>], cores: usize) -> Vec<String> {
    let of_panel = |panel: &Arc<Panel>| {
        let chart = &panel.chart;
        let values = chart.series.iter().map(|series| &series.value).chain([&chart.headline]);
        let mut paths: Vec<_> = values.flat_map(Expression::paths).map(str::to_owned).collect();
        paths.extend(chart.scale.path().map(str::to_owned));
        if panel.id == "cpu" && cores <= MAX_CORES {
            paths.extend((0..cores).map(core_path));
        }
        paths
    };
    let mut paths: Vec<_> = panels.iter().flat_map(of_panel).filter(|path| !path.is_empty()).collect();
    // Which steps have samples does not depend on the panels.
    paths.push(CPU.to_owned());
    paths.sort_unstable();
    paths.dedup();
    paths
}

/// One of the values of each step, as a window.
pub(super) fn window(history: &SeriesHistory, values: fn(&Summaries) -> &[f64]) -> Window {
    let Steps { start, step_ms, count, .. } = history.steps;
    let end = start + step_ms * (count as u64).saturating_sub(1);
    let mut window = Window::of_history(count, step_ms, end);
    for (path, summaries) in &history.series {
        window.fill(path, values(summaries));
    }
    window
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn range_is_named_or_has_ends_and_a_live_page_has_none() {
        let parsed = |query: &str| range(query).unwrap();
        assert!(parsed("").is_none() && parsed("window=60&from=").is_none());
        let day = parsed("range=24h&compare=1w&panels=cpu").unwrap();
        assert_eq!(
            (day.chosen, day.compare, day.to - day.from),
            (Some(LongRange::Day), Some(Compare::Week), 86_400_000)
        );
        let ends = parsed("from=2026-11-25T03:12&to=2026-11-25T03:13:00Z&at=0").unwrap();
        assert_eq!((ends.to - ends.from, ends.at, ends.chosen), (60_000, ends.from, None));
        let open = parsed("to=1764043920000").unwrap();
        assert_eq!((open.to - open.from, open.at), (LongRange::SixHours.ms(), open.to));
    }

    #[test]
    fn invalid_range_is_refused_with_what_would_be_right() {
        for (query, reason) in [
            ("range=2h", "use 6h, 24h, 7d or 30d"),
            ("from=2000&to=1000", "at least ten seconds before to"),
            ("from=0&to=1764043920000", "at most ten years"),
            ("from=yesterday", "ISO 8601"),
            ("range=6h&compare=2d", "1d and 1w"),
        ] {
            let detail = range(query).unwrap_err().detail;
            assert!(detail.contains(reason), "{query}: {detail}");
        }
    }
}
