//! Liveness and readiness.

use crate::server::app_state::AppState;
use axum::{extract::State, http::StatusCode};

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
