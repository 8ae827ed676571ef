//! `GET /chart/{name}.svg` and `.png`: one chart as an image.

use super::{Encoding, Problem, history_page, page_query, shared_response};
use crate::{
    app::HistoryRange,
    charts::{self, Plot},
    panels::{Panel, PanelKind},
    schema::Window,
    server::{
        app_state::AppState,
        rendering::{RenderError, SharedResponses},
    },
    units::{date, time_of_day},
};
use axum::{
    body::Bytes,
    extract::{Path, RawQuery, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use std::sync::Arc;

#[derive(Clone, Copy)]
enum Format {
    Svg,
    Png,
}

/// A chart as an image, in the format that its extension names.
pub(in crate::server) async fn chart_image(
    State(state): State<AppState>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let image = respond(&state, &name, &query.unwrap_or_default(), &headers).await;
    image.unwrap_or_else(|problem| problem.respond_at("/chart/"))
}

async fn respond(state: &AppState, name: &str, query: &str, headers: &HeaderMap) -> Result<Response, Problem> {
    let (panel, format) = find(&state.channels.panels(), name)?;
    if let Some(range) = history_page::range(query)? {
        return history_image(state, panel, format, range, query, headers).await;
    }
    let (range, theme) = (page_query::time_range(query)?, page_query::image_theme(query)?);
    let (responses, content_type, encoding) = format.of(state, headers);
    let key = format!("{name} {} {theme:?} {encoding:?}", range.seconds());
    let (log, host) = (Arc::clone(&state.log), Arc::clone(&state.host));
    let render = move || {
        let window = Window::from(&log.snapshot(range.seconds()).0);
        let labels = charts::Labels { title: &panel.title, host: &host.name, times: &range.times() };
        let annotations = log.latest_values().annotations;
        let plot = Plot { window: &window, seconds: range.seconds(), annotations: &annotations, band: None };
        format.encode(charts::svg_image(labels, &panel.chart, plot, theme), encoding)
    };
    Ok(finished(content_type, responses.get(key, render).await?, encoding))
}

/// A chart of a range of the history.
async fn history_image(
    state: &AppState,
    panel: Arc<Panel>,
    format: Format,
    range: HistoryRange,
    query: &str,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let theme = page_query::image_theme(query)?;
    let (responses, content_type, encoding) = format.of(state, headers);
    let paths = history_page::charted_paths(&[Arc::clone(&panel)], 0);
    let (_, charts) = history_page::charted_range(state, paths, &range).await?;
    let host = Arc::clone(&state.host);
    let render = move || {
        let times = times(range.from, range.to);
        let times = times.each_ref().map(|time| &**time);
        let labels = charts::Labels { title: &panel.title, host: &host.name, times: &times };
        format.encode(charts::svg_image(labels, &panel.chart, charts.plot(), theme), encoding)
    };
    // The key of a rendering that no other request shares.
    let key = format!("history {:x}", fastrand::u128(..));
    Ok(finished(content_type, responses.get(key, render).await?, encoding))
}

/// Evenly spaced times of a range, as dates where it is long.
fn times(from: u64, to: u64) -> [String; 6] {
    std::array::from_fn(|index| {
        let t = from + (to - from) / 5 * index as u64;
        match to - from {
            0..600_000 => time_of_day(t),
            600_000..172_800_000 => time_of_day(t)[..5].to_owned(),
            _ => date(t)[5..].to_owned(),
        }
    })
}

impl Format {
    /// Where its renderings are shared, their media type and coding.
    fn of<'a>(
        self,
        state: &'a AppState,
        headers: &HeaderMap,
    ) -> (&'a SharedResponses<Bytes>, &'static str, Option<Encoding>) {
        match self {
            Self::Svg => (&state.pages, "image/svg+xml", Encoding::preferred(headers, Encoding::ALL)),
            // PNG is compressed already.
            Self::Png => (&state.images, "image/png", None),
        }
    }

    fn encode(self, svg: String, encoding: Option<Encoding>) -> Result<Bytes, RenderError> {
        match self {
            Self::Svg => shared_response::encode(svg, encoding),
            Self::Png => charts::png(&svg).map(Bytes::from).map_err(|error| shared_response::failed(&error)),
        }
    }
}

fn finished(content_type: &'static str, body: Bytes, encoding: Option<Encoding>) -> Response {
    let mut response = shared_response::respond(content_type, body, encoding);
    let rules = [(header::CACHE_CONTROL, "no-store"), (header::CONTENT_SECURITY_POLICY, "default-src 'none'")];
    for (name, rule) in rules {
        response.headers_mut().insert(name, HeaderValue::from_static(rule));
    }
    response
}

/// The panel with a chart that `name` is an image of, and the format that its extension names.
fn find(panels: &[Arc<Panel>], name: &str) -> Result<(Arc<Panel>, Format), Problem> {
    let drawn = || panels.iter().filter(|panel| panel.kind() == PanelKind::Chart);
    let by_id = |id: &str| drawn().find(|panel| panel.id == id).cloned();
    let known = name.rsplit_once('.').and_then(|(id, extension)| match extension {
        "svg" => Some((by_id(id)?, Format::Svg)),
        "png" => Some((by_id(id)?, Format::Png)),
        _ => None,
    });
    known.ok_or_else(|| {
        let names = drawn().map(|panel| format!("{}.svg", panel.id)).collect::<Vec<_>>().join(", ");
        let detail = format!("There is no chart {name:?}; there are {names}, and the same as .png.");
        Problem::new(StatusCode::NOT_FOUND, "Unknown chart", detail)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::panels::host_panels;

    #[test]
    fn chart_name_needs_known_id_and_extension() {
        let panels: Vec<_> = host_panels().into_iter().map(Arc::new).collect();
        let is_known = |name| find(&panels, name).is_ok();
        assert!(is_known("cpu.svg") && is_known("cpu.png"));
        assert!(!is_known("cpu") && !is_known("services.svg"));
    }
}
