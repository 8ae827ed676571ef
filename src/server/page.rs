//! `GET /`: the dashboard, with its charts drawn from what was sampled up to now.

use super::{AppState, Problem, assets::ASSETS};
use crate::app::{self, Seed, Span};
use axum::{
    extract::{RawQuery, Request, State},
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use leptos::{config::LeptosOptions, prelude::*};
use leptos_axum::{ResponseOptions, render_app_async_with_context};
use std::time::Instant;

/// The page for the window that the address asks for.
pub(super) async fn dashboard(State(state): State<AppState>, RawQuery(query): RawQuery, request: Request) -> Response {
    let span = match span(query.as_deref().unwrap_or_default()) {
        Ok(span) => span,
        Err(problem) => return problem.respond_at("/"),
    };
    let (mut columns, after) = state.hub.snapshot(span.seconds());
    columns.cut_history(app::history);
    columns.round_past();
    let audience = state.hub.audience();
    audience.asked_for_page(Instant::now());
    let seed = Seed {
        host: (*state.host).clone(),
        span,
        after: after.map(|id| id.to_string()),
        columns,
        present: state.hub.present(),
    };
    let watch = watch_options();
    let reloads = watch.is_some();
    let shell = move || app::shell(seed.clone(), &ASSETS.parts, watch.clone());
    render_app_async_with_context(move || set_headers(reloads), shell)(request).await
}

fn span(query: &str) -> Result<Span, Problem> {
    let chosen = form_urlencoded::parse(query.as_bytes()).filter(|(key, _)| key == "window").last();
    let Some((_, window)) = chosen else { return Ok(Span::default()) };
    let problem = |error: app::UnknownSpan| Problem::new(StatusCode::BAD_REQUEST, "Unknown window", error.to_string());
    window.parse().map_err(problem)
}

/// Only scripts with this response's nonce run. `reloads` lets `cargo leptos watch` talk to the page from a port of
/// its own.
fn set_headers(reloads: bool) {
    let (Some(response), Some(nonce)) = (use_context::<ResponseOptions>(), leptos::nonce::use_nonce()) else { return };
    let connect = if reloads { "'self' ws:" } else { "'self'" };
    let policy = format!(
        "default-src 'self'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; connect-src {connect}; \
         object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        response.insert_header(header::CONTENT_SECURITY_POLICY, policy);
    }
    response.insert_header(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
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
    fn the_window_is_one_of_those_on_the_page() {
        assert_eq!(span("").unwrap(), Span::FiveMinutes);
        assert_eq!(span("theme=dark&window=60").unwrap(), Span::OneMinute);
        for window in ["7", "", "-60", "5m", "60 "] {
            let problem = span(&format!("window={window}")).unwrap_err();
            assert!(problem.detail.contains("60, 300 or 900"), "{}", problem.detail);
        }
    }
}
