//! The dashboard, a panel of it, or a chart alone, each drawn from what was sampled up to now.

use super::{ASSETS, Problem};
use crate::{
    app::{self, InitialData, PageMode, TimeRange, View},
    charts::{self, CHARTS, Chart, ImageTheme},
    schema::Window,
    server::{AppState, Origin},
};
use axum::{
    body::Bytes,
    extract::{Path, RawQuery, Request, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use leptos::{config::LeptosOptions, prelude::*};
use leptos_axum::{ResponseOptions, render_app_async_with_context};
use std::{
    error::Error,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::time::timeout;

/// The page as the address asks for it.
pub(in crate::server) async fn dashboard(
    State(state): State<AppState>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Response {
    let query = query.unwrap_or_default();
    match view(&query).and_then(|view| Ok((view, span(&query)?))) {
        Ok((view, span)) => respond(&state, view, span, request).await,
        Err(problem) => problem.respond_at("/"),
    }
}

/// A panel alone, for a frame in a page of an origin that may have one.
pub(in crate::server) async fn embedded(
    State(state): State<AppState>,
    Path(panel): Path<String>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Response {
    match chosen(&panel).and_then(|panels| Ok((panels, span(&query.unwrap_or_default())?))) {
        Ok((panels, span)) => respond(&state, View { mode: PageMode::Embed, panels }, span, request).await,
        Err(problem) => problem.respond_at("/embed"),
    }
}

/// A chart alone, as a picture.
pub(in crate::server) async fn picture(
    State(state): State<AppState>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    let query = query.unwrap_or_default();
    let asked = || Ok((chart(&name)?, span(&query)?, theme(&query)?));
    let ((chart, form), span, theme) = match asked() {
        Ok(asked) => asked,
        Err(problem) => return Problem::respond_at(problem, "/chart"),
    };
    let picture = || {
        // A copy: whoever draws must not hold up the next tick.
        let window = Window::from(&state.log.snapshot(span.seconds()).0);
        charts::svg_image(chart, &window, span.seconds(), &span.times(), theme, &state.host.name)
    };
    let (content_type, body) = match form {
        Form::Svg => ("image/svg+xml", Bytes::from(picture())),
        Form::Png => match pixels(&state, picture).await {
            Ok(pixels) => ("image/png", pixels),
            Err(problem) => return problem.respond_at("/chart"),
        },
    };
    let head = [
        (header::CONTENT_TYPE, content_type),
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'"),
    ];
    (head, body).into_response()
}

/// What a picture is made of.
#[derive(Clone, Copy)]
enum Form {
    Svg,
    Png,
}

/// A picture as pixels; one at a time, so that whoever asks for many takes no more than a core.
async fn pixels(state: &AppState, picture: impl FnOnce() -> String) -> Result<Bytes, Problem> {
    /// How long to wait for others' pictures.
    const PATIENCE: Duration = Duration::from_secs(5);
    let failed = |error: &dyn Error| {
        tracing::error!(%error, "a picture could not be drawn");
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "Not drawn", "The picture could not be drawn; try .svg.")
    };
    let turn = timeout(PATIENCE, Arc::clone(&state.drawing).acquire_owned()).await;
    let Ok(Ok(turn)) = turn else {
        let detail = "Too many pictures are being drawn; try again, or .svg, which is drawn at once.";
        let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "Not drawn yet", detail);
        return Err(Problem { retry_after: Some(PATIENCE.as_secs() as u32), ..problem });
    };
    let picture = picture();
    let drawn = tokio::task::spawn_blocking(move || {
        // Kept until the drawing is done, whether somebody still waits for it or not.
        let _turn = turn;
        charts::png(&picture)
    });
    let pixels = drawn.await.map_err(|error| failed(&error))?.map_err(|error| failed(&error))?;
    Ok(pixels.into())
}

async fn respond(state: &AppState, view: View, span: TimeRange, request: Request) -> Response {
    let (mut columns, after) = state.log.snapshot(span.seconds());
    columns.truncate_history(|path| app::history(path, state.host.cores));
    columns.round_history();
    let subscribers = state.log.subscribers();
    subscribers.page_requested(Instant::now());
    let frames = match view.mode {
        PageMode::Embed => frame_ancestors(&state.settings.allow_frame),
        PageMode::Full | PageMode::Kiosk => "'none'".to_owned(),
    };
    let initial_data = InitialData {
        host: (*state.host).clone(),
        view,
        time_range: span,
        last_event_id: after.map(|id| id.to_string()),
        columns,
        latest: state.log.latest_values(),
    };
    let watch = watch_options();
    let reloads = watch.is_some();
    let shell = move || app::shell(initial_data.clone(), &ASSETS.parts, watch.clone());
    render_app_async_with_context(move || set_headers(reloads, &frames), shell)(request).await
}

/// The last value of a key in a query; of one that stands there alone, nothing.
fn value(query: &str, key: &str) -> Option<String> {
    let chosen = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == key).last();
    chosen.map(|(_, value)| value.into_owned())
}

fn span(query: &str) -> Result<TimeRange, Problem> {
    let Some(window) = value(query, "window") else { return Ok(TimeRange::default()) };
    let problem =
        |error: app::UnknownTimeRange| Problem::new(StatusCode::BAD_REQUEST, "Unknown window", error.to_string());
    window.parse().map_err(problem)
}

fn view(query: &str) -> Result<View, Problem> {
    let mode = if value(query, "kiosk").is_some() { PageMode::Kiosk } else { PageMode::Full };
    let panels = value(query, "panels").map_or(Ok(String::new()), |panels| chosen(&panels))?;
    Ok(View { mode, panels })
}

/// Panels by their names.
fn chosen(panels: &str) -> Result<String, Problem> {
    let names: Vec<_> = panels.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    match names.iter().find(|name| !app::panels().any(|panel| panel == **name)) {
        None => Ok(names.join(",")),
        Some(unknown) => {
            let known = app::panels().collect::<Vec<_>>().join(", ");
            let detail = format!("There is no panel {unknown:?}; there are {known}.");
            Err(Problem::new(StatusCode::NOT_FOUND, "Unknown panel", detail))
        }
    }
}

fn chart(name: &str) -> Result<(&'static Chart, Form), Problem> {
    let known = |id: &str| CHARTS.iter().find(|chart| chart.id == id);
    let asked = name.rsplit_once('.').and_then(|(id, form)| match form {
        "svg" => Some((known(id)?, Form::Svg)),
        "png" => Some((known(id)?, Form::Png)),
        _ => None,
    });
    asked.ok_or_else(|| {
        let known = CHARTS.iter().map(|chart| format!("{}.svg", chart.id)).collect::<Vec<_>>().join(", ");
        let detail = format!("There is no chart {name:?}; there are {known}, and the same as .png.");
        Problem::new(StatusCode::NOT_FOUND, "Unknown chart", detail)
    })
}

fn theme(query: &str) -> Result<ImageTheme, Problem> {
    match value(query, "theme").as_deref() {
        None | Some("light") => Ok(ImageTheme::Light),
        Some("dark") => Ok(ImageTheme::Dark),
        Some(theme) => {
            let detail = format!("There is no theme {theme:?}; there are light and dark.");
            Err(Problem::new(StatusCode::BAD_REQUEST, "Unknown theme", detail))
        }
    }
}

fn frame_ancestors(origins: &[Origin]) -> String {
    let origins = origins.iter().map(|origin| format!(" {origin}"));
    format!("'self'{}", origins.collect::<String>())
}

/// Only scripts with this response's nonce run, and only pages of `frames` may frame it. `reloads` lets `cargo leptos
/// watch` talk to the page from a port of its own.
fn set_headers(reloads: bool, frames: &str) {
    let (Some(response), Some(nonce)) = (use_context::<ResponseOptions>(), leptos::nonce::use_nonce()) else { return };
    let connect = if reloads { "'self' ws:" } else { "'self'" };
    let settings = format!(
        "default-src 'self'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; connect-src {connect}; \
         object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors {frames}"
    );
    if let Ok(settings) = HeaderValue::from_str(&settings) {
        response.insert_header(header::CONTENT_SECURITY_POLICY, settings);
    }
    // `no-store` would keep it out of the browser's cache for going back and forth, too.
    response.insert_header(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
}

/// What `cargo leptos watch` tells its server, if that is what runs it.
fn watch_options() -> Option<LeptosOptions> {
    std::env::var_os("LEPTOS_WATCH")?;
    leptos::config::get_configuration(None).ok().map(|file| file.leptos_options)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_names_panels_that_there_are() {
        let seen = view("kiosk&panels=cpu,%20memory,").unwrap();
        assert_eq!(seen, View { mode: PageMode::Kiosk, panels: "cpu,memory".to_owned() });
        assert_eq!(view("window=60").unwrap(), View::default());
        let problem = view("panels=cpu,gpu").unwrap_err();
        assert!(problem.detail.contains("\"gpu\"; there are cpu, memory, load"), "{}", problem.detail);
        assert!(chart("cpu.svg").is_ok() && chart("cpu").is_err() && chart("services.svg").is_err());
        assert!(theme("theme=red").is_err());
    }

    #[test]
    fn frames_are_for_our_own_pages_and_those_that_the_operator_names() {
        assert_eq!(frame_ancestors(&[]), "'self'");
        let origins = ["https://wiki.example.com".parse().unwrap()];
        assert_eq!(frame_ancestors(&origins), "'self' https://wiki.example.com");
    }

    #[test]
    fn the_window_is_one_of_those_on_the_page() {
        assert_eq!(span("").unwrap(), TimeRange::FiveMinutes);
        assert_eq!(span("theme=dark&window=60").unwrap(), TimeRange::OneMinute);
        for window in ["7", "", "-60", "5m", "60 "] {
            let problem = span(&format!("window={window}")).unwrap_err();
            assert!(problem.detail.contains("60, 300, 900 or 3600"), "{}", problem.detail);
        }
    }
}
