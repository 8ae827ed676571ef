//! Liveness, readiness, and the metrics endpoint.

use super::Problem;
use crate::server::AppState;
use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

/// `GET /healthz`: the process answers requests.
pub(in crate::server) async fn alive() -> &'static str {
    "alive\n"
}

/// `GET /readyz`: the sampler publishes ticks, and the server is not stopping.
pub(in crate::server) async fn ready(State(state): State<AppState>) -> (StatusCode, &'static str) {
    let head = state.log.head();
    match head.at {
        _ if head.closing => (StatusCode::SERVICE_UNAVAILABLE, "not ready: about to stop\n"),
        None => (StatusCode::SERVICE_UNAVAILABLE, "not ready: nothing has been sampled yet\n"),
        Some(_) if head.is_stuck() => (StatusCode::SERVICE_UNAVAILABLE, "not ready: the sampler is stuck\n"),
        Some(_) => (StatusCode::OK, "ready\n"),
    }
}

/// `GET /metrics` in the OpenMetrics text format.
pub(in crate::server) async fn metrics(State(state): State<AppState>) -> Response {
    const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    match state.statistics.expose(&state.log) {
        Ok(text) => ([(header::CONTENT_TYPE, OPEN_METRICS), (header::CACHE_CONTROL, "no-store")], text).into_response(),
        Err(error) => {
            let problem = Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "Metrics failed", error.to_string());
            problem.respond_at("/metrics")
        }
    }
}
