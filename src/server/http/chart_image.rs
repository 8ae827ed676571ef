//! `GET /chart/{name}.svg` and `.png`: one chart as an image.

use super::{Problem, page_query};
use crate::{
    charts::{self, CHARTS, Chart},
    schema::Window,
    server::app_state::AppState,
};
use axum::{
    body::Bytes,
    extract::{Path, RawQuery, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use std::{error::Error, sync::Arc, time::Duration};
use tokio::{task::spawn_blocking, time::timeout};

/// How long a PNG waits for its turn.
const RENDER_TIMEOUT: Duration = Duration::from_secs(5);

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
) -> Response {
    let image = render(&state, &name, &query.unwrap_or_default()).await;
    let (content_type, body) = match image {
        Ok(image) => image,
        Err(problem) => return problem.respond_at("/chart/"),
    };
    let head = [
        (header::CONTENT_TYPE, content_type),
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'"),
    ];
    (head, body).into_response()
}

async fn render(state: &AppState, name: &str, query: &str) -> Result<(&'static str, Bytes), Problem> {
    let (chart, format) = chart(name)?;
    let (range, theme) = (page_query::time_range(query)?, page_query::image_theme(query)?);
    let svg = || {
        // A copy, so that drawing doesn't delay the next tick.
        let window = Window::from(&state.log.snapshot(range.seconds()).0);
        charts::svg_image(chart, &window, range.seconds(), &range.times(), theme, &state.host.name)
    };
    Ok(match format {
        Format::Svg => ("image/svg+xml", svg().into()),
        Format::Png => ("image/png", render_png(state, svg).await?),
    })
}

/// Renders one PNG at a time, so that many requests take at most one core.
async fn render_png(state: &AppState, svg: impl FnOnce() -> String) -> Result<Bytes, Problem> {
    let failed = |error: &dyn Error| {
        tracing::error!(%error, "cannot render a chart as PNG");
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "Not rendered", "The PNG could not be rendered; try .svg.")
    };
    let permit = timeout(RENDER_TIMEOUT, Arc::clone(&state.png_rendering).acquire_owned()).await;
    let Ok(Ok(permit)) = permit else {
        let detail = "Too many PNGs are being rendered; retry later, or use .svg, which needs no queue.";
        let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "Busy", detail);
        return Err(Problem { retry_after: Some(RENDER_TIMEOUT.as_secs() as u32), ..problem });
    };
    let svg = svg();
    let rendered = spawn_blocking(move || {
        // Held until rendering ends, even if the client has left.
        let _permit = permit;
        charts::png(&svg)
    });
    let png = rendered.await.map_err(|error| failed(&error))?.map_err(|error| failed(&error))?;
    Ok(png.into())
}

fn chart(name: &str) -> Result<(&'static Chart, Format), Problem> {
    let by_id = |id: &str| CHARTS.iter().find(|chart| chart.id == id);
    let known = name.rsplit_once('.').and_then(|(id, extension)| match extension {
        "svg" => Some((by_id(id)?, Format::Svg)),
        "png" => Some((by_id(id)?, Format::Png)),
        _ => None,
    });
    known.ok_or_else(|| {
        let names = CHARTS.iter().map(|chart| format!("{}.svg", chart.id)).collect::<Vec<_>>().join(", ");
        let detail = format!("There is no chart {name:?}; there are {names}, and the same as .png.");
        Problem::new(StatusCode::NOT_FOUND, "Unknown chart", detail)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chart_name_needs_known_id_and_extension() {
        assert!(chart("cpu.svg").is_ok() && chart("cpu.png").is_ok());
        assert!(chart("cpu").is_err() && chart("services.svg").is_err());
    }
}
