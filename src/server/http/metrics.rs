//! `GET /metrics`: the metrics of the newest tick, rendered once for all scrapers.

use super::{Encoding, Problem, shared_response};
use crate::server::{app_state::AppState, export::TextFormat, rendering::RenderError, unix_time::unix_ms};
use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, header},
    response::Response,
};
use std::sync::Arc;

/// `GET /metrics`, in the text format that `Accept` prefers.
pub(in crate::server) async fn metrics(State(state): State<AppState>, headers: HeaderMap) -> Response {
    respond(&state, &headers).await.unwrap_or_else(|error| Problem::from(error).respond_at("/metrics"))
}

async fn respond(state: &AppState, headers: &HeaderMap) -> Result<Response, RenderError> {
    let accept = headers.get_all(header::ACCEPT).into_iter().filter_map(|value| value.to_str().ok());
    let (format, encoding) = (TextFormat::negotiate(accept), Encoding::preferred(headers, Encoding::ALL));
    // The server's own metrics change also while no tick comes.
    let key = format!("{format:?} {encoding:?} {}", unix_ms() / 1000);
    let (log, statistics) = (Arc::clone(&state.log), Arc::clone(&state.statistics));
    let render = move || {
        let text = statistics.expose(&log, format).map_err(|error| shared_response::failed(&error))?;
        shared_response::encode(text, encoding)
    };
    let body = state.metrics.get(key, render).await?;
    let mut response = shared_response::respond(format.content_type(), body, encoding);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}
