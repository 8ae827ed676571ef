//! `GET /chart/{name}.svg` and `.png`: one chart as an image.

use super::{Encoding, Problem, page_query, shared_response};
use crate::{
    charts,
    panels::{Panel, PanelKind},
    schema::Window,
    server::app_state::AppState,
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
    let (range, theme) = (page_query::time_range(query)?, page_query::image_theme(query)?);
    // PNG is compressed already.
    let (responses, content_type, encoding) = match format {
        Format::Svg => (&state.pages, "image/svg+xml", Encoding::preferred(headers, Encoding::ALL)),
        Format::Png => (&state.images, "image/png", None),
    };
    let key = format!("{name} {} {theme:?} {encoding:?}", range.seconds());
    let (log, host) = (Arc::clone(&state.log), Arc::clone(&state.host));
    let render = move || {
        let window = Window::from(&log.snapshot(range.seconds()).0);
        let labels = charts::Labels { title: &panel.title, host: &host.name, times: &range.times() };
        let annotations = log.latest_values().annotations;
        let svg = charts::svg_image(labels, &panel.chart, &window, range.seconds(), &annotations, theme);
        match format {
            Format::Svg => shared_response::encode(svg, encoding),
            Format::Png => charts::png(&svg).map(Bytes::from).map_err(|error| shared_response::failed(&error)),
        }
    };
    let mut response = shared_response::respond(content_type, responses.get(key, render).await?, encoding);
    let rules = [(header::CACHE_CONTROL, "no-store"), (header::CONTENT_SECURITY_POLICY, "default-src 'none'")];
    for (name, rule) in rules {
        response.headers_mut().insert(name, HeaderValue::from_static(rule));
    }
    Ok(response)
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
