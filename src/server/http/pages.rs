//! Renders the dashboard and its embeddable panels with the log's newest data.

use super::{ASSETS, page_query};
use crate::{
    app::{self, InitialData, PageIdentity, PageMode, TimeRange, View},
    server::{access::Origin, app_state::AppState},
};
use axum::{
    extract::{Path, RawQuery, Request, State},
    http::{HeaderValue, header},
    response::Response,
};
use leptos::{config::LeptosOptions, prelude::*};
use leptos_axum::{ResponseOptions, render_app_async_with_context};
use std::time::Instant;

/// `GET /`: the dashboard.
pub(in crate::server) async fn dashboard(
    State(state): State<AppState>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Response {
    let query = query.unwrap_or_default();
    match page_query::view(&query).and_then(|view| Ok((view, page_query::time_range(&query)?))) {
        Ok((view, range)) => respond(&state, view, range, request).await,
        Err(problem) => problem.respond_at("/"),
    }
}

/// `GET /embed/{panel}`: panels alone, for frames in pages of allowed origins.
pub(in crate::server) async fn embedded(
    State(state): State<AppState>,
    Path(panel): Path<String>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Response {
    let query = query.unwrap_or_default();
    match page_query::known_panels(&panel).and_then(|panels| Ok((panels, page_query::time_range(&query)?))) {
        Ok((panels, range)) => respond(&state, View { mode: PageMode::Embed, panels }, range, request).await,
        Err(problem) => problem.respond_at("/embed/"),
    }
}

async fn respond(state: &AppState, view: View, range: TimeRange, request: Request) -> Response {
    let (mut columns, after) = state.log.snapshot(range.seconds());
    columns.truncate_history(|path| app::history(path, state.host.cores));
    columns.round_history();
    state.log.subscribers().page_requested(Instant::now());
    let frames = match view.mode {
        PageMode::Embed => frame_ancestors(&state.settings.allow_frame),
        PageMode::Full | PageMode::Kiosk => "'none'".to_owned(),
    };
    let initial_data = InitialData {
        identity: PageIdentity { host_id: state.log.identity().host_id.clone(), version: ASSETS.version.clone() },
        host: state.host_now(),
        view,
        time_range: range,
        last_event_id: after.map(|id| id.to_string()),
        columns,
        latest: state.log.latest_values(),
    };
    let watch = watch_options();
    let reloads = watch.is_some();
    let shell = move || app::shell(initial_data.clone(), &ASSETS.parts, watch.clone());
    render_app_async_with_context(move || set_headers(reloads, &frames), shell)(request).await
}

fn frame_ancestors(origins: &[Origin]) -> String {
    let origins = origins.iter().map(|origin| format!(" {origin}"));
    format!("'self'{}", origins.collect::<String>())
}

/// Allows scripts with this response's nonce only, and frames in pages of `frames` only. `reloads` allows the websocket
/// of `cargo leptos watch`, which has a port of its own.
fn set_headers(reloads: bool, frames: &str) {
    let (Some(response), Some(nonce)) = (use_context::<ResponseOptions>(), leptos::nonce::use_nonce()) else { return };
    let connect = if reloads { "'self' ws:" } else { "'self'" };
    let policy = format!(
        "default-src 'self'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; connect-src {connect}; \
         object-src 'none'; base-uri 'self'; form-action 'none'; frame-ancestors {frames}"
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        response.insert_header(header::CONTENT_SECURITY_POLICY, policy);
    }
    // `no-store` would also disable the browser's back/forward cache.
    response.insert_header(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
}

/// The options that `cargo leptos watch` sets; `None` outside it.
fn watch_options() -> Option<LeptosOptions> {
    std::env::var_os("LEPTOS_WATCH")?;
    leptos::config::get_configuration(None).ok().map(|file| file.leptos_options)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frame_ancestors_are_own_and_allowed_origins() {
        assert_eq!(frame_ancestors(&[]), "'self'");
        let origins = ["https://wiki.example.com".parse().unwrap()];
        assert_eq!(frame_ancestors(&origins), "'self' https://wiki.example.com");
    }
}
